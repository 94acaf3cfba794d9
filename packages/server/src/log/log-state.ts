/** What a push is decided on: the part of a workspace that its batch touches, read under the workspace's row lock. */
import type {
  DeviceId,
  DocumentId,
  Entry,
  Hash,
  LinkId,
  MembershipPayload,
  PublicKey,
  PushResult,
  RoleName,
  WorkspaceId,
} from "@cairn/protocol";

/** An author, as the membership chain has it. */
export interface Member {
  readonly device: DeviceId;
  readonly signingKey: PublicKey;
  readonly agreementKey: PublicKey | undefined;
  readonly role: RoleName;
  /** The counters that count: `[from, to]`, open at the end while `to` is undefined (rule 19). */
  readonly from: number;
  readonly to: number | undefined;
  /** Whether the chain has its admission; before, a certificate made it known. */
  readonly admitted: boolean;
  /** Whether the chain revoked it. An interval may also end by its certificate. */
  readonly revoked: boolean;
}

/** A link's public half. */
export interface KnownLink {
  readonly link: LinkId;
  readonly signingKey: PublicKey;
  readonly role: RoleName;
  readonly maxUses: number;
  readonly revoked: boolean;
  /** Whether the chain has it; a server may have been told of it before. */
  readonly chained: boolean;
  /** Admissions by it in the chain. */
  readonly uses: number;
}

/** The membership chain's outcome so far. */
export interface Membership {
  readonly rootKey: PublicKey;
  /** Hash of the chain's last entry. */
  readonly head: Hash;
  readonly keyEpoch: number;
  /** The lowest version of the app's schema that may write, as devices enforce it; it only rises. */
  readonly minimumVersion: number;
  readonly members: ReadonlyMap<DeviceId, Member>;
  readonly links: ReadonlyMap<LinkId, KnownLink>;
}

/** The last entry that the server has of a device (rule 2). */
export interface LastEntry {
  readonly counter: number;
  readonly hash: Hash | undefined;
}

export interface LogState {
  readonly workspace: WorkspaceId;
  readonly head: number;
  readonly chain: Hash;
  readonly membership: Membership;
  readonly last: ReadonlyMap<DeviceId, LastEntry>;
  /** The stored entries among those that are pushed, by `identityKey`. */
  readonly stored: ReadonlyMap<string, { readonly seq: number; readonly hash: Hash }>;
  /** The stored chunks among those that are referred to. */
  readonly chunks: ReadonlySet<Hash>;
  /** The purged documents among those that are pushed to. */
  readonly purged: ReadonlySet<DocumentId>;
  readonly entriesBytes: number;
  readonly attachmentsBytes: number;
  /** 0 for no limit. */
  readonly quotaBytes: number;
}

/** One identity as a key of maps. */
export const identityKey = (device: DeviceId, counter: number): string => `${device}:${counter}`;

/** An entry with what can be said of it before the lock is taken. */
export interface PreparedEntry {
  readonly entry: Entry;
  readonly hash: Hash;
  /** Of membership entries; undefined where the payload is malformed. */
  readonly membership: MembershipPayload | undefined;
}

/** One batch and who brings it. */
export interface Push {
  readonly device: DeviceId;
  readonly role: RoleName;
  readonly entries: ReadonlyArray<PreparedEntry>;
}

/** Why a whole batch is refused. */
export type BatchRefusal = "revoked" | "read-only";

export type PushOutcome =
  | { readonly type: "decided"; readonly results: ReadonlyArray<PushResult> }
  | { readonly type: "refused"; readonly code: BatchRefusal };

/** An entry that will be stored. */
export interface NewRow {
  readonly seq: number;
  readonly chain: Hash;
  readonly hash: Hash;
  readonly entry: Entry;
}

/** What a commit writes. */
export interface Decision {
  readonly outcomes: ReadonlyArray<PushOutcome>;
  readonly rows: ReadonlyArray<NewRow>;
  /** The devices that were revoked: their grants end in the same transaction. */
  readonly closed: ReadonlySet<DeviceId>;
  /** Who took whose place (rule 12): the grant goes over to the successor in the same transaction. */
  readonly predecessorBySuccessor: ReadonlyMap<DeviceId, DeviceId>;
  readonly next: LogState;
}
