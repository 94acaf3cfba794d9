/**
 * Compression of what gets sealed: raw DEFLATE (RFC 1951), for large content only, because starting a stream costs
 * milliseconds however little goes through it.
 *
 * Length leaks through a seal, so content that an outsider can choose must not be compressed together with a secret:
 * one entry holds the operations of one author, sealed once, and nobody can ask for it to be sealed again.
 */
import { concatBytes } from "@cairn/protocol";
import { owned } from "./owned-bytes.ts";

const streamOf = (bytes: Uint8Array): ReadableStream<Uint8Array<ArrayBuffer>> =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(owned(bytes));
      controller.close();
    },
  });

/** Collects a stream, or stops at once where it gives more than `limit` bytes: undefined then (Promise 11). */
const collect = async (
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  limit: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> => {
  const reader = stream.getReader();
  const chunks: Array<Uint8Array> = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concatBytes(...chunks);
    size += value.length;
    if (size > limit) {
      await reader.cancel();
      return undefined;
    }
    chunks.push(value);
  }
};

/** The compressed bytes, or undefined where they would be no shorter. */
export const compress = async (bytes: Uint8Array): Promise<Uint8Array | undefined> =>
  collect(streamOf(bytes).pipeThrough(new CompressionStream("deflate-raw")), bytes.length - 1);

/** The decompressed bytes, or undefined where there are more than `limit`. Rejects for bytes that are not DEFLATE. */
export const decompress = (bytes: Uint8Array, limit: number): Promise<Uint8Array<ArrayBuffer> | undefined> =>
  collect(streamOf(bytes).pipeThrough(new DecompressionStream("deflate-raw")), limit);
