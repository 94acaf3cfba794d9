/**
 * The backup file: one stream of typed records that can be read without any of Cairn's keys (promise 12). `docs/backup.md`
 * is the normative description.
 *
 * ```
 * file   = magic(8) version(1) protection(1) body
 * body   = HEADER { document } END
 * document = DOCUMENT { SNAPSHOT } { WAITING } { CONTENT } { ATTACHMENT { CHUNK } } DOCUMENT_END
 * record = type(1) length(varint) body(length)
 * ```
 *
 * The format grows in three ways: records of new even types, which older readers pass over; new members in the JSON of
 * records, which they pass over too; and new odd types or a new version, which make them refuse the file.
 */
import { DocumentId, Hash, WorkspaceId } from "@cairn/protocol";
import { Schema } from "effect";

/** A high bit, a name and a line break: a file that was treated as text anywhere on its way is noticed at once. */
export const BACKUP_MAGIC = Uint8Array.of(0x89, 0x43, 0x41, 0x49, 0x52, 0x4e, 0x0d, 0x0a);
export const BACKUP_VERSION = 1;
/** Magic, version and protection. */
export const PREFIX_BYTES = BACKUP_MAGIC.length + 2;

/** What stands between the prefix and the records. */
export const Protection = { none: 0, passphrase: 1 } as const;

/** Odd: a reader that does not know it must refuse the file. Even: it passes over. */
export const RecordType = {
  header: 1,
  document: 3,
  snapshot: 5,
  waiting: 7,
  content: 8,
  attachment: 9,
  chunk: 11,
  documentEnd: 13,
  end: 15,
} as const;

export const isSkippable = (type: number): boolean => type % 2 === 0;

/** Bounds on what a reader accepts, so that a hostile file costs bounded memory (promise 11). Bytes. */
export const BACKUP_LIMITS = {
  /** One record: a chunk of an attachment, or a piece of something larger. */
  record: 1024 * 1024 + 64 * 1024,
  /** One piece of a snapshot and the like. */
  piece: 1024 * 1024,
  /** All pieces of one document's snapshot or waiting updates. */
  document: 256 * 1024 * 1024,
} as const;

/** The end of the file: SHA-256 over all records before these bytes. */
export const CHECKSUM_BYTES = 32;

const Count = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }));

export const BackupHeader = Schema.Struct({
  workspace: WorkspaceId,
  /** The workspace's name; may be empty. */
  name: Schema.String.check(Schema.isMaxLength(10_000)),
  /** By the clock of the device that made the file, milliseconds since 1970. */
  createdAt: Count,
  /** Documents that were to be exported when it began. For display; `BackupEnd` has the number. */
  documents: Count,
});
export type BackupHeader = typeof BackupHeader.Type;

export const BackupDocument = Schema.Struct({
  id: DocumentId,
  /** The declared type; empty where it is not known. */
  type: Schema.String.check(Schema.isMaxLength(256)),
  /** Milliseconds since 1970, as its authors stated. */
  createdAt: Count,
  updatedAt: Count,
  /** It is in the bin. */
  deleted: Schema.Boolean,
  /** Bytes of the Loro snapshot that follows in SNAPSHOT records. */
  snapshot: Count.check(Schema.isLessThanOrEqualTo(BACKUP_LIMITS.document)),
  /** Bytes of Loro updates that wait for others they depend on, and follow in WAITING records. */
  waiting: Count.check(Schema.isLessThanOrEqualTo(BACKUP_LIMITS.document)),
  /** SHA-256 of the state (content and version, rule 18) that the snapshot gives. */
  digest: Hash,
});
export type BackupDocument = typeof BackupDocument.Type;

export const BackupAttachment = Schema.Struct({
  name: Schema.String.check(Schema.isMaxLength(255)),
  mediaType: Schema.String.check(Schema.isMaxLength(127)),
  /** Plain bytes. */
  size: Count,
  /**
   * SHA-256 of each plain chunk. As many CHUNK records follow, in this order; one without bytes stands for a chunk that
   * could not be had (an empty chunk has no bytes either).
   */
  chunks: Schema.Array(Hash).check(Schema.isMaxLength(16_384)),
});
export type BackupAttachment = typeof BackupAttachment.Type;

export const BackupEnd = Schema.Struct({
  documents: Count,
  attachments: Count,
  /** Attachments of which some chunk could not be had. */
  missing: Count,
});
export type BackupEnd = typeof BackupEnd.Type;
