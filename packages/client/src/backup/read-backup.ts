/** Reading a backup: the grammar of its records, every hash checked on the way. Nothing is decided or changed here. */
import { type DocumentId, type Hash, hashFromBytes } from "@cairn/protocol";
import { LoroDoc } from "loro-crdt";
import { stateDigest } from "./document-digest.ts";
import {
  BACKUP_LIMITS,
  BACKUP_MAGIC,
  BACKUP_VERSION,
  BackupAttachment,
  BackupDocument,
  BackupEnd,
  BackupHeader,
  isSkippable,
  PREFIX_BYTES,
  RecordType,
} from "./format.ts";
import { type BackupRecord, type ByteSource, decodeJson, malformed, readRecords } from "./records.ts";

export type BackupItem =
  | { readonly type: "header"; readonly header: BackupHeader }
  | { readonly type: "document"; readonly document: DocumentFromBackup }
  | { readonly type: "attachment"; readonly attachment: BackupAttachment }
  /** `content` is undefined where the chunk could not be had when the backup was made. */
  | { readonly type: "chunk"; readonly plainHash: Hash; readonly content: Uint8Array | undefined }
  | { readonly type: "document-end" }
  | { readonly type: "end"; readonly end: BackupEnd };

export interface DocumentFromBackup {
  readonly id: DocumentId;
  readonly type: string;
  readonly updatedAt: number;
  readonly digest: Hash;
  /** In the state that the digest names. Whoever takes the item frees it. */
  readonly doc: LoroDoc;
}

/** Reads what stands before the records. Throws `backup-malformed`. Returns the protection's number. */
export const readPrefix = async (source: ByteSource): Promise<number> => {
  const prefix = await source.upTo(PREFIX_BYTES);
  if (prefix.length < PREFIX_BYTES || BACKUP_MAGIC.some((byte, index) => prefix[index] !== byte)) {
    throw malformed("it begins like something else");
  }
  const [version, protection = 0] = prefix.subarray(BACKUP_MAGIC.length);
  if (version !== BACKUP_VERSION) throw malformed("it was made by a newer version of Cairn");
  return protection;
};

/**
 * The items of a backup, in order, `end` last. Throws `backup-malformed` for anything that is not as it was written.
 * What was given before that may be part of a damaged file: act on it only after a first reading reached the end.
 */
export const readItems = async function* (source: ByteSource): AsyncGenerator<BackupItem> {
  const records = known(readRecords(source));
  const next = async (): Promise<BackupRecord> => {
    const result = await records.next();
    if (result.done === true) throw malformed("it ends too early");
    return result.value;
  };
  try {
    yield { type: "header", header: decodeJson(BackupHeader, bodyOf(await next(), RecordType.header)) };
    const counted = { documents: 0, attachments: 0, missing: 0 };
    for (;;) {
      const record = await next();
      if (record.type === RecordType.end) {
        const end = decodeJson(BackupEnd, record.body);
        const { documents, attachments, missing } = counted;
        if (end.documents !== documents || end.attachments !== attachments || end.missing !== missing) {
          throw malformed("its counts are wrong");
        }
        yield { type: "end", end };
        return;
      }
      yield { type: "document", document: await readDocument(record, next) };
      for (let part = await next(); part.type !== RecordType.documentEnd; part = await next()) {
        const attachment = decodeJson(BackupAttachment, bodyOf(part, RecordType.attachment));
        yield { type: "attachment", attachment };
        let complete = true;
        for (const plainHash of attachment.chunks) {
          const chunk = await readChunk(plainHash, bodyOf(await next(), RecordType.chunk));
          complete &&= chunk.content !== undefined;
          yield chunk;
        }
        counted.attachments += 1;
        if (!complete) counted.missing += 1;
      }
      counted.documents += 1;
      yield { type: "document-end" };
    }
  } finally {
    await source.close();
  }
};

const KNOWN: ReadonlySet<number> = new Set(Object.values(RecordType));

/** Passes over what may be passed over: types that are not known, and what is there for readers without Loro. */
const known = async function* (records: AsyncIterable<BackupRecord>): AsyncGenerator<BackupRecord> {
  for await (const record of records) {
    if (isSkippable(record.type)) continue;
    if (!KNOWN.has(record.type)) throw malformed("it was made by a newer version of Cairn");
    yield record;
  }
};

const bodyOf = (record: BackupRecord, type: number): Uint8Array => {
  if (record.type !== type) throw malformed("its records are out of order");
  return record.body;
};

const readDocument = async (record: BackupRecord, next: () => Promise<BackupRecord>): Promise<DocumentFromBackup> => {
  const described = decodeJson(BackupDocument, bodyOf(record, RecordType.document));
  const { id, type, updatedAt, digest } = described;
  const snapshot = await readPieces(described.snapshot, RecordType.snapshot, next);
  const waiting = await readPieces(described.waiting, RecordType.waiting, next);
  const doc = new LoroDoc();
  try {
    importInto(doc, snapshot);
    // The state is what was exported, and this Loro reads it as the one did that wrote it.
    if ((await digestOf(doc)) !== digest) throw malformed("a document is not in the state that it had");
    if (waiting.length > 0) importInto(doc, waiting);
    return { id, type, updatedAt, digest, doc };
  } catch (error) {
    doc.free();
    throw error;
  }
};

/** A document that was made to be hostile may import and still break whoever walks it. */
const digestOf = async (doc: LoroDoc): Promise<Hash> => {
  try {
    return await stateDigest(doc);
  } catch (error) {
    throw malformed("a document cannot be read", error);
  }
};

const readPieces = async (length: number, type: number, next: () => Promise<BackupRecord>): Promise<Uint8Array> => {
  // Grows with what arrives, not with what is announced.
  const pieces: Array<Uint8Array> = [];
  let read = 0;
  while (read < length) {
    const body = bodyOf(await next(), type);
    read += body.length;
    if (body.length === 0 || body.length > BACKUP_LIMITS.piece || read > length) {
      throw malformed("a document has another length than it says");
    }
    pieces.push(body);
  }
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const piece of pieces) {
    joined.set(piece, offset);
    offset += piece.length;
  }
  return joined;
};

const importInto = (doc: LoroDoc, bytes: Uint8Array): void => {
  try {
    doc.import(bytes);
  } catch (error) {
    // Loro throws strings.
    throw malformed("a document cannot be read", error);
  }
};

const EMPTY_CHUNK = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";

const readChunk = async (plainHash: Hash, body: Uint8Array): Promise<Extract<BackupItem, { type: "chunk" }>> => {
  if (body.length === 0 && plainHash !== EMPTY_CHUNK) return { type: "chunk", plainHash, content: undefined };
  const digest = await globalThis.crypto.subtle.digest("SHA-256", Uint8Array.from(body));
  if (hashFromBytes(new Uint8Array(digest)) !== plainHash) throw malformed("an attachment's bytes have changed");
  return { type: "chunk", plainHash, content: body };
};
