/**
 * What a device keeps: plain values that IndexedDB clones and SQLite stores as columns. One profile (one database, or one
 * folder) holds any number of workspaces.
 */
import type { DeviceId, DocumentId, Hash, LinkId, RoleName, ServerId, WorkspaceId } from "@cairn/protocol";
import type { EntryState } from "@cairn/sync";
import type { OutboxMoment } from "../sync-api.ts";

/** The profile itself. One row. */
export interface ProfileRecord {
  /** Format of this store's content; the database's own version is the adapter's affair. */
  readonly format: 1;
  /** The workspace that was used last. */
  readonly currentWorkspace: WorkspaceId | undefined;
  /** The workspace that opens with this person's seed. */
  readonly homeWorkspace: WorkspaceId | undefined;
}

/** What a device knows of a workspace, besides its secrets, its log and where it stands. */
export interface WorkspaceRecord {
  readonly workspace: WorkspaceId;
  readonly device: DeviceId;
  readonly role: RoleName;
  /** Made on this device, so that it has the root key. */
  readonly createdHere: boolean;
  /** Origin of the server, or undefined while there is none. */
  readonly server: string | undefined;
  /** The link that this device came in by; it certifies the device's admission. */
  readonly joinedBy: LinkId | undefined;
  /** By this device's clock, for display only. */
  readonly addedAt: number;
  /** A person wants it to wait with sending and fetching. */
  readonly paused?: true | undefined;
  /**
   * Peer leases that are never given out again: operations under them were given up, so that the others will never have
   * what later ones would depend on (rule 13).
   */
  readonly retiredLeases?: ReadonlyArray<number> | undefined;
  /**
   * How often documents were made anew here without what was given up; those that never were are not named. What somebody
   * wrote who had one open before depends on what nobody else will ever have.
   */
  readonly rebuilds?: Readonly<Record<DocumentId, number>> | undefined;
}

/** Where a device stands with a workspace's log. Written in the transactions that move it. */
export interface PositionRecord {
  readonly workspace: WorkspaceId;
  /** Everything up to here is stored (rule 10). */
  readonly cursor: number;
  /** The running hash there (rule 11). */
  readonly chain: Hash;
  /** The server that gave these sequences, once there was one. */
  readonly server: ServerId | undefined;
  readonly serverEpoch: number;
  /** The next counter of this device. Changes only together with `freeze` (rule 1). */
  readonly nextCounter: number;
  readonly lastSyncedAt: number | undefined;
  /**
   * Documents may have entries up to here, behind the cursor: a succession took them, and the log will have them when the cursor
   * is here (rule 12). Until then what the log has is less than what documents are made of.
   */
  readonly ahead?: number | undefined;
}

/** A document as lists show it, and how far it is applied. */
export interface DocumentRecord {
  readonly workspace: WorkspaceId;
  readonly document: DocumentId;
  /** Its declared type. Empty until an update that names it was opened. */
  readonly type: string;
  /** The plain fields that lists show and filters ask (`project` of the schema). JSON. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Fingerprint of the declaration that `fields` were made by; empty until they were. */
  readonly projection: string;
  readonly deleted: boolean;
  readonly createdAt: number;
  /** Newest time that an author stated, milliseconds since 1970. */
  readonly updatedAt: number;
  /** The import of some update takes too long and goes on elsewhere (rule 15). */
  readonly merging: boolean;
}

/** A plain (opened) Loro update that belongs to a document. Rows of a document are applied in any order. */
export interface UpdateRecord {
  /** Ascending in the order of storing, over all documents of the profile. */
  readonly id: number;
  readonly workspace: WorkspaceId;
  readonly document: DocumentId;
  readonly type: string;
  readonly update: Uint8Array;
  /** `pending`: a local edit without a counter; `frozen`: in an entry of the outbox or the log; `received`: from others. */
  readonly state: "pending" | "frozen" | "received";
  /** The entry it stands in, once it does. */
  readonly device: DeviceId | undefined;
  readonly counter: number | undefined;
  /** Stated by its author, milliseconds since 1970. For display only. */
  readonly time: number;
  /** Local edits: sealed attachment chunks that this edit begins to refer to; the entry's header lists them (rule 25). */
  readonly refs: ReadonlyArray<Hash>;
  /**
   * A local edit that was made anew under another identity (rule 12): SHA-256 over its time and the update that it was at first.
   * Other copies of this store know it by that.
   */
  readonly firstForm?: Hash | undefined;
  /**
   * A local edit that applies others again, behind some that were given up: the first forms of those. Other copies of this store
   * still have them as they were.
   */
  readonly appliedAgain?: ReadonlyArray<Hash> | undefined;
  /** With that: those edits as they were, and what was given up before them, as `former-edits.ts` encodes it. */
  readonly formerEdits?: Uint8Array | undefined;
}

/** The state of a document: what opening begins with. */
export interface SnapshotRecord {
  readonly workspace: WorkspaceId;
  readonly document: DocumentId;
  /**
   * Every update of the document with an id up to here is in the snapshot, or still has its row. So a reader that has
   * applied the updates up to some lower id needs the snapshot to go on, and an older snapshot never replaces a newer one.
   */
  readonly through: number;
  /** A full Loro snapshot of all updates that it replaced. */
  readonly snapshot: Uint8Array;
}

/** An entry of this device that waits for the server's acknowledgement: frozen, resent unchanged. */
export interface OutgoingRecord {
  readonly workspace: WorkspaceId;
  readonly counter: number;
  readonly document: DocumentId;
  readonly kind: number;
  readonly entry: Uint8Array;
  readonly hash: Hash;
  /** Sealed chunks that have to be on the server first. */
  readonly refs: ReadonlyArray<Hash>;
  /** `IN_FLIGHT`, `RETRYABLE_ERROR` or `FATAL_ERROR`: what `transition` of `@cairn/sync` said last. */
  readonly state: EntryState;
  /** Definite refusals so far (rule 30). */
  readonly attempts: number;
  readonly frozenAt: number;
}

/** An entry of the outbox without its bytes. */
export interface OutgoingHeader extends Pick<
  OutgoingRecord,
  "counter" | "document" | "kind" | "state" | "attempts" | "frozenAt"
> {
  /** The author: counters of an identity that was left mean other entries (rule 12). */
  readonly device: DeviceId;
  /** Of the entry. */
  readonly bytes: number;
}

/**
 * The trouble with a document's edits: there is such a record from the first refusal until something of the document is
 * acknowledged. As long as it is a `DEAD_LETTER`, none of the document's pending edits leaves (hazard 15): the later ones
 * depend on those that were refused.
 */
export interface StreamRecord {
  readonly workspace: WorkspaceId;
  readonly document: DocumentId;
  /** Of its pending edits. */
  readonly state: "PENDING" | "DEAD_LETTER";
  /** Definite refusals of these edits, in one entry after the other. */
  readonly attempts: number;
  /** The newest reason. */
  readonly code: string | undefined;
  readonly message: string | undefined;
  /** When the state began. */
  readonly since: number;
  /** The refused edits are the pending updates with ids up to here; later ones wait with them. */
  readonly through: number;
  /** Oldest first, the newest 32. */
  readonly history: ReadonlyArray<OutboxMoment>;
}

/** One sealed entry of the log, as this device has it. */
export interface LogRecord {
  readonly workspace: WorkspaceId;
  readonly device: DeviceId;
  readonly counter: number;
  /** Undefined for an own entry that no server has acknowledged. */
  readonly seq: number | undefined;
  readonly kind: number;
  readonly document: DocumentId;
  readonly hash: Hash;
  readonly entry: Uint8Array;
}

/** A sealed attachment chunk on this device. */
export interface ChunkRecord {
  readonly workspace: WorkspaceId;
  readonly hash: Hash;
  readonly bytes: Uint8Array;
  /** The server has acknowledged it. */
  readonly uploaded: boolean;
}
