/**
 * What the page asks of the engine. In browsers it crosses a message port, so everything here is plain data that
 * structured clone can copy, and every failure a `CairnError`. In Node the engine is in the same process.
 */
import type { DeviceId, DocumentId, Hash, LinkId, WorkspaceId } from "@cairn/protocol";
import type {
  AttachmentInfo,
  DeviceInfo,
  ImportReport,
  LinkInfo,
  LinkPreview,
  ListQuery,
  SyncState,
  Unsubscribe,
  WorkspaceInfo,
} from "../api.ts";
import type { DocumentView } from "../store/LocalStore.ts";

/** A list's row before the page gives it its type. */
export interface PlainRow {
  readonly id: DocumentId;
  readonly type: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly deleted: boolean;
}

/** A document as the page opens it. */
export interface OpenedForPage {
  /** Empty where the document is not here yet. */
  readonly type: string;
  readonly snapshot: Uint8Array | undefined;
  readonly updates: ReadonlyArray<Uint8Array>;
  /** Updates stored after this id are not in it. */
  readonly through: number;
  /** What is here is older than what was received (rule 15). */
  readonly merging: boolean;
}

export interface NewEdit {
  readonly document: DocumentId;
  readonly type: string;
  readonly update: Uint8Array;
  /** The page's clock. */
  readonly time: number;
  /** Sealed hashes of attachment chunks that this edit begins to refer to. */
  readonly refs: ReadonlyArray<Hash>;
  readonly row: DocumentView | undefined;
}

/** What of an attachment's bytes is here or there. */
export interface AttachmentChunks {
  readonly epoch: number;
  readonly chunks: ReadonlyArray<{ readonly sealedHash: string; readonly plainHash: string; readonly size: number }>;
}

/** Something changed; the page asks for what it shows of it. */
export type EngineEvent =
  | { readonly type: "workspaces" }
  | { readonly type: "documents"; readonly workspace: WorkspaceId; readonly documents: ReadonlyArray<DocumentId> }
  | { readonly type: "sync"; readonly workspace: WorkspaceId; readonly state: SyncState }
  | { readonly type: "attachments"; readonly workspace: WorkspaceId };

export interface EngineApi {
  subscribe(callback: (event: EngineEvent) => void): Unsubscribe;
  workspaces(): Promise<ReadonlyArray<WorkspaceInfo>>;
  /** The workspace to begin with; makes the home workspace where there is none. */
  currentWorkspace(): Promise<WorkspaceInfo>;
  selectWorkspace(workspace: WorkspaceId): Promise<WorkspaceInfo>;
  createWorkspace(name: string): Promise<WorkspaceInfo>;
  renameWorkspace(workspace: WorkspaceId, name: string): Promise<void>;
  removeWorkspace(workspace: WorkspaceId, force: boolean): Promise<void>;
  recoveryWords(): Promise<ReadonlyArray<string>>;
  inspectLink(url: string): Promise<LinkPreview>;
  join(url: string): Promise<WorkspaceInfo>;

  deviceId(workspace: WorkspaceId): Promise<DeviceId>;
  leasePeer(workspace: WorkspaceId): Promise<{ readonly lease: number; readonly peer: string }>;
  releasePeer(workspace: WorkspaceId, lease: number): Promise<void>;
  openDocument(workspace: WorkspaceId, document: DocumentId): Promise<OpenedForPage>;
  /** What was stored after an id and is cheap to import. */
  updatesAfter(
    workspace: WorkspaceId,
    document: DocumentId,
    after: number,
  ): Promise<{ readonly updates: ReadonlyArray<Uint8Array>; readonly through: number; readonly merging: boolean }>;
  closeDocument(workspace: WorkspaceId, document: DocumentId): Promise<void>;
  /** Resolves when the edits are durable. */
  append(workspace: WorkspaceId, edits: ReadonlyArray<NewEdit>): Promise<void>;
  /** Deletes or restores a document: an edit by the engine itself. */
  setDeleted(workspace: WorkspaceId, document: DocumentId, deleted: boolean): Promise<void>;
  query(workspace: WorkspaceId, type: string, query: ListQuery): Promise<ReadonlyArray<PlainRow>>;

  syncState(workspace: WorkspaceId): Promise<SyncState>;
  syncNow(workspace: WorkspaceId): Promise<void>;
  flush(workspace: WorkspaceId, tier: "device" | "server", timeout: number | undefined): Promise<void>;

  createLink(
    workspace: WorkspaceId,
    options: {
      readonly role: "writer" | "reader";
      readonly label: string;
      readonly maxUses: number;
      readonly expiresInMillis: number | undefined;
    },
  ): Promise<{ readonly url: string; readonly link: LinkId }>;
  links(workspace: WorkspaceId): Promise<ReadonlyArray<LinkInfo>>;
  revokeLink(workspace: WorkspaceId, link: LinkId): Promise<void>;
  devices(workspace: WorkspaceId): Promise<ReadonlyArray<DeviceInfo>>;

  /** Seals and stores one chunk of a file; the page puts the references into the document. */
  sealChunk(
    workspace: WorkspaceId,
    content: Uint8Array,
  ): Promise<{ readonly epoch: number; readonly sealedHash: string; readonly plainHash: string }>;
  /** One chunk's plain bytes, from here or from the server; rejects with `attachment-unavailable` or `-damaged`. */
  readChunk(
    workspace: WorkspaceId,
    reference: {
      readonly epoch: number;
      readonly sealedHash: string;
      readonly plainHash: string;
      readonly size: number;
    },
  ): Promise<Uint8Array>;
  attachmentState(workspace: WorkspaceId, sealedHashes: ReadonlyArray<string>): Promise<AttachmentInfo["state"]>;
  attachmentLimits(workspace: WorkspaceId): Promise<{ readonly attachmentBytes: number; readonly freeBytes: number | undefined }>;

  /** The sealed log and chunks, and, sealed under a backup key, what opens them: as `docs/backup.md` says. */
  exportBackup(workspace: WorkspaceId): Promise<ReadableStream<Uint8Array>>;
  importBackup(workspace: WorkspaceId, backup: ReadableStream<Uint8Array>, dryRun: boolean): Promise<ImportReport>;
  close(): Promise<void>;
}
