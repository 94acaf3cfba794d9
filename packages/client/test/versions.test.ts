/** Tabs with different versions of the app on one profile: the newer talks to the server, nothing is forced. */
import { it } from "@effect/vitest";
import { Effect, Exit, Fiber, Layer, Queue, Scope } from "effect";
import { TestClock } from "effect/testing";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Leadership } from "../src/platform/Leadership.ts";
import { Locks, makeInProcessLocks } from "../src/platform/Locks.ts";
import { makeNotifierHub, Notifier } from "../src/platform/Notifier.ts";
import {
  type AppVersion,
  compareAppVersions,
  makeVersions,
  type VersionChannel,
  type VersionMessage,
  Versions,
} from "../src/platform/Versions.ts";
import type { Fence } from "../src/store/store-changes.ts";
import { LocalStore } from "../src/store/LocalStore.ts";
import { layer as sqliteStore } from "../src/store/SqliteStore.ts";

/** A channel of one process. What a deaf tab says and hears is lost: it is frozen, or crashed. */
const makeAir = () => {
  const listeners = new Map<string, Set<(message: unknown) => void>>();
  const deaf = new Set<string>();
  const connect = (name: string): VersionChannel => ({
    post: (message) => {
      if (deaf.has(name)) return;
      for (const [other, callbacks] of listeners) {
        if (other !== name && !deaf.has(other)) for (const callback of callbacks) callback(structuredClone(message));
      }
    },
    listen: (callback) => {
      listeners.set(name, new Set([...(listeners.get(name) ?? []), callback]));
      return () => void listeners.delete(name);
    },
  });
  return {
    connect,
    deaf,
    say: (message: unknown) => listeners.forEach((all) => all.forEach((heard) => heard(message))),
  };
};

test("the first part that differs decides which version is newer", () => {
  const order: ReadonlyArray<AppVersion> = [[], [1], [1, 0, 3], [1, 2], [1, 2, 1], [2]];
  for (const [index, left] of order.entries()) {
    for (const [other, right] of order.entries()) {
      expect(Math.sign(compareAppVersions(left, right))).toBe(Math.sign(index - other));
    }
  }
  expect(compareAppVersions([1, 0, 0], [1])).toBe(0);
});

it.effect("the older tab hears of the newer one and of its end, however it ends", () =>
  Effect.gen(function* () {
    const air = makeAir();
    const older = yield* makeVersions(air.connect("older"), [1, 1, 0]);
    expect(older.state()).toEqual({ status: "current", olderTabs: 0 });
    const scope = yield* Scope.make();
    const newer = yield* makeVersions(air.connect("newer"), [1, 1, 1]).pipe(Scope.provide(scope));
    expect(older.state()).toEqual({ status: "outdated", olderTabs: 0 });
    expect(newer.state()).toEqual({ status: "current", olderTabs: 1 });

    // Both stay as long as they answer.
    yield* TestClock.adjust(60_000);
    expect([older.state().status, newer.state().olderTabs]).toEqual(["outdated", 1]);
    yield* Scope.close(scope, Exit.void);
    expect(older.state().status).toBe("current");

    const crashing = yield* makeVersions(air.connect("crashing"), [2]);
    expect(older.state().status).toBe("outdated");
    air.deaf.add("crashing");
    yield* TestClock.adjust(16_000);
    expect(older.state().status).toBe("current");
    expect(crashing.state().olderTabs).toBe(0);
  }).pipe(Effect.scoped),
);

it.effect("tabs of one version, and noise on the channel, change nothing", () =>
  Effect.gen(function* () {
    const air = makeAir();
    const one = yield* makeVersions(air.connect("one"), [1, 1, 0]);
    const same = yield* makeVersions(air.connect("same"), [1, 1, 0]);
    const tooNew = { cairn: "version", tab: "x", version: ["99"], says: "here" };
    for (const noise of [undefined, "here", { cairn: "version" }, tooNew]) air.say(noise);
    expect([one.state(), same.state()].map(({ status }) => status)).toEqual(["current", "current"]);
    const message: VersionMessage = { cairn: "version", tab: "x", version: [1, 1, 0, 0, 7], says: "here" };
    air.say(message);
    expect(one.state().status).toBe("outdated");
  }).pipe(Effect.scoped),
);

it.effect("the older leader finishes, steps back, and leads again when no newer tab is left (two versions)", () =>
  Effect.gen(function* () {
    const directory = yield* Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "cairn-versions-"))),
      (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true })),
    );
    const store = yield* Effect.provide(LocalStore, yield* Layer.build(sqliteStore({ directory })));
    const [air, hub, locks] = [makeAir(), makeNotifierHub(), makeInProcessLocks()];
    const events = yield* Queue.unbounded<string>();
    const tab = Effect.fnUntraced(function* (name: string, version: AppVersion) {
      const versions = yield* makeVersions(air.connect(name), version);
      const context = yield* Layer.build(
        Leadership.layer(directory).pipe(
          Layer.provide([
            Layer.succeed(Locks, locks),
            Notifier.inProcess(hub),
            Layer.succeed(LocalStore, store),
            Layer.succeed(Versions, versions),
          ]),
        ),
      );
      const leadership = yield* Effect.provide(Leadership, context);
      return yield* Effect.forkScoped(
        leadership.lead((fence: Fence) =>
          Queue.offer(events, `${name} leads with ${fence}`).pipe(
            Effect.andThen(Effect.never),
            Effect.onInterrupt(() => Queue.offer(events, `${name} stops`)),
          ),
        ),
      );
    });
    yield* tab("older", [1, 1]);
    expect(yield* Queue.take(events)).toBe("older leads with 1");
    const scope = yield* Scope.make();
    yield* tab("newer", [1, 2]).pipe(Scope.provide(scope));
    // It has a moment to finish what is on its way.
    yield* TestClock.adjust(500);
    expect(yield* Queue.size(events)).toBe(0);
    yield* TestClock.adjust(600);
    expect(yield* Queue.take(events)).toBe("older stops");
    expect(yield* Queue.take(events)).toBe("newer leads with 2");
    yield* TestClock.adjust(60_000);
    expect(yield* Queue.size(events)).toBe(0);
    yield* Scope.close(scope, Exit.void);
    expect(yield* Queue.take(events)).toBe("newer stops");
    const again = yield* Effect.forkChild(Queue.take(events));
    yield* TestClock.adjust(1_000);
    expect(yield* Fiber.join(again)).toBe("older leads with 3");
  }).pipe(Effect.scoped),
);
