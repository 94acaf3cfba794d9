/** WebCrypto takes bytes over an `ArrayBuffer` of their own, never over shared memory. */

const isOwned = (bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> => bytes.buffer instanceof ArrayBuffer;

/** The same bytes, copied only where they lie in shared memory. */
export const owned = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => (isOwned(bytes) ? bytes : new Uint8Array(bytes));
