/**
 * Named locks that the engines of one profile share: Web Locks in browsers, where every tab has an engine; a table in
 * process in Node, where the store's directory lock leaves one engine.
 */
import { Context, Deferred, Effect, Layer, type Scope } from "effect";

export interface HeldLock {
  /** Completes when somebody else took the lock away. */
  readonly lost: Effect.Effect<void>;
}

export interface LocksShape {
  /** Holds a lock until the scope ends. `wait`: after those who came before. `steal`: takes it from its holder at once. */
  readonly acquire: (name: string, mode: "wait" | "steal") => Effect.Effect<HeldLock, never, Scope.Scope>;
  /** Holds a lock until the scope ends, if nobody else has it. */
  readonly tryAcquire: (name: string) => Effect.Effect<HeldLock | undefined, never, Scope.Scope>;
}

/** The service. */
export class Locks extends Context.Service<Locks, LocksShape>()("cairn/client/Locks") {
  /** The locks of this browser's origin. */
  static readonly web = (manager: LockManager): Layer.Layer<Locks> => Layer.succeed(Locks, makeWebLocks(manager));
  /** Locks among those who get this very layer's service. */
  static readonly inProcess: Layer.Layer<Locks> = Layer.sync(Locks, () => makeInProcessLocks());
}

/** Web Locks (the Web Locks API of the W3C), in pages and in workers. */
export const makeWebLocks = (manager: LockManager): LocksShape => {
  const request = (name: string, options: LockOptions) =>
    Effect.gen(function* () {
      const lost = yield* Deferred.make<void>();
      let release = (): void => {};
      let settled: Promise<unknown> = Promise.resolve();
      // Before the request, so that a lock which is granted while its waiter is interrupted is given back.
      // The lock is let go of when the scope has ended. Others of the origin may be told so a moment later.
      yield* Effect.addFinalizer(() =>
        Effect.promise(() => {
          release();
          return settled;
        }),
      );
      return yield* Effect.callback<HeldLock | undefined>((resume, signal) => {
        const held = new Promise<void>((resolve) => {
          release = resolve;
        });
        let granted = false;
        settled = manager
          .request(name, options.steal === true || options.ifAvailable === true ? options : { signal }, (lock) => {
            granted = true;
            resume(Effect.succeed(lock === null ? undefined : { lost: Deferred.await(lost) }));
            return lock === null ? undefined : held;
          })
          .catch((error: unknown) => {
            // A lock that was granted fails only by being stolen; a request that was not, by its signal or for good.
            if (granted) Deferred.doneUnsafe(lost, Effect.void);
            else if (!signal.aborted) resume(Effect.die(error));
          });
      });
    });
  return {
    acquire: (name, mode) =>
      Effect.flatMap(request(name, mode === "steal" ? { steal: true } : {}), (held) =>
        held === undefined ? Effect.die(new Error("a lock request that waits was refused")) : Effect.succeed(held),
      ),
    tryAcquire: (name) => request(name, { ifAvailable: true }),
  };
};

/** The same in process. */
export const makeInProcessLocks = (): LocksShape => {
  interface Line {
    holder: Deferred.Deferred<void> | undefined;
    readonly waiting: Array<() => void>;
  }
  const lines = new Map<string, Line>();
  const lineOf = (name: string): Line => {
    const line = lines.get(name) ?? { holder: undefined, waiting: [] };
    lines.set(name, line);
    return line;
  };

  const hold = (name: string, lost: Deferred.Deferred<void>): HeldLock => {
    lineOf(name).holder = lost;
    return { lost: Deferred.await(lost) };
  };
  const release = (name: string, lost: Deferred.Deferred<void>): void => {
    const line = lineOf(name);
    if (line.holder !== lost) return;
    line.holder = undefined;
    const next = line.waiting.shift();
    if (next === undefined) lines.delete(name);
    else next();
  };
  const own = (name: string) =>
    Effect.gen(function* () {
      const lost = yield* Deferred.make<void>();
      yield* Effect.addFinalizer(() => Effect.sync(() => release(name, lost)));
      return lost;
    });

  return {
    acquire: (name, mode) =>
      Effect.flatMap(own(name), (lost) =>
        Effect.callback<HeldLock>((resume) => {
          const line = lineOf(name);
          if (mode === "steal" || line.holder === undefined) {
            const before = line.holder;
            const held = hold(name, lost);
            // Who hears that it is lost may let go of it at once: it is somebody else's by then.
            if (before !== undefined) Deferred.doneUnsafe(before, Effect.void);
            return resume(Effect.succeed(held));
          }
          const turn = (): void => resume(Effect.succeed(hold(name, lost)));
          line.waiting.push(turn);
          return Effect.sync(() => {
            const at = line.waiting.indexOf(turn);
            if (at >= 0) line.waiting.splice(at, 1);
          });
        }),
      ),
    tryAcquire: (name) =>
      Effect.map(own(name), (lost) => (lineOf(name).holder === undefined ? hold(name, lost) : undefined)),
  };
};
