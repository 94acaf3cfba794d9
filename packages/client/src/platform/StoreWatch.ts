/**
 * The health of a store, seen from what it answers: full, interrupted, gone, or silent. Each is a state that the app
 * shows with a way out (hazard 19), and it ends by itself when the store works again.
 *
 * The watch changes nothing about an operation. One that does not answer is left alone, since nobody knows whether it
 * will; only the silence is told.
 */
import { Clock, Duration, Effect, type Scope } from "effect";
import type { CairnErrorCode } from "../errors.ts";
import { storageCode } from "../engine/failures.ts";
import { type LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";

/** An operation that has not answered for this long is told. Imports and encryption are no part of any operation. */
const SILENT_MILLIS = 8_000;

/** What is wrong with the store now. */
export interface StoreTrouble {
  readonly code: CairnErrorCode & `storage-${string}`;
  /** Milliseconds since 1970. */
  readonly since: number;
}

export interface StoreWatch {
  /** The same store, watched. */
  readonly store: LocalStoreShape;
  readonly trouble: () => StoreTrouble | undefined;
}

/** What only a new start ends: the operations of this store will go on failing. */
const isForGood = (trouble: StoreTrouble): boolean =>
  trouble.code === "storage-lost" || trouble.code === "storage-newer";

/** Operations that take room: that one of them succeeded says that there is some. */
const takesRoom = (operation: string): boolean =>
  operation === "appendUpdates" || operation === "freeze" || operation === "receive" || operation === "putChunks";

/** Watches a store until the scope ends. `changed` hears of every new trouble and of its end. */
export const watchStore = (
  store: LocalStoreShape,
  changed: (trouble: StoreTrouble | undefined) => void,
): Effect.Effect<StoreWatch, never, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock;
    const scope = yield* Effect.scope;
    /** When operations that are under way began, oldest first. */
    const underWay = new Map<number, number>();
    let operations = 0;
    let trouble: StoreTrouble | undefined;
    let sleeping = false;
    let open = true;
    yield* Effect.addFinalizer(() => Effect.sync(() => void (open = false)));

    const set = (next: StoreTrouble["code"] | undefined): void => {
      if (!open || trouble?.code === next || (trouble !== undefined && isForGood(trouble))) return;
      trouble = next === undefined ? undefined : { code: next, since: clock.currentTimeMillisUnsafe() };
      changed(trouble);
    };

    /** Looks at the oldest operation when it might have become too old, and sleeps while nothing is under way. */
    const lookAfter = Effect.gen(function* () {
      for (;;) {
        const [oldest] = underWay.values();
        if (oldest === undefined) break;
        const age = clock.currentTimeMillisUnsafe() - oldest;
        if (age >= SILENT_MILLIS) set("storage-unresponsive");
        yield* Effect.sleep(Duration.millis(age >= SILENT_MILLIS ? SILENT_MILLIS : SILENT_MILLIS - age));
      }
      sleeping = false;
    });

    const settle = (operation: string, failure: unknown): void => {
      if (failure instanceof StoreFailure) {
        // Edits of a workspace that was removed meanwhile are refused so; a store that is closed refuses everything.
        const { reason } = failure;
        const isTheEdits = reason === "retired" || reason === "rebuilt";
        if (!isTheEdits && (operation !== "appendUpdates" || reason !== "unavailable")) set(storageCode[reason]);
      } else if (failure === undefined && trouble !== undefined) {
        if (trouble.code !== "storage-full" || takesRoom(operation)) set(undefined);
      }
    };

    const watched = <A, E, R>(operation: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      Effect.suspend(() => {
        const id = (operations += 1);
        underWay.set(id, clock.currentTimeMillisUnsafe());
        if (!sleeping) {
          sleeping = true;
          Effect.runFork(Effect.forkIn(Effect.provideService(lookAfter, Clock.Clock, clock), scope));
        }
        return Effect.onExit(effect, (exit) =>
          Effect.sync(() => {
            underWay.delete(id);
            if (exit._tag === "Success") settle(operation, undefined);
            else {
              const failed = exit.cause.reasons.find((reason) => reason._tag === "Fail");
              if (failed !== undefined) settle(operation, failed.error);
            }
          }),
        );
      });

    const wrapped = new Map<PropertyKey, unknown>();
    const wrap = (name: PropertyKey, member: unknown): unknown => {
      if (name === "close") return member;
      if (Effect.isEffect(member)) return watched(String(name), member);
      if (typeof member !== "function") return member;
      return (...args: ReadonlyArray<unknown>): unknown => {
        const result: unknown = Reflect.apply(member, store, args);
        return Effect.isEffect(result) ? watched(String(name), result) : result;
      };
    };
    return {
      store: new Proxy(store, {
        get: (target, name) => {
          if (!wrapped.has(name)) wrapped.set(name, wrap(name, Reflect.get(target, name)));
          return wrapped.get(name);
        },
      }),
      trouble: () => trouble,
    };
  });
