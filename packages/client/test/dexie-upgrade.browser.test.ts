/** A database that an older Cairn left is opened with all that it holds. */
import { deviceIdFromBytes, documentIdFromBytes, hashFromBytes, workspaceIdFromBytes } from "@cairn/protocol";
import { Dexie } from "dexie";
import { Effect, Layer } from "effect";
import { afterEach, beforeEach, expect, test } from "vitest";
import * as DexieStore from "../src/store/DexieStore.ts";
import { LocalStore } from "../src/store/LocalStore.ts";

const id = (number: number) => new Uint8Array(16).fill(number);
const workspace = workspaceIdFromBytes(id(1));
const device = deviceIdFromBytes(id(2));
const note = documentIdFromBytes(id(3));
const other = documentIdFromBytes(id(4));
const hash = hashFromBytes(new Uint8Array(32));

let name: string;
beforeEach(() => {
  name = `upgrade-${crypto.randomUUID()}`;
});
afterEach(() => Dexie.delete(name));

/** One note with a parked, an acknowledged and a waiting edit, and one whose entry is on its way. */
const writeVersion1 = async (): Promise<void> => {
  const database = new Dexie(name);
  database.version(1).stores({
    profile: "one",
    workspaces: "workspace",
    positions: "workspace",
    documents: "[workspace+document], [workspace+type], [workspace+unprojected], [workspace+pendingUpdates]",
    views: "[workspace+document]",
    updates: "id, [workspace+document+id], [workspace+document+waits]",
    snapshots: "[workspace+document]",
    outgoing: "[workspace+counter]",
    parked: "[workspace+counter]",
    log: "[workspace+device+counter], [workspace+kind+seq], [workspace+kind+waits]",
    heads: "[workspace+device]",
    chunks: "[workspace+hash]",
    chunkStates: "[workspace+hash]",
    secrets: "name",
  });
  await database.open();
  const put = (table: string, ...rows: ReadonlyArray<object>) => database.table<object>(table).bulkPut(rows);
  await put("profile", { one: 1, made: "then", epoch: 1, lastUpdate: 4, profile: undefined });
  await put("workspaces", { workspace, device, role: "owner", createdHere: true, addedAt: 1 });
  await put("positions", { workspace, cursor: 0, chain: hash, serverEpoch: 0, nextCounter: 4 });
  const row = { workspace, type: "note", updatedAt: 1, merging: false, latest: 4 };
  await put(
    "documents",
    { ...row, document: note, pendingUpdates: 1, pendingBytes: 3 },
    { ...row, document: other, pendingBytes: 0 },
  );
  const view = { workspace, fields: {}, searchText: "", deleted: false, createdAt: 1 };
  await put("views", { ...view, document: note }, { ...view, document: other });
  const update = { workspace, type: "note", refs: [], device };
  await put(
    "updates",
    { ...update, id: 1, document: note, update: new Uint8Array(5), state: "frozen", counter: 1, time: 10 },
    { ...update, id: 2, document: note, update: new Uint8Array(4), state: "frozen", counter: 2, time: 20 },
    {
      ...update,
      id: 3,
      document: note,
      update: new Uint8Array(3),
      state: "pending",
      device: undefined,
      time: 30,
      waits: 1,
    },
    { ...update, id: 4, document: other, update: new Uint8Array(2), state: "frozen", counter: 3, time: 40 },
  );
  const entry = { workspace, device, counter: 3, document: other, kind: 1, hash };
  await put("outgoing", { ...entry, bytes: 7, refs: [], attempts: 1, frozenAt: 50 });
  await put("log", { ...entry, seq: undefined, entry: new Uint8Array(7), waits: 1 });
  await put("parked", { workspace, counter: 1, document: note, code: "too-large", message: "no", parkedAt: 60 });
  database.close();
};

test("version 1: what was parked is a dead letter, what was on its way still is, and nothing is lost", async () => {
  await writeVersion1();
  const seen = await Effect.runPromise(
    Effect.flatMap(LocalStore, (store) =>
      Effect.all({
        streams: store.streams(workspace),
        pending: store.pendingUpdates(workspace, note),
        documents: store.pendingDocuments(workspace),
        outgoing: store.outgoing(workspace, 10),
        opened: store.openDocument(workspace, note),
      }),
    ).pipe(Effect.provide(Layer.fresh(DexieStore.layer({ name })))),
  );
  expect(seen.streams).toEqual([
    {
      workspace,
      document: note,
      state: "DEAD_LETTER",
      attempts: 0,
      code: "too-large",
      message: "no",
      since: 60,
      through: 1,
      history: [],
    },
  ]);
  expect(seen.pending.map((update) => update.id)).toEqual([1, 3]);
  expect(seen.documents).toEqual([{ document: note, updates: 2, bytes: 8, oldest: 10 }]);
  expect(seen.outgoing).toMatchObject([{ counter: 3, state: "IN_FLIGHT", attempts: 1 }]);
  expect(seen.opened?.updates.map(({ state }) => state)).toEqual(["pending", "frozen", "pending"]);
});
