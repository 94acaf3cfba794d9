import { it } from "@effect/vitest";
import { Effect, Exit, Fiber, Layer, Queue, Scope } from "effect";
import { TestClock } from "effect/testing";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { Leadership } from "../src/platform/Leadership.ts";
import { Locks, type LocksShape, makeInProcessLocks, makeWebLocks } from "../src/platform/Locks.ts";
import { makeNotifierHub, Notifier, type NotifierHub } from "../src/platform/Notifier.ts";
import { PeerLeases } from "../src/platform/PeerLeases.ts";
import { Fenced, LocalStore, StoreFailure } from "../src/store/LocalStore.ts";
import type { Fence } from "../src/store/store-changes.ts";
import { layer as sqliteStore } from "../src/store/SqliteStore.ts";
import { workspace } from "./fixtures/devices.ts";

// Node has Web Locks too: both kinds are put to the same tests.
const kinds: ReadonlyArray<readonly [string, () => LocksShape]> = [
  ["in process", () => makeInProcessLocks()],
  ["Web Locks", () => makeWebLocks(navigator.locks)],
];
let profiles = 0;
const freshProfile = (): string => `profile-${(profiles += 1)}-${process.pid}`;

const temporaryFolder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "cairn-leadership-"))),
  (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true })),
);

describe.each(kinds)("locks: %s", (_name, makeLocks) => {
  it.effect("one holds a lock, the others wait in line, and who stops waiting loses the place", () =>
    Effect.gen(function* () {
      const locks = makeLocks();
      const name = freshProfile();
      const order: Array<string> = [];
      const turn = (who: string) =>
        Effect.scoped(
          Effect.gen(function* () {
            yield* locks.acquire(name, "wait");
            order.push(who);
            yield* Effect.sleep(10);
            order.push(`${who} ends`);
          }),
        );
      const first = yield* Effect.forkChild(turn("first"), { startImmediately: true });
      const impatient = yield* Effect.forkChild(turn("impatient"), { startImmediately: true });
      const last = yield* Effect.forkChild(turn("last"), { startImmediately: true });
      yield* Fiber.interrupt(impatient);
      yield* Fiber.joinAll([first, last]);
      expect(order).toEqual(["first", "first ends", "last", "last ends"]);
      expect(yield* Effect.scoped(locks.tryAcquire(name))).toBeDefined();
    }).pipe(TestClock.withLive),
  );

  it.effect("a lock that is taken can be tried for and stolen; its holder hears of it", () =>
    Effect.gen(function* () {
      const locks = makeLocks();
      const name = freshProfile();
      const holder = yield* Scope.make();
      const held = yield* locks.acquire(name, "wait").pipe(Scope.provide(holder));
      expect(yield* Effect.scoped(locks.tryAcquire(name))).toBeUndefined();
      const thief = yield* Scope.make();
      yield* locks.acquire(name, "steal").pipe(Scope.provide(thief));
      yield* held.lost;
      // The robbed holder ends; the lock is still the thief's.
      yield* Scope.close(holder, Exit.void);
      expect(yield* Effect.scoped(locks.tryAcquire(name))).toBeUndefined();
      yield* Scope.close(thief, Exit.void);
      expect(yield* Effect.scoped(locks.tryAcquire(name))).toBeDefined();
    }),
  );

  it.effect("peer leases are the lowest free numbers, never one twice (L4, L5)", () =>
    Effect.gen(function* () {
      const locks = makeLocks();
      const profile = freshProfile();
      // Two tabs: each has the service, both have the same locks.
      const tab = Effect.gen(function* () {
        const context = yield* Layer.build(PeerLeases.layer(profile).pipe(Layer.provide(Layer.succeed(Locks, locks))));
        return yield* Effect.provide(PeerLeases, context);
      });
      const one = yield* tab;
      const otherScope = yield* Scope.make();
      const other = yield* tab.pipe(Scope.provide(otherScope));

      const leases = yield* Effect.all(
        [one.acquire(workspace), other.acquire(workspace), one.acquire(workspace), other.acquire(workspace)],
        { concurrency: "unbounded" },
      );
      expect(leases.map(({ lease }) => lease).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
      const released = leases.find(({ lease }) => lease === 1);
      yield* released?.release ?? Effect.void;
      expect((yield* other.acquire(workspace)).lease).toBe(1);
      // A tab that goes away gives back all that it had.
      const ofOther = [leases[1]?.lease ?? -1, leases[3]?.lease ?? -1, 1].toSorted((a, b) => a - b);
      yield* Scope.close(otherScope, Exit.void);
      expect((yield* one.acquire(workspace)).lease).toBe(Math.min(...ofOther));
    }).pipe(Effect.scoped),
  );

  describe("leadership", () => {
    const tab = (profile: string, locks: LocksShape, hub: NotifierHub, store: LocalStore["Service"]) =>
      Layer.build(
        Leadership.layer(profile).pipe(
          Layer.provide([Layer.succeed(Locks, locks), Notifier.inProcess(hub), Layer.succeed(LocalStore, store)]),
        ),
      ).pipe(Effect.flatMap((context) => Effect.provide(Leadership, context)));

    const setting = Effect.gen(function* () {
      const directory = yield* temporaryFolder;
      const store = yield* Layer.build(sqliteStore({ directory })).pipe(
        Effect.flatMap((context) => Effect.provide(LocalStore, context)),
      );
      const events = yield* Queue.unbounded<string>();
      const [profile, locks, hub] = [freshProfile(), makeLocks(), makeNotifierHub()];
      return {
        store,
        events,
        next: Queue.take(events),
        join: tab(profile, locks, hub, store),
        takeOver: locks.acquire(`cairn/v1/${profile}/leader`, "steal"),
        /** Says when it begins and ends, and leads until interrupted. */
        reporting: (who: string) => (fence: Fence) =>
          Queue.offer(events, `${who} leads with ${fence}`).pipe(
            Effect.andThen(Effect.never),
            Effect.onInterrupt(() => Queue.offer(events, `${who} stops`)),
          ),
      };
    });

    it.effect("belongs to one, and passes to the next with a higher fence when it goes", () =>
      Effect.gen(function* () {
        const { join, next, reporting } = yield* setting;
        const [one, other] = [yield* join, yield* join];
        const first = yield* Effect.forkChild(one.lead(reporting("one")), { startImmediately: true });
        expect(yield* next).toBe("one leads with 1");
        const second = yield* Effect.forkChild(other.lead(reporting("other")), { startImmediately: true });
        yield* Fiber.interrupt(first);
        expect(yield* next).toBe("one stops");
        expect(yield* next).toBe("other leads with 2");
        yield* Fiber.interrupt(second);
      }).pipe(Effect.scoped),
    );

    it.effect("that is taken away interrupts, and is waited for again", () =>
      Effect.gen(function* () {
        const { join, next, reporting, takeOver } = yield* setting;
        const one = yield* join;
        const fiber = yield* Effect.forkChild(one.lead(reporting("one")), { startImmediately: true });
        expect(yield* next).toBe("one leads with 1");
        const thief = yield* Scope.make();
        yield* takeOver.pipe(Scope.provide(thief));
        expect(yield* next).toBe("one stops");
        yield* Scope.close(thief, Exit.void);
        expect(yield* next).toBe("one leads with 2");
        yield* Fiber.interrupt(fiber);
      }).pipe(Effect.scoped),
    );

    it.effect("is given up and sought anew by one who finds itself fenced off (hazard 18)", () =>
      Effect.gen(function* () {
        const { join, next, reporting, store, events } = yield* setting;
        const one = yield* join;
        let turns = 0;
        const fiber = yield* Effect.forkChild(
          one.lead((fence) => {
            turns += 1;
            return turns === 1
              ? Effect.andThen(
                  Effect.andThen(store.claimLeadership, Queue.offer(events, `fenced at ${fence}`)),
                  new Fenced({ operation: "freeze" }),
                )
              : reporting("one")(fence);
          }),
          { startImmediately: true },
        );
        expect(yield* next).toBe("fenced at 1");
        yield* TestClock.adjust(1_000);
        expect(yield* next).toBe("one leads with 3");
        yield* Fiber.interrupt(fiber);
      }).pipe(Effect.scoped),
    );

    it.effect("ends with what the effect ends with, and frees the way", () =>
      Effect.gen(function* () {
        const { join, next, reporting } = yield* setting;
        const one = yield* join;
        yield* one.lead(() => Effect.void);
        const failure = new StoreFailure({ reason: "full", operation: "freeze", cause: "" });
        expect(yield* Effect.flip(one.lead(() => Effect.fail(failure)))).toBe(failure);
        const fiber = yield* Effect.forkChild(one.lead(reporting("one")), { startImmediately: true });
        expect(yield* next).toBe("one leads with 3");
        yield* Fiber.interrupt(fiber);
      }).pipe(Effect.scoped),
    );

    it.effect("is left to a leader that answers, and taken from one that does not (hazard 18)", () =>
      Effect.gen(function* () {
        const { join, next, reporting, takeOver } = yield* setting;
        const one = yield* join;
        const other = yield* join;
        const alive = yield* Effect.forkChild(one.lead(reporting("one")), { startImmediately: true });
        expect(yield* next).toBe("one leads with 1");
        const follower = yield* Effect.forkChild(other.lead(reporting("other")), { startImmediately: true });
        for (let round = 0; round < 10; round += 1) {
          yield* TestClock.adjust(15_000);
          yield* settledLocks;
        }
        // A leader whose tab is frozen holds the lock and answers nobody.
        yield* takeOver;
        expect(yield* next).toBe("one stops");
        yield* Fiber.interrupt(alive);
        for (let round = 0; round < 4; round += 1) {
          yield* TestClock.adjust(10_000);
          yield* settledLocks;
        }
        expect(yield* next).toBe("other leads with 2");
        yield* Fiber.interrupt(follower);
      }).pipe(Effect.scoped),
    );
  });
});

/** Lets messages and Web Locks, which live outside of the test's clock, take their course. */
const settledLocks = Effect.promise(async () => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise<void>((resolve) => void setImmediate(resolve));
});

describe("the notifier", () => {
  it.effect("tells the other engines of the profile and not oneself", () =>
    Effect.gen(function* () {
      const hub = makeNotifierHub();
      const [one, other, third] = [hub.connect(), hub.connect(), hub.connect()];
      const heard: Array<string> = [];
      yield* one.listen((event) => heard.push(`one: ${event.type}`));
      yield* other.listen((event) => heard.push(`other: ${event.type}`));
      const scope = yield* Scope.make();
      yield* third.listen((event) => heard.push(`third: ${event.type}`)).pipe(Scope.provide(scope));
      yield* one.notify({ type: "workspaces" });
      yield* settledLocks;
      expect(heard).toEqual(["other: workspaces", "third: workspaces"]);
      yield* Scope.close(scope, Exit.void);
      yield* other.notify({ type: "outbox", workspace, rowless: false });
      yield* settledLocks;
      expect(heard.slice(2)).toEqual(["one: outbox"]);
    }).pipe(Effect.scoped),
  );
});
