/** What IndexedDB adds to the contract: tabs, aborted transactions, full disks, and databases that are taken away. */
import { Dexie } from "dexie";
import {
  type DeviceId,
  deviceIdFromBytes,
  documentIdFromBytes,
  EntryKind,
  hashFromBytes,
  workspaceIdFromBytes,
} from "@cairn/protocol";
import { freezing, transition } from "@cairn/sync";
import { Context, Effect, Exit, Layer, Result, Scope } from "effect";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { LocalStore, type LocalStoreShape, StoreFailure } from "../src/store/LocalStore.ts";
import type { Receipt } from "../src/store/store-changes.ts";
import * as DexieStore from "../src/store/DexieStore.ts";

const id = (number: number) => new Uint8Array(16).fill(number);
const WORKSPACE = workspaceIdFromBytes(id(1));
const DEVICE = deviceIdFromBytes(id(2));
const PEER: DeviceId = deviceIdFromBytes(id(3));
const NOTE = documentIdFromBytes(id(4));
const HASH = hashFromBytes(new Uint8Array(32));

// In debug mode Dexie prints every failure, and here they are wanted.
Dexie.debug = false;

let name: string;
beforeEach(() => {
  name = `database-${crypto.randomUUID()}`;
});
afterEach(() => Dexie.delete(name));

/** A connection of its own, as another tab would have; closed with the test. */
const openStore = async (): Promise<LocalStoreShape> => {
  const scope = await Effect.runPromise(Scope.make());
  onTestFinished(() => Effect.runPromise(Scope.close(scope, Exit.void)));
  const layer = Layer.fresh(DexieStore.layer({ name, blockedMillis: 20 }));
  return Context.get(await Effect.runPromise(Layer.buildWithScope(layer, scope)), LocalStore);
};
const openFailure = (): Promise<unknown> =>
  openStore().then(
    () => "opened",
    (failure: unknown) => failure,
  );
const run = Effect.runPromise;
const failureOf = async (write: Effect.Effect<unknown, unknown>): Promise<unknown> => {
  const result = await run(Effect.result(write));
  return Result.isFailure(result) ? result.failure : "succeeded";
};

const addWorkspace = (store: LocalStoreShape): Promise<void> =>
  run(
    store.addWorkspace(
      {
        workspace: WORKSPACE,
        device: DEVICE,
        role: "owner",
        createdHere: true,
        server: undefined,
        joinedBy: undefined,
        addedAt: 0,
      },
      {
        workspace: WORKSPACE,
        cursor: 0,
        chain: HASH,
        server: undefined,
        serverEpoch: 0,
        nextCounter: 1,
        lastSyncedAt: undefined,
      },
      [],
    ),
  );
const edit = (update = id(7)) => ({
  workspace: WORKSPACE,
  document: NOTE,
  type: "note",
  update,
  time: 1,
  refs: [],
  row: undefined,
});
const outgoing = (counter: number, updates: ReadonlyArray<number>) => ({
  counter,
  device: DEVICE,
  document: NOTE,
  kind: EntryKind.update,
  entry: id(8),
  hash: HASH,
  refs: [],
  frozenAt: 2,
  frozen: freezing(0),
  updates,
});
const receiptOf = (fence: number): Receipt => ({
  workspace: WORKSPACE,
  fence,
  from: 0,
  cursor: 2,
  chain: HASH,
  entries: [1, 2].map((counter) => ({
    device: PEER,
    counter,
    seq: counter,
    kind: EntryKind.update,
    document: NOTE,
    hash: HASH,
    entry: id(9),
  })),
  updates: [1, 2].map((counter) => ({
    document: NOTE,
    type: "note",
    update: id(9),
    device: PEER,
    counter,
    time: 3,
  })),
  settled: [{ counter: 1, seq: 3 }],
  at: 4,
});

const outdated = transition({ state: "IN_FLIGHT", attempts: 0 }, "outdated") ?? freezing(0);

test("received entries are stored without the page that they are parts of", async () => {
  const store = await openStore();
  await addWorkspace(store);
  const fence = await run(store.claimLeadership);
  const page = new Uint8Array(1024 * 1024).fill(5);
  const receipt = receiptOf(fence);
  await run(
    store.receive({
      ...receipt,
      entries: receipt.entries.map((entry, index) => ({ ...entry, entry: page.subarray(index, index + 100) })),
      updates: receipt.updates.map((update, index) => ({ ...update, update: page.subarray(index, index + 50) })),
    }),
  );
  // A view is cloned with all of its buffer, on its way in and on its way out.
  const log = await run(store.logOf(WORKSPACE, PEER, 1, 10));
  expect(log.map(({ entry }) => entry.buffer.byteLength)).toEqual([100, 100]);
  const opened = await run(store.openDocument(WORKSPACE, NOTE));
  expect(opened?.updates.map(({ update }) => update.buffer.byteLength)).toEqual([50, 50]);
});

test("of many rows that are to be made, those of the newest edited documents come first", async () => {
  const store = await openStore();
  await addWorkspace(store);
  const times = [3, 9, 5, 1];
  await run(
    store.appendUpdates(times.map((time) => ({ ...edit(), document: documentIdFromBytes(id(40 + time)), time }))),
  );
  const newestFirst = [9, 5, 3, 1].map((time) => documentIdFromBytes(id(40 + time)));
  for (const limit of [2, 3, 10]) {
    const found = await run(store.unprojected(WORKSPACE, new Map([["note", "any"]]), { limit }));
    expect(found.map(({ document }) => document)).toEqual(newestFirst.slice(0, limit));
  }
});

/** Every row of every table. */
const dump = async (): Promise<unknown> => {
  const database = await new Dexie(name).open();
  const tables = await Promise.all(database.tables.map(async (table) => [table.name, await table.toArray()]));
  database.close();
  return tables;
};

test("another tab sees what was committed, and both may write at the same time", async () => {
  const one = await openStore();
  const other = await openStore();
  await addWorkspace(one);
  const appends = Array.from({ length: 40 }, (_, number) => (number % 2 === 0 ? one : other).appendUpdates([edit()]));
  const ids = (await run(Effect.all(appends, { concurrency: "unbounded" }))).flat();
  expect(new Set(ids).size).toBe(40);
  for (const store of [one, other]) {
    expect((await run(store.pendingUpdates(WORKSPACE, NOTE))).map((update) => update.id)).toEqual(
      ids.toSorted((left, right) => left - right),
    );
    expect(await run(store.pendingDocuments(WORKSPACE))).toMatchObject([{ updates: 40, bytes: 640 }]);
  }
});

test("a tab that lost the leadership to another one changes nothing (hazard 18)", async () => {
  const one = await openStore();
  const other = await openStore();
  await addWorkspace(one);
  const stale = await run(one.claimLeadership);
  const fence = await run(other.claimLeadership);
  expect(await failureOf(one.freeze(WORKSPACE, stale, [outgoing(1, [])]))).toMatchObject({ _tag: "Fenced" });
  await run(other.freeze(WORKSPACE, fence, [outgoing(1, [])]));
  expect((await run(one.position(WORKSPACE)))?.nextCounter).toBe(2);
});

test("a transaction that is aborted at any of its writes changes nothing", async () => {
  const store = await openStore();
  await addWorkspace(store);
  const fence = await run(store.claimLeadership);
  const [first = 0, second = 0] = await run(store.appendUpdates([edit(), edit()]));
  await run(store.freeze(WORKSPACE, fence, [outgoing(1, [first])]));
  const writes = [
    store.receive(receiptOf(fence)),
    store.freeze(WORKSPACE, fence, [outgoing(2, [second])]),
    store.replaceOutgoing(WORKSPACE, fence, outgoing(2, []), { transition: outdated, at: 3 }),
    store.appendUpdates([edit(), edit()]),
    store.fold({ workspace: WORKSPACE, document: NOTE, through: 100, snapshot: id(1) }, [first]),
    store.removeWorkspace(WORKSPACE),
  ];
  let aborted = 0;
  let left = 0;
  const countDown = (source: IDBObjectStore) => {
    left -= 1;
    if (left === 0) source.transaction.abort();
  };
  const { put, add, delete: remove } = IDBObjectStore.prototype;
  const spies = [
    vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(function (this: IDBObjectStore, ...given) {
      const request = put.apply(this, given);
      countDown(this);
      return request;
    }),
    vi.spyOn(IDBObjectStore.prototype, "add").mockImplementation(function (this: IDBObjectStore, ...given) {
      const request = add.apply(this, given);
      countDown(this);
      return request;
    }),
    vi.spyOn(IDBObjectStore.prototype, "delete").mockImplementation(function (this: IDBObjectStore, ...given) {
      const request = remove.apply(this, given);
      countDown(this);
      return request;
    }),
  ];
  onTestFinished(() => {
    for (const spy of spies) spy.mockRestore();
  });
  for (const write of writes) {
    const before = await dump();
    for (let at = 1; ; at += 1) {
      left = at;
      const failure = await failureOf(write);
      if (failure === "succeeded") break;
      aborted += 1;
      expect(failure).toBeInstanceOf(StoreFailure);
      if (failure instanceof StoreFailure) expect(["interrupted", "unavailable"]).toContain(failure.reason);
      expect(await dump()).toEqual(before);
    }
  }
  // Each of these writes touches several tables.
  expect(aborted).toBeGreaterThan(writes.length * 2);
});

test("writes are strictly durable", async () => {
  const transactions = vi.spyOn(IDBDatabase.prototype, "transaction");
  onTestFinished(() => transactions.mockRestore());
  const store = await openStore();
  await addWorkspace(store);
  await run(store.appendUpdates([edit()]));
  const writing = transactions.mock.calls.filter(([, mode]) => mode === "readwrite");
  expect(writing).toHaveLength(2);
  for (const [, , options] of writing) expect(options).toEqual({ durability: "strict" });
});

test("a database that another tab deletes is not made anew, empty (hazard 19)", async () => {
  const store = await openStore();
  await addWorkspace(store);
  await Dexie.delete(name);
  for (const operation of [store.workspaces, store.appendUpdates([edit()]), store.claimLeadership]) {
    const failure = await failureOf(operation);
    expect(failure).toMatchObject({ _tag: "StoreFailure", reason: "lost" });
    expect(failure instanceof StoreFailure && String(failure.cause)).toContain("was deleted");
  }
  expect(await Dexie.exists(name)).toBe(false);
});

test("opening fails with the reason while another tab keeps an older version open", async () => {
  const older = await new Promise<IDBDatabase>((resolve) => {
    const request = indexedDB.open(name, 5);
    request.addEventListener("success", () => resolve(request.result));
  });
  const failure = await openFailure();
  older.close();
  expect(failure).toMatchObject({ _tag: "StoreFailure", reason: "blocked", operation: "open" });
  expect(failure instanceof StoreFailure && String(failure.cause)).toContain("close it");
});

test("data of a newer Cairn is refused and left alone", async () => {
  await addWorkspace(await openStore());
  const newer = await new Promise<IDBDatabase>((resolve) => {
    const request = indexedDB.open(name, 1_000);
    request.addEventListener("success", () => resolve(request.result));
  });
  newer.close();
  const failure = await openFailure();
  expect(failure).toMatchObject({ reason: "newer" });
  expect(failure instanceof StoreFailure && String(failure.cause)).toContain("newer Cairn");
  const reopened = await new Dexie(name).open();
  expect(await reopened.table("workspaces").count()).toBe(1);
  reopened.close();
});

/** The Storage Buckets API, where a page sets a quota of its own. */
interface StorageBuckets {
  readonly open: (name: string, options: { readonly quota: number }) => Promise<{ readonly indexedDB: IDBFactory }>;
  readonly delete: (name: string) => Promise<void>;
}
const hasBuckets = (value: object): value is { readonly storageBuckets: StorageBuckets } => "storageBuckets" in value;

test("no room left is told apart, and changes nothing", async () => {
  if (!hasBuckets(navigator)) throw new Error("this browser has no storage buckets");
  const { storageBuckets } = navigator;
  const bucket = await storageBuckets.open(name, { quota: 3_000_000 });
  const { indexedDB } = Dexie.dependencies;
  Dexie.dependencies.indexedDB = bucket.indexedDB;
  onTestFinished(async () => {
    Dexie.dependencies.indexedDB = indexedDB;
    await storageBuckets.delete(name);
  });
  const store = await openStore();
  await addWorkspace(store);
  await run(store.appendUpdates([edit()]));
  const before = await dump();
  const tooMuch = new Uint8Array(8_000_000);
  const chunk = { workspace: WORKSPACE, hash: HASH, bytes: tooMuch, uploaded: false };
  for (const write of [store.putChunks([chunk]), store.appendUpdates([edit(), edit(tooMuch)])]) {
    expect(await failureOf(write)).toMatchObject({ _tag: "StoreFailure", reason: "full" });
    expect(await dump()).toEqual(before);
  }

  // Of two callers that wait together, the one whose edits fit gets them stored.
  const both = [store.appendUpdates([edit(tooMuch)]), store.appendUpdates([edit()])].map(failureOf);
  expect(await Promise.all(both)).toMatchObject([{ reason: "full" }, "succeeded"]);
  expect(await run(store.pendingUpdates(WORKSPACE, NOTE))).toHaveLength(2);
});
