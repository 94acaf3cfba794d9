/**
 * What the engine says about a workspace's synchronisation: the truth, cheaply kept. States come from `@cairn/sync`; this
 * counts what the store has, remembers what happened, and publishes both.
 */
import { type DocumentId, NO_DOCUMENT, type WorkspaceId } from "@cairn/protocol";
import {
  conditionOf,
  type EntryState,
  INITIAL_FACTS,
  nextFacts,
  type SyncCondition,
  type SyncEvent,
  type SyncFacts,
  type Transition,
} from "@cairn/sync";
import { Clock, Effect } from "effect";
import type { Preparation, SyncProblem } from "../workspace-api.ts";
import { CairnError, type CairnErrorCode } from "../errors.ts";
import type { LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import type { Unacknowledged } from "../store/store-changes.ts";
import { type CountedOutbox, countOutbox, heldDocuments, sumOfBytes } from "./count-outbox.ts";
import type { PlainSyncState } from "./EngineApi.ts";
import type { ConnectionMoment, OutboxEvent, OutboxState, StallDiagnosis } from "../sync-api.ts";

/** Moments of the connection that are remembered. */
const MOMENTS = 50;

/** Who hears of changes. */
export interface StatusListeners {
  readonly sync: (state: PlainSyncState) => void;
  readonly outbox: (outbox: OutboxState) => void;
  readonly event: (event: OutboxEvent) => void;
  readonly connections: (connections: ReadonlyArray<ConnectionMoment>) => void;
  /** Streams were parked or freed. */
  readonly deadLetters: () => void;
  /** What waits is in another state than was counted: count soon. */
  readonly stale: () => void;
}

export interface SyncStatus {
  readonly state: () => PlainSyncState;
  readonly outbox: () => OutboxState;
  readonly connections: () => ReadonlyArray<ConnectionMoment>;
  readonly condition: () => SyncCondition;
  readonly facts: () => SyncFacts;
  /** Something happened to the conversation; `code` is the reason that a person sees, where there is one. */
  readonly tell: (event: SyncEvent, code?: CairnErrorCode) => Effect.Effect<void>;
  readonly connection: (type: ConnectionMoment["type"], code?: string, waitMillis?: number) => Effect.Effect<void>;
  /** An entry changed its state. */
  readonly moved: (
    transition: Transition,
    about: {
      readonly document: DocumentId | undefined;
      readonly counter: number | undefined;
      readonly code?: string | undefined;
    },
  ) => Effect.Effect<void>;
  /** Acknowledged entries and chunks so far: what the watchdog looks at. */
  readonly movements: () => number;
  readonly uploaded: () => void;
  readonly stalled: (diagnosis: StallDiagnosis) => Effect.Effect<void>;
  /** How many entries of the log are not here yet. */
  readonly setIncoming: (entries: number) => void;
  /** How many rows were made, and of how many; undefined when all are. */
  readonly setPreparing: (preparing: Preparation | undefined) => void;
  readonly setSyncedAt: (now: number) => void;
  readonly setNextAttempt: (at: number | undefined) => void;
  readonly setSimulatedOffline: (on: boolean) => void;
  readonly setServer: (server: string | undefined) => void;
  /** Reads from the store what waits, publishes how much it is, and gives it. */
  readonly read: Effect.Effect<Unacknowledged, StoreFailure>;
  /** What waits has changed since it was read. */
  readonly setStale: () => void;
  readonly isStale: () => boolean;
  /** What the leader says, for engines that do not lead. */
  readonly adoptSync: (state: PlainSyncState) => void;
  readonly adoptOutbox: (outbox: OutboxState) => void;
  readonly adoptConnections: (connections: ReadonlyArray<ConnectionMoment>) => void;
  /** Says everything once more. */
  readonly republish: () => void;
}

export const problemOf = (code: CairnErrorCode): SyncProblem => {
  const { message, action } = new CairnError(code);
  return { code, message, action };
};

const ENTRY_STATES: ReadonlyArray<EntryState> = [
  "PENDING",
  "IN_FLIGHT",
  "SYNCED",
  "RETRYABLE_ERROR",
  "FATAL_ERROR",
  "DEAD_LETTER",
];

const STATUS_BY_CONDITION: Readonly<Record<Exclude<SyncCondition, "LIVE">, PlainSyncState["status"]>> = {
  LOCAL_ONLY: "local-only",
  PAUSED: "paused",
  OFFLINE: "offline",
  CONNECTING: "connecting",
  WAITING_FOR_TOKEN: "connecting",
  BACKING_OFF: "offline",
  STOPPED: "problem",
  QUOTA: "problem",
  STALLED: "stalled",
};

export const makeSyncStatus = (
  store: LocalStoreShape,
  workspace: WorkspaceId,
  record: {
    readonly server: string | undefined;
    readonly paused?: true | undefined;
    readonly lastSyncedAt: number | undefined;
  },
  listeners: StatusListeners,
): SyncStatus => {
  let facts: SyncFacts = { ...INITIAL_FACTS, server: record.server !== undefined, paused: record.paused === true };
  let server = record.server;
  let problem: SyncProblem | undefined;
  /** Undefined until the server has said how long the log is. */
  let incoming: number | undefined;
  let offlineSince: number | undefined;
  let { lastSyncedAt } = record;
  let counts = { pendingDocuments: 0, pendingBytes: 0, parked: 0 };
  let counted: CountedOutbox = countOutbox([], [], []);
  let told: { transitions: number; synced: number; lastSuccessAt: number | undefined } = {
    transitions: 0,
    synced: 0,
    lastSuccessAt: undefined,
  };
  let stalls = { count: 0, since: undefined as number | undefined };
  let nextAttemptAt: number | undefined;
  let simulatedOffline = false;
  let movements = 0;
  let preparing: Preparation | undefined;
  let moments: ReadonlyArray<ConnectionMoment> = [];
  let isStale = true;
  let published: PlainSyncState | undefined;
  let publishedOutbox: OutboxState | undefined;

  const status = (): PlainSyncState["status"] => {
    const condition = conditionOf(facts);
    if (condition !== "LIVE") return STATUS_BY_CONDITION[condition];
    return incoming !== 0 || counts.pendingDocuments > 0 ? "syncing" : "up-to-date";
  };
  const state = (): PlainSyncState => ({
    status: status(),
    server,
    offlineSince,
    lastSyncedAt,
    problem,
    incoming: incoming ?? 0,
    preparing,
    ...counts,
  });
  const outbox = (): OutboxState => ({
    condition: conditionOf(facts),
    problem,
    ...counted,
    states: { ...counted.states, SYNCED: told.synced },
    transitions: told.transitions,
    lastSuccessAt: told.lastSuccessAt,
    stalls: stalls.count,
    stalledSince: stalls.since,
    nextAttemptAt,
    paused: facts.paused,
    simulatedOffline,
  });
  const changed = (): void => {
    const next = state();
    if (published === undefined || !sameState(published, next)) {
      published = next;
      listeners.sync(next);
    }
    const nextOutbox = outbox();
    if (publishedOutbox !== undefined && sameOutbox(publishedOutbox, nextOutbox)) return;
    publishedOutbox = nextOutbox;
    listeners.outbox(nextOutbox);
  };

  return {
    state,
    outbox,
    connections: () => moments,
    condition: () => conditionOf(facts),
    facts: () => facts,
    tell: (event, code) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const from = conditionOf(facts);
        facts = nextFacts(facts, event);
        const to = conditionOf(facts);
        if (to === "OFFLINE" || to === "BACKING_OFF") offlineSince ??= now;
        if (to === "LIVE" || to === "PAUSED" || to === "LOCAL_ONLY") offlineSince = undefined;
        if (!facts.stalled) stalls = { ...stalls, since: undefined };
        if (code !== undefined) problem = problemOf(code);
        else if (!facts.stopped && !facts.full && problem !== undefined) problem = undefined;
        if (from !== to) listeners.event({ type: "condition", at: now, from, to, code });
        changed();
      }),
    connection: (type, code, waitMillis) =>
      Effect.map(Clock.currentTimeMillis, (at) => {
        moments = [...moments, { at, type, code, waitMillis }].slice(-MOMENTS);
        listeners.connections(moments);
      }),
    moved: (transition, { document, counter, code }) =>
      Effect.map(Clock.currentTimeMillis, (at) => {
        const { event, from, to, attempts } = transition;
        const synced = to === "SYNCED";
        told = {
          transitions: told.transitions + 1,
          synced: told.synced + (synced ? 1 : 0),
          lastSuccessAt: synced ? at : told.lastSuccessAt,
        };
        if (synced) movements += 1;
        const named = document === NO_DOCUMENT ? undefined : document;
        listeners.stale();
        listeners.event({ type: "transition", at, document: named, counter, event, from, to, attempts, code });
        if (to === "DEAD_LETTER" || from === "DEAD_LETTER") listeners.deadLetters();
      }),
    movements: () => movements,
    uploaded: () => {
      movements += 1;
    },
    stalled: (diagnosis) =>
      Effect.map(Clock.currentTimeMillis, (at) => {
        stalls =
          stalls.since === undefined
            ? { count: stalls.count + 1, since: at - diagnosis.idleMillis }
            : { ...stalls, since: stalls.since };
        listeners.event({ type: "stalled", at, diagnosis });
      }),
    setIncoming: (next) => {
      incoming = next;
      changed();
    },
    setPreparing: (next) => {
      preparing = next;
      changed();
    },
    setSyncedAt: (now) => {
      lastSyncedAt = now;
      changed();
    },
    setNextAttempt: (at) => {
      nextAttemptAt = at;
      changed();
    },
    setSimulatedOffline: (on) => {
      simulatedOffline = on;
      changed();
    },
    setServer: (next) => {
      server = next;
      facts = nextFacts(facts, { type: "server-named", named: next !== undefined });
      changed();
    },
    read: Effect.gen(function* () {
      isStale = false;
      const unacknowledged = yield* store.unacknowledged(workspace);
      const { pending, outgoing, streams } = unacknowledged;
      const parkedBefore = counts.parked;
      const held = heldDocuments(streams);
      const going = pending.filter(({ document }) => !held.has(document));
      const documents = new Set([...going, ...outgoing].map(({ document }) => document));
      counts = {
        pendingDocuments: documents.size,
        pendingBytes: sumOfBytes(going) + sumOfBytes(outgoing),
        parked: held.size,
      };
      const next = countOutbox(pending, outgoing, streams);
      if (JSON.stringify(next) !== JSON.stringify(counted)) counted = next;
      if (held.size !== parkedBefore) listeners.deadLetters();
      changed();
      return unacknowledged;
    }).pipe(
      Effect.onError(() =>
        Effect.sync(() => {
          isStale = true;
        }),
      ),
    ),
    setStale: () => {
      isStale = true;
    },
    isStale: () => isStale,
    adoptSync: (next) => {
      ({ server, offlineSince, lastSyncedAt, problem, preparing } = next);
      counts = { pendingDocuments: next.pendingDocuments, pendingBytes: next.pendingBytes, parked: next.parked };
      incoming = next.status === "syncing" && next.incoming === 0 ? undefined : next.incoming;
      published = next;
    },
    adoptOutbox: (next) => {
      facts = factsOf(next.condition, next.paused);
      const { states, entries, depth, bytes, oldestAt, attempts } = next;
      counted = { states, entries, depth, bytes, oldestAt, attempts };
      told = { transitions: next.transitions, synced: states.SYNCED, lastSuccessAt: next.lastSuccessAt };
      stalls = { count: next.stalls, since: next.stalledSince };
      ({ nextAttemptAt, simulatedOffline, problem } = next);
      publishedOutbox = next;
    },
    adoptConnections: (next) => {
      moments = next;
    },
    republish: () => {
      listeners.sync(state());
      listeners.outbox(outbox());
      listeners.connections(moments);
    },
  };
};

/** Facts that have this condition: what an engine that does not lead knows of the leader's. */
const factsOf = (condition: SyncCondition, paused: boolean): SyncFacts => ({
  server: condition !== "LOCAL_ONLY",
  paused,
  link: LINK_BY_CONDITION[condition] ?? "up",
  stopped: condition === "STOPPED",
  full: condition === "QUOTA",
  stalled: condition === "STALLED",
});

const LINK_BY_CONDITION: Partial<Record<SyncCondition, SyncFacts["link"]>> = {
  OFFLINE: "down",
  CONNECTING: "connecting",
  WAITING_FOR_TOKEN: "token",
  BACKING_OFF: "backing-off",
  PAUSED: "down",
};

/** `entries` are the same ones as long as nothing of them has changed. */
const sameOutbox = (left: OutboxState, right: OutboxState): boolean =>
  left.condition === right.condition &&
  left.problem?.code === right.problem?.code &&
  left.entries === right.entries &&
  left.depth === right.depth &&
  left.bytes === right.bytes &&
  left.oldestAt === right.oldestAt &&
  left.attempts === right.attempts &&
  ENTRY_STATES.every((state) => left.states[state] === right.states[state]) &&
  left.transitions === right.transitions &&
  left.lastSuccessAt === right.lastSuccessAt &&
  left.stalls === right.stalls &&
  left.stalledSince === right.stalledSince &&
  left.nextAttemptAt === right.nextAttemptAt &&
  left.paused === right.paused &&
  left.simulatedOffline === right.simulatedOffline;

const sameState = (left: PlainSyncState, right: PlainSyncState): boolean =>
  left.status === right.status &&
  left.server === right.server &&
  left.pendingDocuments === right.pendingDocuments &&
  left.pendingBytes === right.pendingBytes &&
  left.incoming === right.incoming &&
  left.offlineSince === right.offlineSince &&
  left.lastSyncedAt === right.lastSyncedAt &&
  left.problem?.code === right.problem?.code &&
  left.parked === right.parked &&
  left.preparing?.done === right.preparing?.done &&
  left.preparing?.total === right.preparing?.total;
