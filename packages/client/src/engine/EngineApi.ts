/**
 * What the page asks of the engine. In browsers it crosses a message port, so everything here is plain data that
 * structured clone can copy, and every failure a `CairnError`. In Node the engine is in the same process.
 */
import type { DeviceId, DocumentId, Hash, LinkId, WorkspaceId } from "@cairn/protocol";
import type { PeerID } from "loro-crdt";
import type {
  AttachmentInfo,
  BackupOptions,
  DeviceInfo,
  ImportReport,
  LinkInfo,
  SyncState,
  WorkspaceInfo,
} from "../workspace-api.ts";
import type { LinkDetails, LinkPreview, UpdateState } from "../api.ts";
import type { UnknownDocuments } from "../rows-api.ts";
import type { Unsubscribe } from "../subscription.ts";
import type { StoreTrouble } from "../platform/StoreWatch.ts";
import type { Page, ValueCount } from "@cairn/schema";
import type { DocumentView, Fence } from "../store/store-changes.ts";
import type {
  ConnectionMoment,
  DeadLetter,
  DeadLetterExport,
  DiscardPreview,
  OutboxEvent,
  OutboxState,
  Unsynced,
} from "../sync-api.ts";

/** A list's row before the page gives it its type. */
export interface PlainRow {
  readonly id: DocumentId;
  readonly type: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly deleted: boolean;
  readonly invalid?: ReadonlyArray<string>;
}

/** How safe the edits are, whatever the version of the app: the page adds what that comes to. */
export type PlainSyncState = Omit<SyncState, "minimumVersion" | "appOutdated">;

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
  /** How often it was made anew without what was given up. */
  readonly rebuilds: number;
}

export interface NewEdit {
  readonly document: DocumentId;
  readonly type: string;
  readonly update: Uint8Array;
  /** The page's clock. */
  readonly time: number;
  /** Sealed hashes of attachment chunks that this edit begins to refer to. */
  readonly refs: ReadonlyArray<Hash>;
  /**
   * The document's row after it, perhaps without its words where finding them costs more than the edit. The engine makes
   * what is left out, in its time, unless a later edit of the same call has it.
   */
  readonly row: DocumentView | undefined;
  /** Whose peers its operations are under, where that is known. */
  readonly device?: DeviceId | undefined;
  /** Of the document as it was opened to make it, where it was: made anew since, it is refused (`document-rebuilt`). */
  readonly rebuilds?: number | undefined;
}

/** Where an attachment's chunk is, and what its bytes are. */
export interface ChunkLocation {
  readonly epoch: number;
  readonly sealedHash: Hash;
  readonly plainHash: Hash;
  /** Plain bytes. */
  readonly size: number;
}

/** How a workspace's conversation with the server stands. */
export type LeaderSays = {
  readonly workspace: WorkspaceId;
  /** Of the engine that leads and says so, as far as it does. */
  readonly fence?: Fence | undefined;
} & (
  | { readonly type: "sync"; readonly state: PlainSyncState }
  | { readonly type: "outbox-state"; readonly outbox: OutboxState }
  | { readonly type: "connections"; readonly connections: ReadonlyArray<ConnectionMoment> }
);

/** Something changed; the page asks for what it shows of it. */
export type EngineEvent =
  | { readonly type: "workspaces" }
  | {
      readonly type: "documents";
      readonly workspace: WorkspaceId;
      readonly documents: ReadonlyArray<DocumentId>;
      /** The types of those whose rows may have changed; undefined where not all are known. */
      readonly types: ReadonlyArray<string> | undefined;
      /** Of each of them: whose edits are all that changed, by the peer that was named with them; else undefined. */
      readonly writers?: ReadonlyArray<PeerID | undefined>;
    }
  | LeaderSays
  | { readonly type: "outbox-event"; readonly workspace: WorkspaceId; readonly event: OutboxEvent }
  | { readonly type: "dead-letters"; readonly workspace: WorkspaceId }
  /** Documents were made anew without edits that were given up: what has them open opens them again. */
  | {
      readonly type: "rebuilt";
      readonly workspace: WorkspaceId;
      readonly document: DocumentId;
      readonly peers: ReadonlyArray<PeerID>;
    }
  | { readonly type: "attachments"; readonly workspace: WorkspaceId }
  /** This device took a new identity (rule 12): what has documents open leases peers and opens them again. */
  | { readonly type: "identity"; readonly workspace: WorkspaceId; readonly documents: ReadonlyArray<DocumentId> }
  /** How far a transfer is that a page of this engine began under this name, in bytes. */
  | { readonly type: "transfer"; readonly transfer: string; readonly done: number; readonly total: number }
  /** The store of this engine is in trouble, or out of it. */
  | { readonly type: "storage"; readonly trouble: StoreTrouble | undefined }
  /** Tabs with other versions of the app came or went. */
  | { readonly type: "update"; readonly state: UpdateState };

/** A question to the rows of a type, as it stands in a page's hands. */
export interface RowQuestion {
  readonly type: string;
  readonly query: unknown;
}

/** What a page begins with: one answer instead of one for each part, which would come one after the other. */
export interface Beginning {
  readonly update: UpdateState;
  readonly workspaces: ReadonlyArray<WorkspaceInfo>;
  /** The workspace used last, where there is one and it can be opened. */
  readonly current:
    | {
        readonly info: WorkspaceInfo;
        readonly sync: PlainSyncState;
        readonly outbox: OutboxState;
        /** The answers to the questions that were given; undefined where one does not fit. */
        readonly first: ReadonlyArray<Page<PlainRow> | undefined>;
      }
    | undefined;
}

export interface EngineApi {
  subscribe(callback: (event: EngineEvent) => void): Unsubscribe;
  storageTrouble(): Promise<StoreTrouble | undefined>;
  updateState(): Promise<UpdateState>;
  /** Makes nothing. The questions are asked of the workspace used last, before all else that this takes. */
  beginning(first: ReadonlyArray<RowQuestion>): Promise<Beginning>;
  workspaces(): Promise<ReadonlyArray<WorkspaceInfo>>;
  /** The workspace to begin with; makes the home workspace where there is none. */
  currentWorkspace(): Promise<WorkspaceInfo>;
  selectWorkspace(workspace: WorkspaceId): Promise<WorkspaceInfo>;
  createWorkspace(): Promise<WorkspaceInfo>;
  /** The document that says what the workspace is called (type `WORKSPACE_TYPE`). */
  workspaceDocument(workspace: WorkspaceId): Promise<DocumentId>;
  /** The one document of a type and a key. Makes nothing. */
  singletonDocument(workspace: WorkspaceId, type: string, key: string): Promise<DocumentId>;
  removeWorkspace(workspace: WorkspaceId, force: boolean): Promise<void>;
  signOut(force: boolean): Promise<void>;
  /** An owner's: resolves with the minimum from now on. The version was checked against the app's own. */
  raiseMinimumVersion(workspace: WorkspaceId, version: number): Promise<number>;
  recoveryWords(): Promise<ReadonlyArray<string>>;
  inspectLink(url: string): Promise<LinkPreview>;
  describeLink(url: string): Promise<LinkDetails>;
  join(url: string): Promise<WorkspaceInfo>;
  /** An invitation for the profile's server; rejects with what the server says to it. */
  setInvite(invite: string): Promise<void>;

  leasePeer(
    workspace: WorkspaceId,
  ): Promise<{ readonly lease: number; readonly peer: PeerID; readonly device: DeviceId }>;
  releasePeer(workspace: WorkspaceId, lease: number): Promise<void>;
  openDocument(workspace: WorkspaceId, document: DocumentId): Promise<OpenedForPage>;
  /** What was stored after an id and is cheap to import. */
  updatesAfter(
    workspace: WorkspaceId,
    document: DocumentId,
    after: number,
  ): Promise<{ readonly updates: ReadonlyArray<Uint8Array>; readonly through: number; readonly merging: boolean }>;
  /**
   * Resolves when the edits are durable. Rejects with `identity-changed` where their peers are not this device's any more.
   * `writer`: the peer of the page's document that has them already.
   */
  append(workspace: WorkspaceId, edits: ReadonlyArray<NewEdit>, writer?: PeerID): Promise<void>;
  /** Queries are JSON, checked here once more: reject with `query-invalid`. */
  query(workspace: WorkspaceId, type: string, query: unknown): Promise<Page<PlainRow>>;
  count(workspace: WorkspaceId, type: string, query: unknown): Promise<number>;
  countBy(workspace: WorkspaceId, type: string, path: string, query: unknown): Promise<ReadonlyArray<ValueCount>>;

  syncState(workspace: WorkspaceId): Promise<PlainSyncState>;
  syncNow(workspace: WorkspaceId): Promise<void>;
  outbox(workspace: WorkspaceId): Promise<OutboxState>;
  connections(workspace: WorkspaceId): Promise<ReadonlyArray<ConnectionMoment>>;
  unsynced(workspace: WorkspaceId): Promise<Unsynced>;
  deadLetters(workspace: WorkspaceId): Promise<ReadonlyArray<DeadLetter>>;
  retryDeadLetter(workspace: WorkspaceId, document: DocumentId): Promise<void>;
  exportDeadLetter(workspace: WorkspaceId, document: DocumentId): Promise<DeadLetterExport>;
  forkDeadLetter(workspace: WorkspaceId, document: DocumentId): Promise<DocumentId>;
  previewDiscard(workspace: WorkspaceId, document: DocumentId): Promise<DiscardPreview>;
  discardDeadLetter(workspace: WorkspaceId, document: DocumentId): Promise<DiscardPreview>;
  pauseSync(workspace: WorkspaceId, paused: boolean): Promise<void>;
  simulateOffline(workspace: WorkspaceId, on: boolean): Promise<void>;
  syncReport(workspace: WorkspaceId): Promise<string>;
  flush(workspace: WorkspaceId, tier: "device" | "server", timeout: number | undefined): Promise<void>;

  createLink(
    workspace: WorkspaceId,
    options: {
      readonly role: "writer" | "reader";
      readonly label: string;
      readonly name: string;
      readonly maxUses: number;
      readonly expiresInMillis: number | undefined;
    },
  ): Promise<{ readonly url: string; readonly link: LinkId }>;
  links(workspace: WorkspaceId): Promise<ReadonlyArray<LinkInfo>>;
  revokeLink(workspace: WorkspaceId, link: LinkId): Promise<void>;
  devices(workspace: WorkspaceId): Promise<ReadonlyArray<DeviceInfo>>;
  lastSeen(workspace: WorkspaceId): Promise<ReadonlyArray<{ readonly device: DeviceId; readonly at: number }>>;
  leads(): Promise<boolean>;

  /** Seals and stores one chunk of a file; the page puts the references into the document. */
  sealChunk(workspace: WorkspaceId, content: Uint8Array): Promise<ChunkLocation>;
  /** One chunk's plain bytes, from here or from the server; rejects with `attachment-unavailable` or `-damaged`. */
  readChunk(workspace: WorkspaceId, location: ChunkLocation): Promise<Uint8Array>;
  attachmentState(workspace: WorkspaceId, sealedHashes: ReadonlyArray<Hash>): Promise<AttachmentInfo["state"]>;
  /** How large one attachment may be, and how much room the workspace has, as far as it is known now. */
  attachmentLimits(
    workspace: WorkspaceId,
  ): Promise<{ readonly attachmentBytes: number; readonly freeBytes: number | undefined }>;

  /** Rows of all types, also of those that the app does not declare, in the order of ids. */
  documentPage(workspace: WorkspaceId, after: DocumentId | undefined, limit: number): Promise<ReadonlyArray<PlainRow>>;
  /** Of types that the app does not declare and that are not the engine's own. */
  unknownDocuments(workspace: WorkspaceId): Promise<ReadonlyArray<UnknownDocuments>>;
  /** The whole workspace as one file; the stream fails where a document or an attachment cannot be had. */
  exportBackup(workspace: WorkspaceId, options: BackupOptions): Promise<ReadableStream<Uint8Array>>;
  /** A blob is read twice, a stream is kept until it was read twice. */
  importBackup(
    workspace: WorkspaceId,
    backup: Blob | ReadableStream<Uint8Array>,
    options: {
      readonly passphrase?: string | undefined;
      readonly dryRun: boolean;
      /** A name for the events that say how far it is. */
      readonly transfer?: string | undefined;
    },
    signal?: AbortSignal,
  ): Promise<ImportReport>;
}
