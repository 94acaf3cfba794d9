/**
 * The manifest of an attachment inside a document: what it is, and which sealed chunks make it up.
 *
 * A manifest is written once under a random id and never changed, so it is a plain value and not a container. The
 * chunks' bytes live elsewhere; the hashes of their sealed forms are what an entry's header lists.
 */
import { Schema } from "effect";

/** Bounds on manifests, so that a hostile one costs bounded memory. */
export const ATTACHMENT_LIMITS = {
  /** UTF-16 code units of a file's name. */
  nameLength: 255,
  mediaTypeLength: 127,
  /** Bytes of one plain chunk. */
  minChunkSize: 4 * 1024,
  maxChunkSize: 16 * 1024 * 1024,
  chunks: 16_384,
} as const;

/** SHA-256 in base64url without padding (RFC 4648, section 5). */
const Hash = Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]{43}$/));
const Count = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }));

export const AttachmentChunk = Schema.Struct({
  /** Hash of the sealed chunk: its address. */
  sealedHash: Hash,
  /** Hash of the plain chunk, checked after opening. */
  plainHash: Hash,
});
export type AttachmentChunk = typeof AttachmentChunk.Type;

export const AttachmentManifest = Schema.Struct({
  name: Schema.String.check(Schema.isMaxLength(ATTACHMENT_LIMITS.nameLength)),
  mediaType: Schema.String.check(Schema.isMaxLength(ATTACHMENT_LIMITS.mediaTypeLength)),
  /** Bytes of the whole plain attachment. */
  size: Count,
  /** Bytes of every plain chunk but the last. */
  chunkSize: Schema.Int.check(
    Schema.isBetween({ minimum: ATTACHMENT_LIMITS.minChunkSize, maximum: ATTACHMENT_LIMITS.maxChunkSize }),
  ),
  chunks: Schema.Array(AttachmentChunk).check(Schema.isMaxLength(ATTACHMENT_LIMITS.chunks)),
  /** The key epoch that sealed the chunks. */
  epoch: Count,
  /** Milliseconds since 1970, by the author's clock: for display alone. */
  createdAt: Count,
}).check(
  Schema.makeFilter(
    ({ size, chunkSize, chunks }) =>
      // An empty attachment has one empty chunk or none.
      chunks.length === Math.ceil(size / chunkSize) || (size === 0 && chunks.length === 1),
    { expected: "as many chunks as size and chunkSize say" },
  ),
);
export type AttachmentManifest = typeof AttachmentManifest.Type;

/** What a list shows of an attachment. */
export interface AttachmentSummary {
  readonly id: string;
  readonly name: string;
  readonly mediaType: string;
  readonly size: number;
}
