/** What pages ask about the outbox, and what they may do to it: the engine's side of `SyncControl`. */
import type { WorkspaceId } from "@cairn/protocol";
import { conditionOf, INITIAL_FACTS, type EntryState } from "@cairn/sync";
import { Effect, type Scope } from "effect";
import { CairnError } from "../errors.ts";
import type { NotifierShape } from "../platform/Notifier.ts";
import type { LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import type { OutboxState } from "../sync-api.ts";
import type { EngineApi } from "./EngineApi.ts";
import type { EngineServices } from "./Engine.ts";
import type { WorkspaceRuntime } from "./WorkspaceRuntime.ts";
import type { Publisher } from "./Workspaces.ts";

export interface SyncControlsOptions {
  readonly store: LocalStoreShape;
  readonly runtimeOf: (workspace: WorkspaceId) => Effect.Effect<WorkspaceRuntime, StoreFailure | CairnError>;
  readonly promise: <A, E>(effect: Effect.Effect<A, E, EngineServices | Scope.Scope>) => Promise<A>;
  readonly publisher: Publisher;
  readonly notifier: NotifierShape;
}

type SyncCalls = Pick<
  EngineApi,
  | "outbox"
  | "connections"
  | "unsynced"
  | "deadLetters"
  | "retryDeadLetter"
  | "exportDeadLetter"
  | "forkDeadLetter"
  | "previewDiscard"
  | "discardDeadLetter"
  | "pauseSync"
  | "simulateOffline"
  | "syncReport"
>;

const NO_STATES: Readonly<Record<EntryState, number>> = {
  PENDING: 0,
  IN_FLIGHT: 0,
  SYNCED: 0,
  RETRYABLE_ERROR: 0,
  FATAL_ERROR: 0,
  DEAD_LETTER: 0,
};

export const syncControls = ({ store, runtimeOf, promise }: SyncControlsOptions): SyncCalls => {
  const outboxOf = Effect.fnUntraced(function* (workspace: WorkspaceId) {
    const runtime = yield* runtimeOf(workspace);
    const pending = yield* store.pendingDocuments(workspace);
    const outgoing = yield* store.outgoingSize(workspace);
    const parked = (yield* store.streams(workspace)).filter(({ state }) => state === "DEAD_LETTER");
    const sync = runtime.status.state();
    const outbox: OutboxState = {
      condition: conditionOf({ ...INITIAL_FACTS, server: sync.server !== undefined }),
      problem: sync.problem,
      depth: pending.length + outgoing.entries + parked.length,
      bytes: pending.reduce((sum, { bytes }) => sum + bytes, 0) + outgoing.bytes,
      oldestAt: undefined,
      states: { ...NO_STATES, PENDING: pending.length, IN_FLIGHT: outgoing.entries, DEAD_LETTER: parked.length },
      entries: [],
      attempts: 0,
      transitions: 0,
      lastSuccessAt: sync.lastSyncedAt,
      stalls: 0,
      stalledSince: undefined,
      nextAttemptAt: undefined,
      paused: false,
      simulatedOffline: false,
    };
    return outbox;
  });
  const unknown = <A>(): Promise<A> => Promise.reject(new CairnError("dead-letter-unknown"));
  return {
    outbox: (workspace) => promise(outboxOf(workspace)),
    connections: () => Promise.resolve([]),
    unsynced: (workspace) =>
      promise(
        Effect.map(outboxOf(workspace), ({ depth, bytes, states, oldestAt }) => ({
          documents: depth,
          edits: depth,
          bytes,
          deadLetters: states.DEAD_LETTER,
          oldestAt,
        })),
      ),
    deadLetters: () => Promise.resolve([]),
    retryDeadLetter: () => unknown(),
    exportDeadLetter: () => unknown(),
    forkDeadLetter: () => unknown(),
    previewDiscard: () => unknown(),
    discardDeadLetter: () => unknown(),
    pauseSync: () => Promise.reject(new CairnError("unavailable")),
    simulateOffline: () => Promise.reject(new CairnError("unavailable")),
    syncReport: (workspace) => promise(Effect.map(outboxOf(workspace), (outbox) => JSON.stringify(outbox, null, 2))),
  };
};
