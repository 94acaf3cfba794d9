/** Hazard 19: what a store runs into is a state with a way out, and ends when the store works again. */
import { it } from "@effect/vitest";
import { makeMemoryStore, MemoryStorage } from "@cairn/testkit/memory";
import { Deferred, Effect, Fiber } from "effect";
import { TestClock } from "effect/testing";
import { expect, test } from "vitest";
import { CairnError } from "../src/errors.ts";
import { storageCode } from "../src/engine/failures.ts";
import { type StoreTrouble, watchStore } from "../src/platform/StoreWatch.ts";
import { isLow, storageRemedyOf, storageStateOf } from "../src/platform/storage-problems.ts";
import { type LocalStoreShape, StoreFailure } from "../src/store/LocalStore.ts";

type Reason = keyof typeof storageCode;

const failing = (reason: Reason, operation: string) =>
  Effect.fail(new StoreFailure({ reason, operation, cause: "told by the test" }));

const watched = Effect.fnUntraced(function* (change: Partial<LocalStoreShape>) {
  const store = makeMemoryStore(new MemoryStorage());
  const told: Array<string | undefined> = [];
  const watch = yield* watchStore({ ...store, ...change }, (trouble) => told.push(trouble?.code));
  return { ...watch, told };
});

it.effect("a full store stays full until something was stored", () =>
  Effect.gen(function* () {
    let full = true;
    const { store, told, trouble } = yield* watched({
      appendUpdates: () => (full ? failing("full", "appendUpdates") : Effect.succeed([])),
    });
    yield* Effect.flip(store.appendUpdates([]));
    expect(trouble()?.code).toBe("storage-full");
    // Reading says nothing about room.
    yield* store.workspaces;
    yield* Effect.flip(store.appendUpdates([]));
    full = false;
    yield* store.appendUpdates([]);
    expect(told).toEqual(["storage-full", undefined]);
  }).pipe(Effect.scoped),
);

it.effect("a transaction that was broken off is told until the next one succeeds", () =>
  Effect.gen(function* () {
    const { store, told } = yield* watched({ claimLeadership: failing("interrupted", "claimLeadership") });
    yield* Effect.flip(store.claimLeadership);
    yield* store.workspaces;
    expect(told).toEqual(["storage-interrupted", undefined]);
  }).pipe(Effect.scoped),
);

it.effect("data that is gone stays gone, whatever succeeds beside it", () =>
  Effect.gen(function* () {
    const { store, told } = yield* watched({ claimLeadership: failing("lost", "claimLeadership") });
    yield* Effect.flip(store.claimLeadership);
    yield* store.workspaces;
    expect(told).toEqual(["storage-lost"]);
  }).pipe(Effect.scoped),
);

it.effect("an operation that does not answer is told, and changes nothing about the operation", () =>
  Effect.gen(function* () {
    const answer = yield* Deferred.make<number>();
    const { store, told, trouble } = yield* watched({ claimLeadership: Deferred.await(answer) });
    const waiting = yield* Effect.forkChild(store.claimLeadership, { startImmediately: true });
    yield* TestClock.adjust(7_000);
    expect(trouble()).toBeUndefined();
    yield* TestClock.adjust(2_000);
    expect(trouble()).toEqual({ code: "storage-unresponsive", since: 8_000 });
    yield* TestClock.adjust(60_000);
    yield* Deferred.succeed(answer, 7);
    expect(yield* Fiber.join(waiting)).toBe(7);
    expect(told).toEqual(["storage-unresponsive", undefined]);
    // Many short ones are no silence.
    for (let round = 0; round < 10; round += 1) {
      yield* store.workspaces;
      yield* TestClock.adjust(3_000);
    }
    expect(trouble()).toBeUndefined();
  }).pipe(Effect.scoped),
);

test("every reason of a store has a code, words and a way out", () => {
  const reasons: ReadonlyArray<Reason> = ["full", "interrupted", "blocked", "newer", "lost", "unavailable"];
  for (const reason of reasons) {
    const code = storageCode[reason];
    expect(storageRemedyOf(code)).toBeDefined();
    expect(new CairnError(code).message.length).toBeGreaterThan(30);
  }
  expect(storageRemedyOf("offline")).toBeUndefined();
});

test("the worst problem is shown: the store's, then room, then keeping", () => {
  const trouble: StoreTrouble = { code: "storage-full", since: 5 };
  const low = { keeping: "refused", usage: 990, quota: 1_000 } as const;
  expect(storageStateOf(low, trouble, 9).problem).toMatchObject({
    code: "storage-full",
    remedy: "free-space",
    since: 5,
  });
  expect(storageStateOf(low, undefined, 9).problem).toMatchObject({ code: "storage-low", since: 9 });
  const roomy = { ...low, quota: 1e12 };
  // As in a private window.
  expect(storageStateOf(roomy, undefined, 9)).toMatchObject({
    persisted: false,
    problem: { code: "storage-not-kept", remedy: "keep" },
  });
  expect(storageStateOf({ ...roomy, keeping: "not-asked" }, undefined, 9).problem).toBeUndefined();
  expect(storageStateOf({ ...roomy, keeping: "kept" }, undefined, 9)).toMatchObject({
    persisted: true,
    problem: undefined,
  });
  expect(isLow(undefined, undefined)).toBe(false);
  expect(isLow(96e9, 100e9)).toBe(true);
});
