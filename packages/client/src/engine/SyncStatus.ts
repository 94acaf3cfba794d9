/** What the engine says about a workspace's synchronisation: the truth, cheaply kept. */
import type { WorkspaceId } from "@cairn/protocol";
import { Effect } from "effect";
import type { SyncProblem, SyncState } from "../api.ts";
import type { LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";

/** Where the conversation with the server stands. */
export type Phase = "local-only" | "offline" | "connecting" | "live";

export interface SyncStatus {
  readonly state: () => SyncState;
  readonly setPhase: (phase: Phase, now: number) => void;
  readonly setProblem: (problem: SyncProblem | undefined) => void;
  /** Pages follow, so that not everything is here yet. */
  readonly setCatchingUp: (catchingUp: boolean) => void;
  readonly setSyncedAt: (now: number) => void;
  /** Reads from the store what waits, and publishes. */
  readonly refresh: Effect.Effect<void, StoreFailure>;
  readonly setServer: (server: string | undefined) => void;
}

export const makeSyncStatus = (
  store: LocalStoreShape,
  workspace: WorkspaceId,
  server: string | undefined,
  publish: (state: SyncState) => void,
): SyncStatus => {
  let phase: Phase = server === undefined ? "local-only" : "connecting";
  let catchingUp = true;
  let published: SyncState | undefined;
  let counts = { pendingDocuments: 0, pendingBytes: 0, parked: 0 };
  let parts: Pick<SyncState, "server" | "offlineSince" | "lastSyncedAt" | "problem"> = {
    server,
    offlineSince: undefined,
    lastSyncedAt: undefined,
    problem: undefined,
  };

  const status = (): SyncState["status"] => {
    if (phase === "local-only") return "local-only";
    if (parts.problem !== undefined && parts.problem.action !== "retry") return "problem";
    if (phase !== "live") return phase;
    return catchingUp || counts.pendingDocuments > 0 ? "syncing" : "up-to-date";
  };
  const state = (): SyncState => ({ status: status(), ...parts, ...counts });
  const changed = (): void => {
    const next = state();
    if (published !== undefined && sameState(published, next)) return;
    published = next;
    publish(next);
  };

  return {
    state,
    setPhase: (next, now) => {
      if (phase === next) return;
      phase = next;
      const offlineSince =
        next === "offline" ? (parts.offlineSince ?? now) : next === "live" ? undefined : parts.offlineSince;
      parts = { ...parts, offlineSince };
      changed();
    },
    setProblem: (problem) => {
      parts = { ...parts, problem };
      changed();
    },
    setCatchingUp: (next) => {
      catchingUp = next;
      changed();
    },
    setSyncedAt: (now) => {
      parts = { ...parts, lastSyncedAt: now };
      changed();
    },
    setServer: (next) => {
      parts = { ...parts, server: next };
      if (next === undefined) phase = "local-only";
      else if (phase === "local-only") phase = "connecting";
      changed();
    },
    refresh: Effect.gen(function* () {
      const pending = yield* store.pendingDocuments(workspace);
      const outgoing = yield* store.outgoingSize(workspace);
      const streams = yield* store.streams(workspace);
      const held = new Set(streams.filter(({ state }) => state === "DEAD_LETTER").map(({ document }) => document));
      const going = pending.filter(({ document }) => !held.has(document));
      const documents = new Set([...going.map(({ document }) => document), ...outgoing.documents]);
      counts = {
        pendingDocuments: documents.size,
        pendingBytes: going.reduce((sum, { bytes }) => sum + bytes, 0) + outgoing.bytes,
        parked: held.size,
      };
      changed();
    }),
  };
};

const sameState = (left: SyncState, right: SyncState): boolean =>
  left.status === right.status &&
  left.server === right.server &&
  left.pendingDocuments === right.pendingDocuments &&
  left.pendingBytes === right.pendingBytes &&
  left.offlineSince === right.offlineSince &&
  left.lastSyncedAt === right.lastSyncedAt &&
  left.problem === right.problem &&
  left.parked === right.parked;
