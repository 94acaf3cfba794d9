/** A browser whose tables an older Cairn wrote, with edits that no server has: stopped while it upgrades, it loses none. */
import { Dexie } from "dexie";
import { afterEach, expect, inject, test, vi } from "vitest";
import { TABLE_VERSIONS } from "../src/store/dexie/tables.ts";
import { freshProfile, killTabs, openProfile } from "./fixtures/tabs.ts";
import { makeVersion2, withinTables } from "./fixtures/version-2-tables.ts";

const server = inject("cairnServerOrigin");
/** Tabs load the engine anew, on whatever machine. */
const patience = { timeout: 60_000 };

// In debug mode Dexie prints every failure, and here they are wanted.
Dexie.debug = false;

afterEach(() => {
  vi.restoreAllMocks();
  killTabs();
});

type Row = Readonly<Record<string, unknown>>;
const rowsOf = (name: string, table: string): Promise<ReadonlyArray<Row>> =>
  withinTables(name, (database) => database.table<Row>(table).toArray());
const waitingIn = async (name: string): Promise<ReadonlyArray<Row>> =>
  (await rowsOf(name, "updates")).filter(({ waits }) => waits === 1);

/** The tables' upgrade, of which the browser breaks off the transaction at a write; whether there were so many. */
const upgradeUntil = async (name: string, writes: number): Promise<boolean> => {
  const database = new Dexie(name);
  for (const [index, { stores, upgrade }] of TABLE_VERSIONS.entries()) {
    const version = database.version(index + 1).stores(stores);
    if (upgrade !== undefined) version.upgrade(upgrade);
  }
  let left = writes;
  const { put } = IDBObjectStore.prototype;
  vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(function write(this: IDBObjectStore, ...row) {
    left -= 1;
    if (left === 0) this.transaction.abort();
    return put.apply(this, row);
  });
  const ended = await database.open().then(
    () => false,
    () => true,
  );
  vi.restoreAllMocks();
  database.close();
  expect(ended).toBe(left <= 0);
  return ended;
};

test("broken off at any of its writes, an upgrade has changed nothing, and the next one sends what waits", async () => {
  const profile = freshProfile();
  const first = await openProfile(profile, server);
  const note = await first.workspace.create("note", (edit) => edit.title.set("sent"));
  await first.workspace.flush({ tier: "server", timeout: 60_000 });
  const { url } = await first.workspace.createLink({ role: "writer" });
  const guest = await openProfile(freshProfile(), server);
  const joined = await guest.cairn.join(url);
  await first.workspace.pause();
  note.edit((edit) => edit.body.insert(0, "waiting"));
  await first.workspace.create("note", (edit) => edit.title.set("new"));
  await first.workspace.flush();
  await first.cairn.close();

  await makeVersion2(profile);
  const tables = ["documents", "updates", "outgoing", "log", "streams", "workspaces"];
  const before = await Promise.all(tables.map((table) => rowsOf(profile, table)));
  const waiting = await waitingIn(profile);
  expect(waiting.length).toBeGreaterThan(1);

  let stopped = 0;
  while (await upgradeUntil(profile, stopped + 1)) {
    stopped += 1;
    expect(await withinTables(profile, (database) => Promise.resolve(database.verno))).toBe(2);
    expect(await Promise.all(tables.map((table) => rowsOf(profile, table)))).toEqual(before);
  }
  expect(stopped).toBeGreaterThan(1);
  expect(await waitingIn(profile)).toEqual(waiting);

  const again = await openProfile(profile, server);
  await again.workspace.resume();
  await again.workspace.flush({ tier: "server", timeout: 60_000 });
  expect(again.workspace.sync().pendingDocuments).toBe(0);
  await vi.waitFor(
    async () =>
      expect((await joined.query("note")).map(({ fields }) => fields.title).toSorted()).toEqual(["new", "sent"]),
    patience,
  );
  const copy = await joined.open("note", note.id);
  await vi.waitFor(() => expect(copy.read().body).toBe("waiting"), patience);
}, 240_000);

/** A row of a table, by its primary key, with a column that no version knows. */
const rowFor = (key: string, seed: number): Row => ({
  document: `document ${seed}`,
  ...Object.fromEntries(
    key
      .replaceAll(/[[\]]/g, "")
      .split("+")
      .map((part) => [part, part === "one" || part === "id" || part === "counter" ? seed : `${part} ${seed}`]),
  ),
  kept: new Uint8Array([seed]),
});

/** Emptied into another table by the upgrade to this version. */
const MOVED: Readonly<Record<number, string>> = { 2: "parked" };

test("no upgrade deletes a row, or changes what it does not speak of", async () => {
  for (const index of TABLE_VERSIONS.keys()) {
    if (index === 0) continue;
    const name = freshProfile();
    const open = (count: number): Promise<Dexie> => {
      const database = new Dexie(name);
      for (const [at, { stores, upgrade }] of TABLE_VERSIONS.slice(0, count).entries()) {
        const version = database.version(at + 1).stores(stores);
        if (upgrade !== undefined) version.upgrade(upgrade);
      }
      return database.open();
    };
    const older = await open(index);
    const before = new Map<string, ReadonlyArray<Row>>();
    for (const { name: table, schema } of older.tables) {
      const rows = [7, 8].map((seed) => rowFor(schema.primKey.src, seed));
      await older.table<Row>(table).bulkAdd(rows);
      before.set(table, await older.table<Row>(table).toArray());
    }
    older.close();
    const newer = await open(index + 1);
    for (const [table, rows] of before) {
      const isMoved = MOVED[index + 1] === table;
      expect(await newer.table<Row>(table).toArray(), `version ${index + 1}: ${table}`).toMatchObject(
        isMoved ? [] : rows,
      );
    }
    newer.close();
    await Dexie.delete(name);
  }
});
