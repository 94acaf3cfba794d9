/** Locks of engines in one process. */
import { it } from "@effect/vitest";
import { Deferred, Effect, Fiber } from "effect";
import { describe, expect } from "vitest";
import { makeInProcessLocks } from "../src/platform/Locks.ts";

describe("locks in process", () => {
  it.effect("hazard 18: a lock that is taken from its holder is not also given to who waits for it", () =>
    Effect.gen(function* () {
      const locks = makeInProcessLocks();
      const happened: Array<string> = [];
      const hold = (name: string, mode: "wait" | "steal", until: Effect.Effect<void>) =>
        Effect.scoped(
          Effect.gen(function* () {
            const held = yield* locks.acquire("leader", mode);
            happened.push(`${name} has it`);
            yield* Effect.raceFirst(held.lost, until);
            happened.push(`${name} lets go`);
          }),
        );
      const end = yield* Deferred.make<void>();
      const first = yield* Effect.forkChild(hold("first", "wait", Effect.never), { startImmediately: true });
      const waiting = yield* Effect.forkChild(hold("waiting", "wait", Effect.void), { startImmediately: true });
      const thief = yield* Effect.forkChild(hold("thief", "steal", Deferred.await(end)), { startImmediately: true });
      yield* Fiber.join(first);
      expect(happened).not.toContain("waiting has it");
      yield* Deferred.succeed(end, undefined);
      yield* Fiber.join(thief);
      yield* Fiber.join(waiting);
      expect(happened.slice(-3)).toEqual(["thief lets go", "waiting has it", "waiting lets go"]);
    }),
  );
});
