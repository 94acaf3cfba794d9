/** The port to the log of sealed entries. */
import type {
  DeviceId,
  Entry,
  ErrorOf,
  GrantId,
  Hash,
  Page,
  PublicKey,
  PushResponse,
  WorkspaceId,
  WorkspaceState,
} from "@cairn/protocol";
import { Context, type Effect } from "effect";

/** Who pushes: what a verified session says, before the lock is taken. */
export interface Pusher {
  readonly workspace: WorkspaceId;
  readonly grant: GrantId;
  readonly device: DeviceId;
}

export interface PullRequest {
  readonly workspace: WorkspaceId;
  /** The reader's cursor. */
  readonly after: number;
  /** The running hash that the reader has there; undefined where it does not say. */
  readonly chain: Hash | undefined;
  /** Bytes that the page should not exceed, unless one entry does. */
  readonly maxBytes: number;
  readonly reader: DeviceId;
  /** Whether the reader's own entries come with their bytes. */
  readonly own: "brief" | "full";
}

/** How a workspace stands for one device, at the beginning of a live connection (rule 12). */
export interface Standing {
  readonly head: number;
  readonly chain: Hash;
  readonly keyEpoch: number;
  readonly signingKey: PublicKey;
  readonly last: number;
  readonly lastHash: Hash | null;
  /** Whether the cursor and chain that were asked about are of this log. */
  readonly diverged: boolean;
}

export type PushError = ErrorOf<"revoked" | "workspace-unknown" | "unavailable">;

export interface EntryLogShape {
  /**
   * Stores a batch and answers after the commit that holds it (Promise 1): one result for each entry. The grant is
   * checked inside the commit's transaction (rule 23). A batch that names another workspace changes nothing.
   */
  readonly push: (pusher: Pusher, batch: ReadonlyArray<Entry>) => Effect.Effect<PushResponse, PushError>;
  /** The page after a cursor, or `diverged` where cursor and chain are not of this log (rule 11). */
  readonly pull: (
    request: PullRequest,
  ) => Effect.Effect<Page, ErrorOf<"diverged" | "workspace-unknown" | "unavailable">>;
  readonly state: (
    workspace: WorkspaceId,
  ) => Effect.Effect<WorkspaceState, ErrorOf<"workspace-unknown" | "unavailable">>;
  /** Where the logs of these workspaces end now. */
  readonly heads: (
    workspaces: Iterable<WorkspaceId>,
  ) => Effect.Effect<ReadonlyMap<WorkspaceId, number>, ErrorOf<"unavailable">>;
  readonly standing: (
    workspace: WorkspaceId,
    device: DeviceId,
    at: { readonly cursor: number; readonly chain: Hash },
  ) => Effect.Effect<Standing, ErrorOf<"workspace-unknown" | "unavailable">>;
}

export class EntryLog extends Context.Service<EntryLog, EntryLogShape>()("cairn/server/EntryLog") {}
