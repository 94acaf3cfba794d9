/**
 * Importing a backup: what is here stays as it is, what is not here is written anew.
 *
 * - A document that is not here is restored under its own id.
 * - A document that is here and has all that the backup has of it is left alone: it holds the backup's operations, it was
 *   made from this state of the backup, or it says the same.
 * - A document that is here in another state is left alone too, and the backup's is restored beside it, under an id that
 *   derives from both: nothing is overwritten, and repeating it changes nothing (hazard 24).
 *
 * The file is read twice: once to the end, to see that it is whole, and only then to change anything.
 */
import type { DocumentId } from "@cairn/protocol";
import { hasExtractions, isOnlyExtracted, singletonKey } from "@cairn/schema";
import type { LoroDoc } from "loro-crdt";
import type { ImportReport } from "../workspace-api.ts";
import type { ChunkLocation } from "../engine/EngineApi.ts";
import { CairnError } from "../errors.ts";
import type { Manifest } from "./attachments-in.ts";
import { besideId, contentText, restoredFrom } from "./document-digest.ts";
import type { BackupHeader } from "./format.ts";
import type { BackupItem, DocumentFromBackup } from "./read-backup.ts";

/** Documents whose types begin so are the engine's own and belong to one workspace: they are in no backup. */
export const OWN_TYPE_PREFIX = "$";

/** What an import writes to. */
export interface ImportTarget {
  /** The document as it is here, or undefined. The caller frees it. */
  readonly find: (document: DocumentId) => Promise<LoroDoc | undefined>;
  readonly has: (document: DocumentId) => Promise<boolean>;
  /** Where this workspace has the one document of a type and a key. */
  readonly singleton: (type: string, key: string) => Promise<DocumentId>;
  /**
   * Whether an absent document may be written under its own id. Not where the original, or the workspace's own singleton, may
   * still arrive from the server: both would merge, and every text would be there twice.
   */
  readonly mayTakeOwnId: (header: BackupHeader, isSingleton: boolean) => Promise<boolean>;
  readonly storeChunk: (content: Uint8Array) => Promise<ChunkLocation>;
  readonly restore: (document: RestoredDocument) => Promise<void>;
}

export interface RestoredDocument {
  readonly id: DocumentId;
  /** It goes beside the place that is its own. */
  readonly isBeside: boolean;
  readonly from: DocumentFromBackup;
  readonly relocate: (manifest: Manifest) => Manifest;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Reads the items to their end. With `dryRun` nothing is written. Frees the documents. */
export const importItems = async (
  items: AsyncIterable<BackupItem>,
  target: ImportTarget,
  options: { readonly dryRun: boolean; readonly signal?: AbortSignal | undefined },
): Promise<ImportReport> => {
  const report: Mutable<ImportReport> = {
    dryRun: options.dryRun,
    documents: 0,
    newDocuments: 0,
    copies: 0,
    updates: 0,
    newUpdates: 0,
    attachments: 0,
    newAttachments: 0,
  };
  let header: BackupHeader | undefined;
  let current: (DocumentFromBackup & { readonly place: Place }) | undefined;
  let chunks = new Map<string, ChunkLocation>();
  const drop = (): void => {
    current?.doc.free();
    current = undefined;
    chunks = new Map();
  };
  try {
    for await (const item of items) {
      if (options.signal?.aborted === true) throw new CairnError("aborted");
      switch (item.type) {
        case "header":
          header = item.header;
          break;
        case "document": {
          const { document } = item;
          // Set before anything else can fail, so that it is freed.
          current = { ...document, place: { type: "here" } };
          if (document.type.startsWith(OWN_TYPE_PREFIX)) break;
          current = { ...document, place: await placeOf(document, target, header) };
          const edits = document.doc.changeCount();
          report.documents += 1;
          report.updates += edits;
          if (current.place.type === "here") break;
          report.newDocuments += 1;
          report.newUpdates += edits;
          if (current.place.isBeside) report.copies += 1;
          break;
        }
        case "attachment":
          report.attachments += 1;
          if (current?.place.type === "absent") report.newAttachments += 1;
          break;
        case "chunk":
          if (options.dryRun || current?.place.type !== "absent" || item.content === undefined) break;
          chunks.set(item.plainHash, await target.storeChunk(item.content));
          break;
        case "document-end":
          if (!options.dryRun && current?.place.type === "absent") {
            const moved = chunks;
            const relocate = (manifest: Manifest): Manifest => relocated(manifest, moved);
            const { id, isBeside } = current.place;
            await target.restore({ id, isBeside, from: current, relocate });
          }
          drop();
          break;
        case "end":
          break;
      }
    }
    return report;
  } finally {
    drop();
  }
};

type Place =
  | { readonly type: "here" }
  | { readonly type: "absent"; readonly id: DocumentId; readonly isBeside: boolean };

const HERE: Place = { type: "here" };

/** Where a document of the backup goes, if anywhere. */
const placeOf = async (
  document: DocumentFromBackup,
  target: ImportTarget,
  header: BackupHeader | undefined,
): Promise<Place> => {
  const beside = besideId(document.id, document.digest);
  const own = await ownPlace(document, target);
  const present = await target.find(own);
  let isAbsent = present === undefined;
  if (present !== undefined) {
    try {
      if (holds(present, document)) return HERE;
      // Made here by a document that was restored before it. These registers merge with the backup's, and double nothing.
      isAbsent = isOnlyExtracted(present);
    } finally {
      present.free();
    }
  }
  if (isAbsent && header !== undefined && (await target.mayTakeOwnId(header, own !== document.id))) {
    return { type: "absent", id: own, isBeside: false };
  }
  return (await target.has(beside)) ? HERE : { type: "absent", id: beside, isBeside: true };
};

/**
 * A document's own id; of a singleton, where this workspace has it. One that was split, or that others say something about, stays
 * where these know it.
 */
const ownPlace = async ({ id, type, doc }: DocumentFromBackup, target: ImportTarget): Promise<DocumentId> => {
  const key = singletonKey(doc);
  return key === undefined || hasExtractions(doc) ? id : target.singleton(type, key);
};

const holds = (present: LoroDoc, { doc, digest }: DocumentFromBackup): boolean => {
  const [have, need] = [present.oplogVersion(), doc.oplogVersion()];
  try {
    const compared = have.compare(need);
    if (compared !== undefined && compared >= 0) return true;
  } finally {
    have.free();
    need.free();
  }
  return restoredFrom(present).includes(digest) || contentText(present) === contentText(doc);
};

/** The manifest with its chunks where they are now; as it was where some of them could not be had. */
const relocated = (manifest: Manifest, chunks: ReadonlyMap<string, ChunkLocation>): Manifest => {
  const found = manifest.chunks.flatMap(({ plainHash }) => {
    const location = chunks.get(plainHash);
    return location === undefined ? [] : [location];
  });
  const [first] = found;
  if (first === undefined || found.length < manifest.chunks.length) return manifest;
  // One manifest names one epoch.
  if (found.some(({ epoch }) => epoch !== first.epoch)) {
    throw new CairnError("unavailable", "the workspace's key changed meanwhile; import again");
  }
  return {
    ...manifest,
    epoch: first.epoch,
    chunks: found.map(({ sealedHash, plainHash }) => ({ sealedHash, plainHash })),
  };
};
