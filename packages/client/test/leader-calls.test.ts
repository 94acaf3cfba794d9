import { it } from "@effect/vitest";
import { LinkId } from "@cairn/protocol";
import { Effect, Fiber } from "effect";
import { TestClock } from "effect/testing";
import { describe, expect } from "vitest";
import { type LeaderCall, makeLeaderCalls } from "../src/engine/LeaderCalls.ts";
import { makeNotifierHub } from "../src/platform/Notifier.ts";
import { workspace } from "./fixtures/devices.ts";

const link = LinkId.make("A".repeat(22));
const call: LeaderCall = {
  type: "create-link",
  workspace,
  options: { role: "writer", name: "", label: "", maxUses: 0, expiresInMillis: undefined },
};

/** Two tabs of one profile, who may lead by turns, and how often each was made to perform. */
const twoTabs = (performs: Effect.Effect<void> = Effect.void) =>
  Effect.gen(function* () {
    const hub = makeNotifierHub();
    const makeTab = Effect.fnUntraced(function* (url: string) {
      const tab = { leads: false, performed: 0 };
      const { onLeader } = yield* makeLeaderCalls(
        hub.connect(),
        () => tab.leads,
        () =>
          Effect.sync(() => (tab.performed += 1)).pipe(
            Effect.andThen(performs),
            Effect.as({ type: "link" as const, url, link }),
          ),
      );
      return Object.assign(tab, { onLeader });
    });
    return [yield* makeTab("first"), yield* makeTab("second")] as const;
  });

describe("a call to the leader", () => {
  it.effect("that is made before anybody leads is answered by whoever comes to lead", () =>
    Effect.gen(function* () {
      const [asking, other] = yield* twoTabs();
      const answer = yield* Effect.forkChild(asking.onLeader(call), { startImmediately: true });
      yield* TestClock.adjust("1 second");
      other.leads = true;
      yield* TestClock.adjust("1 second");
      expect(yield* Fiber.join(answer)).toMatchObject({ url: "second" });
      expect(asking.performed).toBe(0);
    }),
  );

  it.effect("is the caller's own when the caller comes to lead", () =>
    Effect.gen(function* () {
      const [asking] = yield* twoTabs();
      const answer = yield* Effect.forkChild(asking.onLeader(call), { startImmediately: true });
      yield* TestClock.adjust("1 second");
      asking.leads = true;
      yield* TestClock.adjust("1 second");
      expect(yield* Fiber.join(answer)).toMatchObject({ url: "first" });
    }),
  );

  it.effect("is performed once, however long it takes", () =>
    Effect.gen(function* () {
      const [asking, other] = yield* twoTabs(Effect.sleep("10 seconds"));
      other.leads = true;
      const answer = yield* Effect.forkChild(asking.onLeader(call), { startImmediately: true });
      yield* TestClock.adjust("11 seconds");
      expect(yield* Fiber.join(answer)).toMatchObject({ url: "second" });
      expect(other.performed).toBe(1);
    }),
  );

  it.effect("that nobody takes fails in the end", () =>
    Effect.gen(function* () {
      const [asking] = yield* twoTabs();
      const answer = yield* Effect.forkChild(Effect.flip(asking.onLeader(call)), { startImmediately: true });
      yield* TestClock.adjust("41 seconds");
      expect((yield* Fiber.join(answer)).code).toBe("unavailable");
    }),
  );
});
