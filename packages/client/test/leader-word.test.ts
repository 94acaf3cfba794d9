/** Whose word counts where several engines take themselves for the leader. */
import { it } from "@effect/vitest";
import { Effect } from "effect";
import { describe, expect } from "vitest";
import { makeLeaderWord } from "../src/engine/LeaderWord.ts";

describe("the leader's word", () => {
  it.effect("hazard 18: who comes to lead after a newer leader has spoken does not begin", () =>
    Effect.gen(function* () {
      const word = makeLeaderWord();
      expect(word.hears(2)).toBe(true);
      expect(yield* Effect.flip(word.lead(1, Effect.never))).toMatchObject({ _tag: "Fenced" });
      expect(word.fence()).toBeUndefined();
      expect(yield* word.lead(3, Effect.sync(word.fence))).toBe(3);
    }),
  );
});
