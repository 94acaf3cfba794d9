/** Attaching and reading files: streamed in chunks, so that a large file never has to fit into memory. */
import { type DocumentId, Hash, type WorkspaceId } from "@cairn/protocol";
import {
  type AttachmentManifest,
  type AttachmentsField,
  attachmentsOf,
  type DocumentSchema,
  type DocumentType,
  editDocument,
} from "@cairn/schema";
import type { LoroDoc } from "loro-crdt";
import type { AttachmentInfo, AttachmentSource, TransferOptions } from "../workspace-api.ts";
import type { EngineApi } from "../engine/EngineApi.ts";
import { documentTypeOf } from "../engine/engine-schema.ts";
import { CairnError } from "../errors.ts";

/** Plain bytes of one chunk. */
const CHUNK_BYTES = 1024 * 1024;

/** What attaching needs of an open document. */
export interface AttachmentDocument {
  readonly id: DocumentId;
  readonly type: string;
  readonly loro: LoroDoc;
  editLoro(change: (loro: LoroDoc) => void, refs?: ReadonlyArray<Hash>): void;
  durable(): Promise<void>;
}

export interface AttachmentContext {
  readonly engine: EngineApi;
  readonly schema: DocumentSchema;
  readonly workspace: WorkspaceId;
}

const throwIfAborted = (signal: AbortSignal | undefined): void => {
  if (signal?.aborted === true) throw new CairnError("aborted");
};

const piecesOf = async function* (data: AttachmentSource["data"]): AsyncGenerator<Uint8Array> {
  if (data instanceof Uint8Array) yield data;
  else if (data instanceof Blob) {
    for (let offset = 0; offset < data.size; offset += CHUNK_BYTES) {
      yield new Uint8Array(await data.slice(offset, offset + CHUNK_BYTES).arrayBuffer());
    }
  } else yield* data;
};

/** Cuts pieces of any size into chunks of exactly `CHUNK_BYTES`, the last one excepted. */
const chunksOf = async function* (data: AttachmentSource["data"]): AsyncGenerator<Uint8Array> {
  let chunk = new Uint8Array(CHUNK_BYTES);
  let filled = 0;
  for await (const piece of piecesOf(data)) {
    for (let offset = 0; offset < piece.length;) {
      const taken = Math.min(CHUNK_BYTES - filled, piece.length - offset);
      chunk.set(piece.subarray(offset, offset + taken), filled);
      filled += taken;
      offset += taken;
      if (filled === CHUNK_BYTES) {
        yield chunk;
        chunk = new Uint8Array(CHUNK_BYTES);
        filled = 0;
      }
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled);
};

/** A type that declares only the attachments of another one: the one field that this module reads and writes. */
const attachmentsTypeOf = (
  schema: DocumentSchema,
  type: string,
): DocumentType<{ readonly attachments: AttachmentsField }> => {
  for (const [name, declared] of Object.entries(documentTypeOf(schema, type)?.fields ?? {})) {
    if (declared.kind === "attachments") {
      return { fields: { attachments: { ...declared, physical: declared.physical ?? name } } };
    }
  }
  throw new CairnError("type-unknown", `the type ${type} declares no attachments`);
};

/** Attaches a file: seals and keeps its chunks, then puts the manifest into the document. */
export const attach = async (
  context: AttachmentContext,
  document: AttachmentDocument,
  source: AttachmentSource,
  options: TransferOptions,
): Promise<AttachmentInfo> => {
  const { engine, workspace, schema } = context;
  const type = attachmentsTypeOf(schema, document.type);
  // Told before the first byte is read.
  const limits = await engine.attachmentLimits(workspace);
  if (source.size > limits.attachmentBytes) {
    throw new CairnError(
      "attachment-too-large",
      `${source.size} bytes are more than the ${limits.attachmentBytes} allowed`,
    );
  }
  if (limits.freeBytes !== undefined && source.size > limits.freeBytes) throw new CairnError("quota-exceeded");
  const chunks: Array<AttachmentManifest["chunks"][number]> = [];
  const refs: Array<Hash> = [];
  let epoch = 0;
  let size = 0;
  for await (const chunk of chunksOf(source.data)) {
    throwIfAborted(options.signal);
    const location = await engine.sealChunk(workspace, chunk);
    if (refs.length > 0 && location.epoch !== epoch)
      throw new CairnError("unavailable", "the key changed; attach it again");
    epoch = location.epoch;
    size += chunk.length;
    if (size > limits.attachmentBytes) throw new CairnError("attachment-too-large");
    chunks.push({ sealedHash: location.sealedHash, plainHash: location.plainHash });
    refs.push(location.sealedHash);
    options.onProgress?.(size, source.size);
  }
  throwIfAborted(options.signal);
  const id = crypto.randomUUID();
  const manifest: AttachmentManifest = {
    name: source.name.slice(0, 255),
    mediaType: source.mediaType.slice(0, 127),
    size,
    chunkSize: CHUNK_BYTES,
    chunks,
    epoch,
    createdAt: Date.now(),
  };
  document.editLoro((loro) => editDocument(type, loro).attachments.set(id, manifest), refs);
  await document.durable();
  return { id, name: manifest.name, mediaType: manifest.mediaType, size, state: "local" };
};

export const removeAttachment = async (
  context: AttachmentContext,
  document: AttachmentDocument,
  attachment: string,
): Promise<void> => {
  const type = attachmentsTypeOf(context.schema, document.type);
  document.editLoro((loro) => editDocument(type, loro).attachments.delete(attachment));
  await document.durable();
};

/** The document's attachments, with where their bytes are. */
export const listAttachments = async (
  context: AttachmentContext,
  document: AttachmentDocument,
): Promise<ReadonlyArray<AttachmentInfo>> => {
  const type = documentTypeOf(context.schema, document.type);
  if (type === undefined) return [];
  return Promise.all(
    attachmentsOf(type, document.loro).map(async ({ id, manifest }): Promise<AttachmentInfo> => ({
      id,
      name: manifest.name,
      mediaType: manifest.mediaType,
      size: manifest.size,
      state: await context.engine.attachmentState(
        context.workspace,
        manifest.chunks.map(({ sealedHash }) => Hash.make(sealedHash)),
      ),
    })),
  );
};

/** A file's bytes, chunk by chunk, each verified before it is given on. */
export const readAttachment = (
  context: AttachmentContext,
  document: AttachmentDocument,
  attachment: string,
  options: TransferOptions,
): ReadableStream<Uint8Array> => {
  const type = documentTypeOf(context.schema, document.type);
  const found = type === undefined ? undefined : attachmentsOf(type, document.loro).find(({ id }) => id === attachment);
  if (found === undefined) throw new CairnError("attachment-unavailable", "the document has no such attachment");
  const { manifest } = found;
  let index = 0;
  let done = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const chunk = manifest.chunks[index];
      if (chunk === undefined) return controller.close();
      throwIfAborted(options.signal);
      const content = await context.engine.readChunk(context.workspace, {
        epoch: manifest.epoch,
        sealedHash: Hash.make(chunk.sealedHash),
        plainHash: Hash.make(chunk.plainHash),
        size: Math.min(manifest.chunkSize, manifest.size - index * manifest.chunkSize),
      });
      index += 1;
      done += content.length;
      options.onProgress?.(done, manifest.size);
      controller.enqueue(content);
    },
  });
};
