/** What pages ask about the outbox, and what they may do to it: the engine's side of `SyncControl`. */
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import { Duration, Effect, type Scope } from "effect";
import type { PeerID } from "loro-crdt";
import { Importer } from "../documents/Importer.ts";
import { peerIdOf } from "../documents/peer-ids.ts";
import { CairnError } from "../errors.ts";
import type { NotifierShape } from "../platform/Notifier.ts";
import type { PeerLeasesShape } from "../platform/PeerLeases.ts";
import type { LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import * as DeadLetters from "./DeadLetters.ts";
import type { EngineServices } from "./Engine.ts";
import type { EngineApi } from "./EngineApi.ts";
import { leaseFresh } from "./fresh-lease.ts";
import { requireCurrentApp } from "./MinimumVersion.ts";
import { writeReport } from "./sync-report.ts";
import { unsyncedOf } from "./unsynced.ts";
import type { WorkspaceRuntime } from "./WorkspaceRuntime.ts";
import type { Publisher } from "./Workspaces.ts";

export interface SyncControlsOptions {
  /** Of the app's schema. */
  readonly version: number;
  readonly store: LocalStoreShape;
  readonly runtimeOf: (workspace: WorkspaceId) => Effect.Effect<WorkspaceRuntime, StoreFailure | CairnError>;
  readonly promise: <A, E>(effect: Effect.Effect<A, E, EngineServices | Scope.Scope>) => Promise<A>;
  readonly publisher: Publisher;
  readonly notifier: NotifierShape;
  readonly leases: PeerLeasesShape;
}

type SyncCalls = Pick<
  EngineApi,
  | "syncState"
  | "syncNow"
  | "flush"
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

type Work = DeadLetters.DeadLetterWork;

/** How soon somebody who waits for the outbox looks at it again, in milliseconds: less often while nothing moves. */
const FLUSH_LOOK = { first: 15, most: 120 };

export const syncControls = (options: SyncControlsOptions): SyncCalls => {
  const { version, store, runtimeOf, promise, publisher, notifier, leases } = options;

  const workOf = Effect.fnUntraced(function* (workspace: WorkspaceId) {
    return { store, runtime: yield* runtimeOf(workspace), importer: yield* Importer } satisfies Work;
  });

  /** With a peer id that nobody else writes under, as long as it takes, and under which nothing of the dead letter was written. */
  const withPeer = <A, E>(
    workspace: WorkspaceId,
    document: DocumentId,
    what: "reads" | "writes",
    use: (work: Work, peer: PeerID) => Effect.Effect<A, E>,
  ): Promise<A> =>
    promise(
      Effect.gen(function* () {
        const work = yield* workOf(workspace);
        const { context } = work.runtime;
        if (what === "writes") yield* requireCurrentApp(version, context.membership);
        return yield* Effect.acquireUseRelease(
          leaseFresh(leases, context, yield* DeadLetters.leasesIn(work, document)),
          ({ lease }) => use(work, peerIdOf(context.device, lease)),
          ({ release }) => release,
        );
      }),
    );

  /** The outbox changed by a person's hand: this engine counts anew, and whoever leads looks at it. */
  const decided = Effect.fnUntraced(function* ({ runtime }: Work) {
    const { workspace } = runtime.context;
    yield* runtime.status.read;
    runtime.outboxChanged(false);
    yield* notifier.notify({ type: "outbox", workspace, rowless: false });
    publisher.everywhere({ type: "dead-letters", workspace });
  });

  const rebuilt = Effect.fnUntraced(function* (work: Work, document: DocumentId, { type, peers }: DeadLetters.Rebuilt) {
    const { workspace } = work.runtime.context;
    yield* work.runtime.rebuilt(document, peers);
    publisher.everywhere({ type: "rebuilt", workspace, document, peers });
    work.runtime.edited([{ document, type }]);
    yield* decided(work);
  });

  const flush = Effect.fnUntraced(function* (workspace: WorkspaceId) {
    const runtime = yield* runtimeOf(workspace);
    if (runtime.context.record.server === undefined) return yield* Effect.fail(new CairnError("no-server"));
    runtime.driver.wake();
    let wait = FLUSH_LOOK.first;
    let before: number | undefined;
    for (;;) {
      yield* runtime.status.read;
      const { pendingDocuments, pendingBytes, problem } = runtime.status.state();
      if (pendingDocuments === 0) return;
      if (problem !== undefined && problem.action === "stop") {
        return yield* Effect.fail(new CairnError(problem.code, problem.message));
      }
      wait = pendingBytes === before ? Math.min(2 * wait, FLUSH_LOOK.most) : FLUSH_LOOK.first;
      before = pendingBytes;
      yield* Effect.sleep(Duration.millis(wait));
    }
  });

  return {
    syncState: (workspace) => promise(Effect.map(runtimeOf(workspace), ({ status }) => status.state())),
    syncNow: (workspace) =>
      promise(
        Effect.gen(function* () {
          const runtime = yield* runtimeOf(workspace);
          runtime.driver.retryNow();
          yield* notifier.notify({ type: "sync-now", workspace });
        }),
      ),
    flush: (workspace, tier, timeout) =>
      promise(
        tier === "device"
          ? Effect.void
          : timeout === undefined
            ? flush(workspace)
            : flush(workspace).pipe(
                Effect.timeoutOrElse({
                  duration: Duration.millis(timeout),
                  orElse: () => Effect.fail(new CairnError("timeout")),
                }),
              ),
      ),

    outbox: (workspace) =>
      promise(
        Effect.gen(function* () {
          const { status, fence } = yield* runtimeOf(workspace);
          yield* status.read;
          if (fence() === undefined) yield* notifier.notify({ type: "sync-asked", workspace });
          return status.outbox();
        }),
      ),
    connections: (workspace) => promise(Effect.map(runtimeOf(workspace), ({ status }) => status.connections())),
    unsynced: (workspace) => promise(unsyncedOf(store, workspace)),

    deadLetters: (workspace) => promise(Effect.flatMap(workOf(workspace), DeadLetters.listDeadLetters)),
    retryDeadLetter: (workspace, document) =>
      promise(
        Effect.gen(function* () {
          const work = yield* workOf(workspace);
          yield* DeadLetters.retryDeadLetter(work, document);
          yield* decided(work);
        }),
      ),
    exportDeadLetter: (workspace, document) =>
      withPeer(workspace, document, "reads", (work, peer) => DeadLetters.exportDeadLetter(work, document, peer)),
    previewDiscard: (workspace, document) =>
      withPeer(workspace, document, "reads", (work, peer) => DeadLetters.previewDiscard(work, document, peer)),
    discardDeadLetter: (workspace, document) =>
      withPeer(workspace, document, "writes", (work, peer) =>
        Effect.gen(function* () {
          const done = yield* DeadLetters.discardDeadLetter(work, document, peer);
          yield* rebuilt(work, document, done);
          return done.preview;
        }),
      ),
    forkDeadLetter: (workspace, document) =>
      withPeer(workspace, document, "writes", (work, peer) =>
        Effect.gen(function* () {
          const done = yield* DeadLetters.forkDeadLetter(work, document, peer);
          yield* rebuilt(work, document, done);
          work.runtime.edited([{ document: done.fork, type: done.type }]);
          return done.fork;
        }),
      ),

    pauseSync: (workspace, paused) =>
      promise(
        Effect.gen(function* () {
          const { driver } = yield* runtimeOf(workspace);
          yield* store.updateWorkspace(workspace, { paused: paused ? true : undefined });
          yield* driver.pause(paused);
          yield* notifier.notify({ type: "sync-paused", workspace, paused });
        }),
      ),
    simulateOffline: (workspace, on) =>
      promise(
        Effect.gen(function* () {
          const { driver } = yield* runtimeOf(workspace);
          yield* driver.simulateOffline(on);
          yield* notifier.notify({ type: "offline-simulated", workspace, on });
        }),
      ),
    syncReport: (workspace) =>
      promise(
        Effect.gen(function* () {
          const work = yield* workOf(workspace);
          const { status, context } = work.runtime;
          yield* status.read;
          return yield* writeReport({
            sync: status.state(),
            outbox: status.outbox(),
            connections: status.connections(),
            letters: yield* DeadLetters.listDeadLetters(work),
            unsynced: yield* unsyncedOf(store, workspace),
            position: yield* store.position(workspace),
            workspace,
            device: context.device,
            role: context.record.role,
            leads: work.runtime.fence() !== undefined,
            version,
            minimumVersion: context.membership.minimumVersion,
          });
        }),
      ),
  };
};
