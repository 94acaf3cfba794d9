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
import type { CheckedQuery, Page, QueryPath, ValueCount } from "@cairn/schema";
import { Context, Data, type Effect } from "effect";
import type {
  ChunkRecord,
  DocumentRecord,
  LogRecord,
  OutgoingHeader,
  OutgoingRecord,
  PositionRecord,
  ProfileRecord,
  SnapshotRecord,
  StreamRecord,
  UpdateRecord,
  WorkspaceRecord,
} from "./records.ts";
import type {
  Fence,
  NewerUpdates,
  NewLocalUpdate,
  NewOutgoing,
  NewProjection,
  OpenedDocument,
  OutgoingMove,
  PendingDocument,
  Rebuilding,
  Receipt,
  RowsOfType,
  Succession,
  Unacknowledged,
  UnprojectedDocument,
} from "./store-changes.ts";
import type { StreamChange } from "./streams.ts";

/**
 * Why a store did not do it (hazard 19).
 * - `full`: no room.
 * - `interrupted`: the platform broke off the transaction; the same may succeed when it is tried again.
 * - `blocked`: another tab keeps an older version of the data open.
 * - `newer`: the data is of a newer version of the app.
 * - `lost`: data that was here is gone, or gone in part. Nothing was made in its place.
 * - `retired`: the edit was made under an identity that this device has no more (rule 12).
 * - `rebuilt`: the edit was made in a document that has been made anew since.
 * - `unavailable`: closed, forbidden or broken.
 */
export type StoreFailureReason =
  | "full"
  | "interrupted"
  | "blocked"
  | "newer"
  | "lost"
  | "retired"
  | "rebuilt"
  | "unavailable";

/** The store did not do it. */
export class StoreFailure extends Data.TaggedError("StoreFailure")<{
  readonly reason: StoreFailureReason;
  readonly operation: string;
  readonly cause: unknown;
}> {}

/** A newer leader has taken over, or a precondition of the write does not hold any more: read again and decide anew. */
export class Fenced extends Data.TaggedError("Fenced")<{ readonly operation: string }> {}

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
    change: Partial<Pick<WorkspaceRecord, "server" | "role" | "paused">>,
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
  /** Waiting edits, the outbox and the trouble there is, in one step: what is counted after every change. */
  readonly unacknowledged: (workspace: WorkspaceId) => Effect.Effect<Unacknowledged, StoreFailure>;
  /**
   * The server acknowledged exactly these counters: they are SYNCED, whatever they were before, leave the outbox and get
   * their `seq` in the log. Streams of their documents that are PENDING have had their trouble.
   */
  readonly settle: (
    workspace: WorkspaceId,
    fence: Fence,
    settled: ReadonlyArray<{ readonly counter: number; readonly seq: number | undefined }>,
    at: number,
  ) => Effect.Effect<void, StoreFailure | Fenced>;
  /** The outbox without its bytes, ascending by counter. */
  readonly outgoingHeaders: (workspace: WorkspaceId) => Effect.Effect<ReadonlyArray<OutgoingHeader>, StoreFailure>;
  /**
   * Entries change their state where they are. One that has left the outbox meanwhile, or stands elsewhere than where the
   * transition begins, is left as it is. A refusal is kept in the document's stream.
   */
  readonly moveOutgoing: (
    workspace: WorkspaceId,
    fence: Fence,
    moves: ReadonlyArray<OutgoingMove>,
  ) => Effect.Effect<void, StoreFailure | Fenced>;
  /**
   * A refused entry gives way to another one under its counter (rule 4), in the outbox and in the log. The updates of the
   * refused one become pending again, and the document's stream what the change says: PENDING, so that they go out in a new
   * entry, or DEAD_LETTER. `Fenced` where the counter is not in the outbox any more, or not in the state where the change
   * begins. An entry of no document has no stream.
   */
  readonly replaceOutgoing: (
    workspace: WorkspaceId,
    fence: Fence,
    replacement: Omit<NewOutgoing, "updates">,
    change: Omit<StreamChange, "counter" | "through">,
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
  /** Documents whose edits have trouble; those that go out well have no record. In the order of ids. */
  readonly streams: (workspace: WorkspaceId) => Effect.Effect<ReadonlyArray<StreamRecord>, StoreFailure>;
  /**
   * A document's pending edits are parked, or tried again. `Fenced` where its stream does not stand where the transition
   * begins (one without a record is PENDING), or where nothing is pending.
   */
  readonly moveStream: (
    workspace: WorkspaceId,
    document: DocumentId,
    change: StreamChange,
  ) => Effect.Effect<void, StoreFailure | Fenced>;
  /**
   * Several updates with the same operations take the place of one that is too large, and the document's later pending
   * ones follow them: all under new ids. `Fenced` where the update is not pending any more. Its chunk references go to the
   * first piece, its first form to the last one, with which all of it is there.
   */
  readonly splitPending: (
    workspace: WorkspaceId,
    fence: Fence,
    document: DocumentId,
    id: number,
    pieces: ReadonlyArray<Uint8Array>,
  ) => Effect.Effect<void, StoreFailure | Fenced>;
  /**
   * Makes a document anew: its updates, its snapshot and its stream go, and what is given takes their place, in this order
   * and under new ids. `Fenced` where its stream is no dead letter, where other edits are pending than was said, or where it
   * has an entry in the outbox.
   */
  readonly rebuildDocument: (rebuilding: Rebuilding) => Effect.Effect<void, StoreFailure | Fenced>;

  /**
   * The identity gives way: the workspace's device is the successor, whose counters begin with its admission in the outbox.
   * Entries of the old identity without a sequence leave the outbox and the log; documents become what is given. `Fenced`
   * where the identity is another one already, or something unacknowledged is not named.
   */
  readonly succeed: (succession: Succession) => Effect.Effect<void, StoreFailure | Fenced>;

  // The log
  /** One step of receiving, all of it or nothing. */
  readonly receive: (receipt: Receipt) => Effect.Effect<void, StoreFailure | Fenced>;
  /** After a divergence: the server's identity and a new cursor, without entries (rule 11). Nothing is `ahead` of it. */
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
  /** Those of these documents that are here, in this order, as of one moment. */
  readonly openDocuments: (
    workspace: WorkspaceId,
    documents: ReadonlyArray<DocumentId>,
  ) => Effect.Effect<ReadonlyArray<OpenedDocument>, StoreFailure>;
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
  /**
   * Documents of these types, given with the fingerprints of their declarations, whose rows do not show the newest updates,
   * roughly the newest before the others. At least `limit` where there are as many, all unless told. With `only`: those of
   * these documents whose rows have to be made anew, also because another declaration made them.
   */
  readonly unprojected: (
    workspace: WorkspaceId,
    types: ReadonlyMap<string, string>,
    options?: { readonly only?: ReadonlyArray<DocumentId> | undefined; readonly limit?: number },
  ) => Effect.Effect<ReadonlyArray<UnprojectedDocument>, StoreFailure>;
  /** How many documents of these types have rows that do not show their newest updates. */
  readonly countUnprojected: (
    workspace: WorkspaceId,
    types: ReadonlyMap<string, string>,
  ) => Effect.Effect<number, StoreFailure>;
  /**
   * Documents of these types whose rows show the newest updates and were made by another declaration: of each type the newest
   * edited first, as far as an index knows, and those that are deleted last.
   */
  readonly outdated: (
    workspace: WorkspaceId,
    types: ReadonlyMap<string, string>,
  ) => Effect.Effect<ReadonlyArray<DocumentId>, StoreFailure>;
  /** Rows of documents, all in one transaction. Documents that are not here are passed over. */
  readonly putProjections: (
    workspace: WorkspaceId,
    projections: ReadonlyArray<NewProjection>,
  ) => Effect.Effect<void, StoreFailure>;
  /**
   * A snapshot takes the place of exactly these updates, except of those that may have to be sent again: pending ones and
   * those in the outbox keep their rows. The sealed log keeps its entries. `Fenced` where the store has a snapshot that
   * goes further than this one, or no such document; and where the document was made anew meanwhile, so that the snapshot has
   * operations that are no more: one of these updates is not here, or none is named and there is no snapshot to replace. Those
   * with a higher id than the snapshot goes to are passed over.
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
  /** What `runQuery` of the schema gives for the rows of a type, from its indexes. */
  readonly query: (rows: RowsOfType, query: CheckedQuery) => Effect.Effect<Page<DocumentRecord>, StoreFailure>;
  /** How many rows a query wants, whatever its limit. */
  readonly count: (rows: RowsOfType, query: CheckedQuery) => Effect.Effect<number, StoreFailure>;
  /** What `countValues` of the schema gives for the rows that a query wants. */
  readonly countBy: (
    rows: RowsOfType,
    path: QueryPath,
    query: CheckedQuery,
  ) => Effect.Effect<ReadonlyArray<ValueCount>, StoreFailure>;

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
