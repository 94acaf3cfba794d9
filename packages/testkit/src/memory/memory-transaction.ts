/** Operations of a store in memory: each is one synchronous step, and one that throws has changed nothing. */
import { Fenced, type StoreFailure } from "@cairn/client/effect";
import { Effect } from "effect";

/** Runs one operation of an open store. */
export type Run = <A>(operation: string, body: () => A) => Effect.Effect<A, StoreFailure>;

/** An operation whose body may throw `Fenced` before it changes anything. */
export const atomically = <A>(run: Run, operation: string, body: () => A): Effect.Effect<A, StoreFailure | Fenced> =>
  Effect.catchDefect(run(operation, body), (defect) =>
    defect instanceof Fenced ? Effect.fail(defect) : Effect.die(defect),
  );
