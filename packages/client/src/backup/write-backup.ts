/** Writing a backup, from whatever holds the documents. Streams: one document or one chunk is in memory at a time. */
import type { DocumentId } from "@cairn/protocol";
import { documentTypeName } from "@cairn/schema";
import type { LoroDoc } from "loro-crdt";
import type { ChunkLocation } from "../engine/EngineApi.ts";
import { CairnError } from "../errors.ts";
import { manifestsOf, toLocations } from "./attachments-in.ts";
import { stateDigest } from "./document-digest.ts";
import {
  BACKUP_LIMITS,
  BACKUP_MAGIC,
  BACKUP_VERSION,
  type BackupAttachment,
  type BackupDocument,
  type BackupEnd,
  type BackupHeader,
  type Protection,
  RecordType,
} from "./format.ts";
import { encodeJson, RecordWriter } from "./records.ts";

/** A document to be written. The writer frees `doc`. */
export interface DocumentToBackUp {
  readonly id: DocumentId;
  readonly type: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly deleted: boolean;
  readonly doc: LoroDoc;
}

export interface BackupSource {
  readonly header: BackupHeader;
  readonly documents: () => AsyncIterable<DocumentToBackUp>;
  /** A chunk's plain bytes; undefined where they cannot be had and the backup is to be made all the same. */
  readonly chunk: (location: ChunkLocation) => Promise<Uint8Array | undefined>;
}

const NOTHING = new Uint8Array(0);

/** The records of a backup, without the prefix. */
export const writeRecords = async function* (source: BackupSource): AsyncGenerator<Uint8Array> {
  const records = new RecordWriter();
  let documents = 0;
  let attachments = 0;
  let missing = 0;
  yield* records.record(RecordType.header, encodeJson(source.header));
  for await (const document of source.documents()) {
    const { doc } = document;
    try {
      yield* writeState(records, document);
      for (const manifest of manifestsOf(doc)) {
        const chunks = toLocations(manifest);
        const described: BackupAttachment = {
          name: manifest.name,
          mediaType: manifest.mediaType,
          size: manifest.size,
          chunks: chunks.map(({ plainHash }) => plainHash),
        };
        yield* records.record(RecordType.attachment, encodeJson(described));
        let complete = true;
        for (const chunk of chunks) {
          const content = await source.chunk(chunk);
          complete &&= content !== undefined;
          yield* records.record(RecordType.chunk, content ?? NOTHING);
        }
        attachments += 1;
        if (!complete) missing += 1;
      }
      yield* records.record(RecordType.documentEnd, NOTHING);
      documents += 1;
    } finally {
      doc.free();
    }
  }
  yield* records.end(encodeJson({ documents, attachments, missing } satisfies BackupEnd));
};

/** What stands before the records. */
export const backupPrefix = (protection: (typeof Protection)[keyof typeof Protection]): Uint8Array =>
  Uint8Array.of(...BACKUP_MAGIC, BACKUP_VERSION, protection);

const writeState = async function* (records: RecordWriter, document: DocumentToBackUp): AsyncGenerator<Uint8Array> {
  const { doc, id, type, createdAt, updatedAt, deleted } = document;
  const snapshot = doc.export({ mode: "snapshot" });
  // Hazard L2: what waits for a dependency is in no snapshot.
  const waiting = doc.exportPendingUpdates() ?? NOTHING;
  if (Math.max(snapshot.length, waiting.length) > BACKUP_LIMITS.document) {
    throw new CairnError("too-large", `the document ${id} is larger than a backup can hold`);
  }
  const described: BackupDocument = {
    id,
    type: type === "" ? (documentTypeName(doc) ?? "").slice(0, 256) : type,
    createdAt,
    updatedAt,
    deleted,
    snapshot: snapshot.length,
    waiting: waiting.length,
    digest: await stateDigest(doc),
  };
  yield* records.record(RecordType.document, encodeJson(described));
  yield* records.pieces(RecordType.snapshot, snapshot);
  yield* records.pieces(RecordType.waiting, waiting);
  yield* records.pieces(RecordType.content, encodeJson(doc.toJSON()));
};
