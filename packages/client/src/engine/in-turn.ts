/** What only one tab of a profile may do at a time. */
import { Effect } from "effect";
import { CairnError } from "../errors.ts";
import type { LocksShape } from "../platform/Locks.ts";
import { toCairnError } from "./failures.ts";

/** Runs something when nobody else of the profile holds the lock. Fails with `aborted` where the signal ends the wait. */
export const inTurn = <A>(
  locks: LocksShape,
  lock: string,
  run: () => Promise<A>,
  signal: AbortSignal | undefined,
): Effect.Effect<A, CairnError> =>
  Effect.raceFirst(locks.acquire(lock, "wait"), untilAborted(signal)).pipe(
    Effect.andThen(Effect.tryPromise({ try: run, catch: toCairnError })),
    Effect.scoped,
  );

const untilAborted = (signal: AbortSignal | undefined): Effect.Effect<never, CairnError> =>
  Effect.callback((resume) => {
    if (signal === undefined) return undefined;
    const abort = (): void => resume(Effect.fail(new CairnError("aborted")));
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
    return Effect.sync(() => signal.removeEventListener("abort", abort));
  });
