/**
 * One end of a channel between threads. Messages are structured clones; they arrive in order, and each at most once.
 * Adapters: `web-endpoint.ts` (Web Workers, message ports), `node-endpoint.ts` (`node:worker_threads`).
 */

/** What is given up to the other side instead of being copied. */
export type Transfer = ArrayBuffer | MessagePort | ReadableStream;

/** What comes and goes is of one build on both sides, so its types are declared where the channel is made. */
export interface Endpoint<Received = unknown, Sent = unknown> {
  readonly post: (message: Sent, transfer?: ReadonlyArray<Transfer>) => void;
  /** Begins to receive. There is one listener; what came earlier waits for it. */
  readonly listen: (onMessage: (message: Received) => void) => void;
  readonly close: () => void;
}

/** Another thread, and how it ends. */
export interface Thread<Received = unknown, Sent = unknown> extends Endpoint<Received, Sent> {
  /** Ends it at once, whatever it is doing. */
  readonly close: () => void;
  /** It failed: it did not load, threw where nobody caught it, or went away. Called at most once, and not after `close`. */
  readonly onFailure: (callback: (cause: unknown) => void) => void;
  /** Where a thread can keep a process from ending: whether it does. It does not until it is told to. */
  readonly holdProcess?: (held: boolean) => void;
}

/** A view of a large buffer would be cloned with the whole buffer: this gives bytes that own theirs. */
export const ownBytes = (bytes: Uint8Array): Uint8Array =>
  bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
