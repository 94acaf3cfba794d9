/** Streams and files, the same in browsers and in Node. */
import type { TransferOptions } from "../workspace-api.ts";
import { CairnError } from "../errors.ts";

/** A stream that asks for the next piece when there is room for it. */
export const toStream = (pieces: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> =>
  new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await pieces.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
    async cancel() {
      await pieces.return(undefined);
    },
  });

/** The pieces of a stream; the stream is let go of when whoever reads them stops. */
export const piecesOf = async function* (stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
};

/** The stream, whose bytes are told as they are taken; an abort ends it at once, whatever it waits for. */
export const watched = (
  stream: ReadableStream<Uint8Array>,
  { onProgress, signal }: TransferOptions,
): ReadableStream<Uint8Array> => {
  const reader = stream.getReader();
  let done = 0;
  let stop = (): void => undefined;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const aborted = (): void => {
        controller.error(new CairnError("aborted"));
        reader.cancel().catch(() => undefined);
      };
      if (signal?.aborted === true) return aborted();
      signal?.addEventListener("abort", aborted, { once: true });
      stop = () => signal?.removeEventListener("abort", aborted);
    },
    async pull(controller) {
      const next = await reader.read();
      // It was ended meanwhile.
      if (signal?.aborted === true) return;
      if (next.done) {
        stop();
        controller.close();
        return;
      }
      done += next.value.length;
      onProgress?.(done, 0);
      controller.enqueue(next.value);
    },
    async cancel(reason) {
      stop();
      await reader.cancel(reason);
    },
  });
};

/** Bytes that become one part of a blob: large enough that there are not too many. */
const PART_BYTES = 4 * 1024 * 1024;

/**
 * A stream as a blob that can be read twice. Browsers move large blobs out of memory; in Node they stay in memory, so
 * that large files are better given as the blob that `openAsBlob` of `node:fs` gives.
 */
export const spool = async (stream: ReadableStream<Uint8Array>): Promise<Blob> => {
  const parts: Array<Blob> = [];
  let gathered: Array<Uint8Array<ArrayBuffer>> = [];
  let size = 0;
  const flush = (): void => {
    parts.push(new Blob(gathered));
    gathered = [];
    size = 0;
  };
  for await (const piece of piecesOf(stream)) {
    gathered.push(Uint8Array.from(piece));
    size += piece.length;
    if (size >= PART_BYTES) flush();
  }
  flush();
  return new Blob(parts);
};

/** Joins small pieces and keeps large ones, so that a stream of many little records is not many little writes. */
export const gathered = async function* (
  pieces: AsyncIterable<Uint8Array>,
  atLeast: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let waiting: Array<Uint8Array> = [];
  let size = 0;
  const join = (): Uint8Array<ArrayBuffer> => {
    const joined = new Uint8Array(size);
    let offset = 0;
    for (const piece of waiting) {
      joined.set(piece, offset);
      offset += piece.length;
    }
    waiting = [];
    size = 0;
    return joined;
  };
  for await (const piece of pieces) {
    waiting.push(piece);
    size += piece.length;
    if (size >= atLeast) yield join();
  }
  if (size > 0) yield join();
};
