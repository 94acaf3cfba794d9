/** Where randomness comes from. It is a parameter of everything that needs it, so that tests and simulators own it. */

/** Gives `length` unpredictable bytes. */
export type RandomSource = (length: number) => Uint8Array;

/** `crypto.getRandomValues` takes at most this many bytes at once. */
const SYSTEM_CHUNK = 65_536;

/** The platform's cryptographic random number generator. */
export const systemRandom: RandomSource = (length) => {
  const bytes = new Uint8Array(length);
  for (let offset = 0; offset < length; offset += SYSTEM_CHUNK)
    globalThis.crypto.getRandomValues(bytes.subarray(offset, offset + SYSTEM_CHUNK));
  return bytes;
};
