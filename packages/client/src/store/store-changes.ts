/** What a store is told to change, in one transaction each, and what it answers. */
import type { DeviceId, DocumentId, Hash, WorkspaceId } from "@cairn/protocol";
import type { IndexedValues } from "@cairn/schema";
import type { Transition } from "@cairn/sync";
import type {
  DocumentRecord,
  LogRecord,
  OutgoingHeader,
  OutgoingRecord,
  StreamRecord,
  UpdateRecord,
} from "./records.ts";
import type { StreamChange } from "./streams.ts";

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
  /** The identity whose peers made the operations. Where the workspace's device is another one by now: `retired`. */
  readonly device?: DeviceId | undefined;
  /** How often its document had been made anew when its author opened it. Where it is more by now: `rebuilt`. */
  readonly rebuilds?: number | undefined;
  /**
   * The document's row after the edit. Without it the row is made or touched (`updatedAt`), its fields stay, and the document
   * is unprojected, unless a later edit of the same call has the row.
   */
  readonly row: DocumentView | undefined;
}

/** The part of a document's row that its content decides. */
export interface DocumentView {
  readonly deleted: boolean;
  readonly createdAt: number;
  /**
   * Undefined where whoever made the view does not know the document's type: the row keeps what it shows, and stays to be
   * made by somebody who does (hazard 23, Promise 10).
   */
  readonly projection: RowProjection | undefined;
}

/** What a document shows, answers to filters, and is found by. */
export interface RowProjection {
  /** Of the declaration that it was made by (`projectionFingerprint`). */
  readonly fingerprint: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** `indexedValues` of the fields. */
  readonly indexed: ReadonlyArray<IndexedValues>;
  /** The store keeps its words, not the text. Undefined: the words stay as they are, and the document is unprojected. */
  readonly searchText: string | undefined;
}

/** Rows of one type, and the declaration by which they are asked. */
export interface RowsOfType {
  readonly workspace: WorkspaceId;
  readonly type: string;
  /** Rows that were made by another declaration are looked at one by one, in no index. */
  readonly fingerprint: string;
}

/** A document's row, now that its updates up to `through` are applied. */
export interface NewProjection {
  readonly document: DocumentId;
  /**
   * Where the document has newer updates, local ones included, it stays or becomes unprojected: the view is older than they
   * are.
   */
  readonly through: number;
  /** Undefined keeps the row and only marks it merging; one without a projection leaves the document unprojected. */
  readonly view: DocumentView | undefined;
}

/** A document whose row does not show its newest updates, or was made by another declaration. */
export interface UnprojectedDocument {
  readonly document: DocumentId;
  readonly type: string;
  /** Its newest update. */
  readonly through: number;
}

/** An entry that leaves PENDING. */
export interface NewOutgoing extends Omit<OutgoingRecord, "workspace" | "attempts" | "state"> {
  readonly device: DeviceId;
  /** Out of PENDING; its state and attempts are what is stored. */
  readonly frozen: Transition;
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

/** One entry's change of state. */
export interface OutgoingMove extends Omit<StreamChange, "counter" | "through"> {
  readonly counter: number;
}

/** A local edit that is stored with a document made anew. */
export interface RebuiltEdit extends NewLocalUpdate {
  /** As in `UpdateRecord`. */
  readonly appliedAgain?: ReadonlyArray<Hash> | undefined;
  readonly formerEdits?: Uint8Array | undefined;
}

/**
 * A document made anew without edits that were given up. Where nothing is left of it, neither in the log nor in an edit, it goes as if
 * it had never been made; how often it was made anew is still known.
 */
export interface Rebuilding {
  readonly workspace: WorkspaceId;
  readonly document: DocumentId;
  /** The identity whose edits these are, and whose peers made the new ones. Where it is another one by now: `Fenced`. */
  readonly device: DeviceId;
  /** Out of DEAD_LETTER, to nothing. */
  readonly discarded: Transition;
  /** The pending updates that go: all that the document has, otherwise `Fenced`. */
  readonly pending: ReadonlyArray<number>;
  /** The document's newest update, folded ones included, when `acknowledged` was read: where there is a newer one, `Fenced`. */
  readonly through: number;
  /** What the log has of the document, own entries (as `frozen`) and those of others (as `received`). */
  readonly acknowledged: ReadonlyArray<NewReceivedUpdate & { readonly own: boolean }>;
  /** Local edits of this or another document that are stored with it, as by `appendUpdates`. */
  readonly edits: ReadonlyArray<RebuiltEdit>;
  readonly row: DocumentView;
  /** Leases of peers whose operations went: added to the workspace's `retiredLeases`. */
  readonly retire: ReadonlyArray<number>;
}

/** A document in a succession: what is settled is taken from the log, what is not gets other bytes. */
export interface RemadeDocument {
  readonly document: DocumentId;
  /**
   * What the log has of it, and own edits that the server is known to have though their entry is not here yet; takes the
   * place of its snapshot and of all its updates but the unacknowledged.
   */
  readonly acknowledged: ReadonlyArray<NewReceivedUpdate>;
  /**
   * All its updates that no server has acknowledged, pending ones and those in the outbox: each becomes pending under its
   * id, with these bytes, or goes. What it was before is not kept: that was written under the identity that gives way.
   */
  readonly unacknowledged: ReadonlyArray<{
    readonly id: number;
    readonly update: Uint8Array | undefined;
    readonly refs: ReadonlyArray<Hash>;
    /** As in `UpdateRecord`. */
    readonly firstForm?: Hash | undefined;
    readonly appliedAgain?: ReadonlyArray<Hash> | undefined;
  }>;
}

/** This device's identity in a workspace gives way to another one (rule 12). */
export interface Succession {
  readonly workspace: WorkspaceId;
  readonly fence: Fence;
  readonly from: DeviceId;
  readonly to: DeviceId;
  /** How far the server's log was read: `ahead` of the position. */
  readonly ahead: number;
  /** The successor's first entry. */
  readonly admission: NewOutgoing;
  /** Those that have something unacknowledged, and others at will. */
  readonly documents: ReadonlyArray<RemadeDocument>;
}

/** How many edits wait, per document. `oldest` is the `time` of the edit that has waited longest. */
export interface PendingDocument {
  readonly document: DocumentId;
  readonly updates: number;
  readonly bytes: number;
  readonly oldest: number;
}

/** What no server has acknowledged, as of one moment. */
export interface Unacknowledged {
  /** As `pendingDocuments`. */
  readonly pending: ReadonlyArray<PendingDocument>;
  /** As `outgoingHeaders`. */
  readonly outgoing: ReadonlyArray<OutgoingHeader>;
  /** As `streams`. */
  readonly streams: ReadonlyArray<StreamRecord>;
  /** The counter that the next entry takes. */
  readonly nextCounter: number;
}

export interface OpenedDocument {
  readonly record: DocumentRecord;
  readonly snapshot: Uint8Array | undefined;
  /** Updates that have not given way to the snapshot, ascending by id. It may hold some: applying them again is harmless. */
  readonly updates: ReadonlyArray<UpdateRecord>;
  /** Whoever has applied these has everything up to here: where `updatesAfter` goes on. */
  readonly through: number;
  /** How often it was made anew (`WorkspaceRecord.rebuilds`). */
  readonly rebuilds: number;
}

/** What a reader of a document lacks. */
export interface NewerUpdates {
  readonly snapshot: Uint8Array | undefined;
  readonly updates: ReadonlyArray<UpdateRecord>;
  /** As in `OpenedDocument`; at least the id that was asked for. */
  readonly through: number;
  /** What the document's row says at the same moment; false where there is none. */
  readonly merging: boolean;
}
