/**
 * The port to what a device keeps. Adapters: Dexie over IndexedDB in browsers (`DexieStore.ts`), `node:sqlite` in Node
 * (`SqliteStore.ts`); both pass the contract suite in `testkit`.
 *
 * Every method is one transaction, durable when its effect succeeds (strict durability in IndexedDB; a committed
 * transaction in SQLite whose log was synced, where commits of `appendUpdates` may gather a few milliseconds of
 * edits). A method that fails changed nothing.
 *
 * Only one process talks to the network for a profile. It holds a leadership epoch; every method that takes `fence`
 * fails with `Fenced`, and changes nothing, when a newer leader has claimed the profile since.
 */
import type { DeviceId, DocumentId, Hash, WorkspaceId } from "@cairn/protocol";
import { Context, Data, type Effect } from "effect";
import type {
  ChunkRecord,
  DocumentRecord,
  LogRecord,
  OutgoingRecord,
  ParkedRecord,
  PositionRecord,
  ProfileRecord,
  SnapshotRecord,
  UpdateRecord,
  WorkspaceRecord,
} from "./records.ts";

/**
 * Why a store did not do it (hazard 19).
 * - `full`: no room.
 * - `interrupted`: the platform broke off the transaction; the same may succeed when it is tried again.
 * - `blocked`: another tab keeps an older version of the data open.
 * - `newer`: the data is of a newer version of the app.
 * - `lost`: data that was here is gone, or gone in part. Nothing was made in its place.
 * - `unavailable`: closed, forbidden or broken.
 */
export type StoreFailureReason = "full" | "interrupted" | "blocked" | "newer" | "lost" | "unavailable";

/** The store did not do it. */
export class StoreFailure extends Data.TaggedError("StoreFailure")<{
  readonly reason: StoreFailureReason;
  readonly operation: string;
  readonly cause: unknown;
}> {}

/** A newer leader has taken over, or a precondition of the write does not hold any more: read again and decide anew. */
export class Fenced extends Data.TaggedError("Fenced")<{ readonly operation: string }> {}

/** The leadership epoch that the writer holds. */
export type Fence = number;

/** A local edit to be stored. */
export interface NewLocalUpdate {
  readonly workspace: WorkspaceId;
  readonly document: DocumentId;
  readonly type: string;
  readonly update: Uint8Array;
  readonly time: number;
  /** Sealed attachment chunks that this edit begins to refer to (rule 25); kept with the update. */
  readonly refs: ReadonlyArray<Hash>;
  /** The document's row after the edit. Without it the row is made or touched (`updatedAt`), its fields stay. */
  readonly row: DocumentView | undefined;
}

/** The part of a document's row that its content decides. */
export type DocumentView = Pick<DocumentRecord, "fields" | "searchText" | "deleted" | "createdAt">;

/** An entry that leaves PENDING. */
export interface NewOutgoing extends Omit<OutgoingRecord, "workspace" | "attempts"> {
  readonly device: DeviceId;
  /** The pending updates that it holds: they become `frozen`. */
  readonly updates: ReadonlyArray<number>;
}

/** An opened update of a received entry. */
export interface NewReceivedUpdate {
  readonly document: DocumentId;
  readonly type: string;
  readonly update: Uint8Array;
  readonly device: DeviceId;
  readonly counter: number;
  readonly time: number;
}

/** What one step of receiving changes, at once (hazard 14). */
export interface Receipt {
  readonly workspace: WorkspaceId;
  readonly fence: Fence;
  /** The cursor that this receipt continues; otherwise `Fenced`. */
  readonly from: number;
  readonly cursor: number;
  readonly chain: Hash;
  /**
   * Entries new to this device. One that is already in the log (same device and counter) gets its `seq`, nothing else:
   * its `updates` are not stored a second time (promise 2). Updates of an entry that is not in this list are stored.
   */
  readonly entries: ReadonlyArray<Omit<LogRecord, "workspace">>;
  readonly updates: ReadonlyArray<NewReceivedUpdate>;
  /** Own entries that the log acknowledges: they leave the outbox, and get their `seq`. */
  readonly settled: ReadonlyArray<{ readonly counter: number; readonly seq: number | undefined }>;
  readonly at: number;
}

/** How many edits wait, per document. `oldest` is the `time` of the edit that has waited longest. */
export interface PendingDocument {
  readonly document: DocumentId;
  readonly updates: number;
  readonly bytes: number;
  readonly oldest: number;
}

export interface OpenedDocument {
  readonly record: DocumentRecord;
  readonly snapshot: Uint8Array | undefined;
  /** Updates that have not given way to the snapshot, ascending by id. It may hold some: applying them again is harmless. */
  readonly updates: ReadonlyArray<UpdateRecord>;
  /** Whoever has applied these has everything up to here: where `updatesAfter` goes on. */
  readonly through: number;
}

/** What a reader of a document lacks. */
export interface NewerUpdates {
  readonly snapshot: Uint8Array | undefined;
  readonly updates: ReadonlyArray<UpdateRecord>;
  /** As in `OpenedDocument`; at least the id that was asked for. */
  readonly through: number;
}

export interface LocalStoreShape {
  // The profile
  readonly profile: Effect.Effect<ProfileRecord | undefined, StoreFailure>;
  readonly putProfile: (profile: ProfileRecord) => Effect.Effect<void, StoreFailure>;
  /** Raises the leadership epoch and returns it: from now on this caller's fence is the only good one. */
  readonly claimLeadership: Effect.Effect<Fence, StoreFailure>;

  // Workspaces
  readonly workspaces: Effect.Effect<ReadonlyArray<WorkspaceRecord>, StoreFailure>;
  /**
   * Stores a new workspace with its first position (`nextCounter` 1) and, where it has one already, its first outbox
   * entries, which take the first counters. `Fenced` where the workspace is here already (another tab was faster) or the
   * counters do not fit.
   */
  readonly addWorkspace: (
    record: WorkspaceRecord,
    position: PositionRecord,
    outgoing: ReadonlyArray<NewOutgoing>,
  ) => Effect.Effect<void, StoreFailure | Fenced>;
  readonly updateWorkspace: (
    workspace: WorkspaceId,
    change: Partial<Pick<WorkspaceRecord, "server" | "role">>,
  ) => Effect.Effect<void, StoreFailure>;
  /** Deletes everything of a workspace. */
  readonly removeWorkspace: (workspace: WorkspaceId) => Effect.Effect<void, StoreFailure>;
  readonly position: (workspace: WorkspaceId) => Effect.Effect<PositionRecord | undefined, StoreFailure>;

  // Local edits
  /**
   * Stores edits, in order, as `pending`, with their documents' rows. Returns the new ids. `unavailable` where a
   * workspace is not here (any more). An interrupted caller's edits may be stored all the same.
   */
  readonly appendUpdates: (
    updates: ReadonlyArray<NewLocalUpdate>,
  ) => Effect.Effect<ReadonlyArray<number>, StoreFailure>;
  readonly pendingDocuments: (workspace: WorkspaceId) => Effect.Effect<ReadonlyArray<PendingDocument>, StoreFailure>;
  readonly pendingUpdates: (
    workspace: WorkspaceId,
    document: DocumentId,
  ) => Effect.Effect<ReadonlyArray<UpdateRecord>, StoreFailure>;

  // The outbox
  /**
   * Entries leave PENDING: in one transaction their counters, which must begin at the position's `nextCounter` and be
   * contiguous, are taken, they are put into the outbox and into the log (without `seq`), and their updates become
   * `frozen`. `Fenced` where the counters do not fit or an update is not pending any more.
   */
  readonly freeze: (
    workspace: WorkspaceId,
    fence: Fence,
    entries: ReadonlyArray<NewOutgoing>,
  ) => Effect.Effect<void, StoreFailure | Fenced>;
  /** Unacknowledged entries, ascending by counter; at most `limit`. */
  readonly outgoing: (
    workspace: WorkspaceId,
    limit: number,
  ) => Effect.Effect<ReadonlyArray<OutgoingRecord>, StoreFailure>;
  /** Sums over the outbox. */
  readonly outgoingSize: (workspace: WorkspaceId) => Effect.Effect<
    {
      readonly entries: number;
      readonly bytes: number;
      readonly documents: ReadonlyArray<DocumentId>;
    },
    StoreFailure
  >;
  /** The server acknowledged exactly these counters: they leave the outbox and get their `seq` in the log. */
  readonly settle: (
    workspace: WorkspaceId,
    fence: Fence,
    settled: ReadonlyArray<{ readonly counter: number; readonly seq: number | undefined }>,
    at: number,
  ) => Effect.Effect<void, StoreFailure | Fenced>;
  /**
   * A refused entry gives way to another one under its counter (rule 4), in the outbox and in the log, and its `attempts`
   * grow by one. The updates of the refused one become pending again (`requeue`), or stay as they are and are parked with
   * a reason. `Fenced` where the counter is not in the outbox any more.
   */
  readonly replaceOutgoing: (
    workspace: WorkspaceId,
    fence: Fence,
    replacement: Omit<NewOutgoing, "updates">,
    edits:
      | { readonly type: "requeue" }
      | ({ readonly type: "park" } & Omit<ParkedRecord, "workspace" | "counter" | "document">),
  ) => Effect.Effect<void, StoreFailure | Fenced>;
  /**
   * An own entry that a server acknowledged, lost and takes no more gives way to another one under its counter: the log
   * has that one, without `seq`, and so has the outbox (rule 4, Promise 13). `Fenced` where the counter is in the outbox, or
   * is none of this device.
   */
  readonly replaceSettled: (
    workspace: WorkspaceId,
    fence: Fence,
    replacement: Omit<NewOutgoing, "updates">,
  ) => Effect.Effect<void, StoreFailure | Fenced>;
  readonly parked: (workspace: WorkspaceId) => Effect.Effect<ReadonlyArray<ParkedRecord>, StoreFailure>;

  // The log
  /** One step of receiving, all of it or nothing. */
  readonly receive: (receipt: Receipt) => Effect.Effect<void, StoreFailure | Fenced>;
  /** After a divergence: the server's identity and a new cursor, without entries (rule 11). */
  readonly rebase: (
    workspace: WorkspaceId,
    fence: Fence,
    position: Pick<PositionRecord, "cursor" | "chain" | "server" | "serverEpoch">,
  ) => Effect.Effect<void, StoreFailure | Fenced>;
  /** Entries of one author with counters from `from` on, ascending, at most `limit`. */
  readonly logOf: (
    workspace: WorkspaceId,
    device: DeviceId,
    from: number,
    limit: number,
  ) => Effect.Effect<ReadonlyArray<LogRecord>, StoreFailure>;
  /** All entries of a kind, those with a `seq` first and ascending, then the others by counter. */
  readonly logOfKind: (workspace: WorkspaceId, kind: number) => Effect.Effect<ReadonlyArray<LogRecord>, StoreFailure>;
  /** The whole log after (device, counter) in the order of device and counter, at most `limit`: for backups. */
  readonly logPage: (
    workspace: WorkspaceId,
    after: { readonly device: DeviceId; readonly counter: number } | undefined,
    limit: number,
  ) => Effect.Effect<ReadonlyArray<LogRecord>, StoreFailure>;
  /** The highest counter per author. */
  readonly versions: (workspace: WorkspaceId) => Effect.Effect<ReadonlyMap<DeviceId, number>, StoreFailure>;

  // Documents
  readonly openDocument: (
    workspace: WorkspaceId,
    document: DocumentId,
  ) => Effect.Effect<OpenedDocument | undefined, StoreFailure>;
  readonly document: (
    workspace: WorkspaceId,
    document: DocumentId,
  ) => Effect.Effect<DocumentRecord | undefined, StoreFailure>;
  /**
   * Updates of one document stored after `afterId`, ascending by id, and the snapshot too where some of them may have
   * given way to it meanwhile (another tab folds).
   */
  readonly updatesAfter: (
    workspace: WorkspaceId,
    document: DocumentId,
    afterId: number,
  ) => Effect.Effect<NewerUpdates, StoreFailure>;
  /** Documents that have received updates since they were last projected, with the highest such update's id. */
  readonly unprojected: (
    workspace: WorkspaceId,
  ) => Effect.Effect<ReadonlyArray<{ readonly document: DocumentId; readonly through: number }>, StoreFailure>;
  /**
   * The document's row, now that its updates up to `through` are applied; undefined keeps the row and only marks it
   * merging. Where the document has newer updates, local ones included, it stays or becomes unprojected: the view is older
   * than they are.
   */
  readonly putProjection: (
    workspace: WorkspaceId,
    document: DocumentId,
    through: number,
    view: DocumentView | undefined,
  ) => Effect.Effect<void, StoreFailure>;
  /**
   * A snapshot takes the place of exactly these updates, except of those that may have to be sent again: pending, in the
   * outbox or parked ones keep their rows. The sealed log keeps its entries. `Fenced` where the store has a snapshot that
   * goes further than this one, or no such document.
   */
  readonly fold: (
    snapshot: SnapshotRecord,
    replaced: ReadonlyArray<number>,
  ) => Effect.Effect<void, StoreFailure | Fenced>;
  /** Rows of all types in the order of ids, beginning after `after`, at most `limit`. */
  readonly documentPage: (
    workspace: WorkspaceId,
    after: DocumentId | undefined,
    limit: number,
  ) => Effect.Effect<ReadonlyArray<DocumentRecord>, StoreFailure>;
  /** Rows of one type, in no order. */
  readonly documentsOfType: (
    workspace: WorkspaceId,
    type: string,
  ) => Effect.Effect<ReadonlyArray<DocumentRecord>, StoreFailure>;

  // Attachment chunks
  /** Stores chunks. One that is marked uploaded stays so. */
  readonly putChunks: (chunks: ReadonlyArray<ChunkRecord>) => Effect.Effect<void, StoreFailure>;
  readonly chunk: (workspace: WorkspaceId, hash: Hash) => Effect.Effect<ChunkRecord | undefined, StoreFailure>;
  readonly chunkStates: (
    workspace: WorkspaceId,
    hashes: ReadonlyArray<Hash>,
  ) => Effect.Effect<ReadonlyMap<Hash, "local" | "uploaded">, StoreFailure>;
  readonly markUploaded: (workspace: WorkspaceId, hash: Hash) => Effect.Effect<void, StoreFailure>;

  // Secrets
  /** Key material of a workspace or of the person, by name. Values are structured-cloneable; in Node they live in 0600 files. */
  readonly secret: (name: string) => Effect.Effect<unknown, StoreFailure>;
  readonly putSecret: (name: string, value: unknown) => Effect.Effect<void, StoreFailure>;
  readonly removeSecret: (name: string) => Effect.Effect<void, StoreFailure>;

  readonly close: Effect.Effect<void>;
}

/** The service. */
export class LocalStore extends Context.Service<LocalStore, LocalStoreShape>()("cairn/client/LocalStore") {}
