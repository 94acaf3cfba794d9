/** A folder that an older Cairn left is opened with all that it holds. */
import { deviceIdFromBytes, documentIdFromBytes, hashFromBytes, workspaceIdFromBytes } from "@cairn/protocol";
import { transition } from "@cairn/sync";
import { Effect, Layer } from "effect";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ListQuery, openCairn, type Workspace } from "../src/node.ts";
import { LocalStore, type LocalStoreShape } from "../src/store/LocalStore.ts";
import * as SqliteStore from "../src/store/SqliteStore.ts";
import { first } from "./evolving-notes.ts";
import { makeOlderTables } from "./fixtures/older-tables.ts";

const id = (number: number) => new Uint8Array(16).fill(number);
const WORKSPACE = workspaceIdFromBytes(id(1));
const DEVICE = deviceIdFromBytes(id(2));
const NOTE = documentIdFromBytes(id(3));
const OTHER_NOTE = documentIdFromBytes(id(4));
const HASH = hashFromBytes(new Uint8Array(32));

let directory: string;
beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), "cairn-upgrade-")), "profile");
  await mkdir(directory);
});
afterEach(() => rm(directory, { recursive: true }));

const within = <A>(program: (store: LocalStoreShape) => Effect.Effect<A, unknown>) =>
  Effect.runPromise(
    Effect.flatMap(LocalStore, program).pipe(Effect.provide(Layer.fresh(SqliteStore.layer({ directory })))),
  );

/** One note with a parked, an acknowledged and a waiting edit, and one whose entry is on its way. */
const writeVersion1 = async (): Promise<void> => {
  const database = new DatabaseSync(join(directory, "cairn.db"));
  database.exec(await readFile(join(import.meta.dirname, "fixtures/sqlite-tables-1.sql"), "utf8"));
  database.exec(`PRAGMA user_version = 1; UPDATE profile SET last_update = 4`);
  database
    .prepare("INSERT INTO workspaces VALUES (?, ?, 'owner', 1, NULL, NULL, 1000, 0, ?, NULL, 0, 4, NULL)")
    .run(WORKSPACE, DEVICE, HASH);
  const addDocument = database.prepare(
    "INSERT INTO documents (key, workspace, document, type, updated_at, latest, pending_updates, pending_bytes) VALUES (?, ?, ?, 'note', 1, 4, ?, ?)",
  );
  const addView = database.prepare("INSERT INTO views VALUES (?, '{}', '', 0, 1)");
  for (const [key, document, pending] of [
    [1, NOTE, 1],
    [2, OTHER_NOTE, 0],
  ] as const) {
    addDocument.run(key, WORKSPACE, document, pending, pending * 3);
    addView.run(key);
  }
  const addUpdate = database.prepare(
    "INSERT INTO updates (id, document, type, bytes, state, device, counter, time) VALUES (?, ?, 'note', ?, ?, ?, ?, ?)",
  );
  addUpdate.run(1, 1, new Uint8Array(5), 1, DEVICE, 1, 10);
  addUpdate.run(2, 1, new Uint8Array(4), 1, DEVICE, 2, 20);
  addUpdate.run(3, 1, new Uint8Array(3), 0, null, null, 30);
  addUpdate.run(4, 2, new Uint8Array(2), 1, DEVICE, 3, 40);
  database
    .prepare("INSERT INTO outgoing VALUES (?, 3, ?, ?, 1, 7, ?, '[]', 1, 50)")
    .run(WORKSPACE, DEVICE, OTHER_NOTE, HASH);
  database.prepare("INSERT INTO parked VALUES (?, 1, ?, 'too-large', 'no', 60)").run(WORKSPACE, NOTE);
  const addLog = database.prepare("INSERT INTO log VALUES (?, ?, ?, ?, 1, ?, ?, ?)");
  for (const [counter, seq, document] of [
    [1, 1, NOTE],
    [2, 2, NOTE],
    [3, null, OTHER_NOTE],
  ] as const) {
    addLog.run(WORKSPACE, DEVICE, counter, seq, document, HASH, new Uint8Array(7));
  }
  database.close();
};

test("version 1: what was parked is a dead letter, what was on its way still is, and nothing is lost", async () => {
  await writeVersion1();
  const seen = await within((store) =>
    Effect.all({
      streams: store.streams(WORKSPACE),
      pending: store.pendingUpdates(WORKSPACE, NOTE),
      documents: store.pendingDocuments(WORKSPACE),
      outgoing: store.outgoing(WORKSPACE, 10),
      opened: store.openDocument(WORKSPACE, NOTE),
      workspaces: store.workspaces,
    }),
  );
  expect(seen.streams).toEqual([
    {
      workspace: WORKSPACE,
      document: NOTE,
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
  expect(seen.documents).toEqual([{ document: NOTE, updates: 2, bytes: 8, oldest: 10 }]);
  expect(seen.outgoing).toMatchObject([{ counter: 3, state: "IN_FLIGHT", attempts: 1 }]);
  expect(seen.opened?.updates.map(({ state }) => state)).toEqual(["pending", "frozen", "pending"]);
  expect(seen.workspaces[0]).toMatchObject({ workspace: WORKSPACE });

  // Opened once more it is as it was, and can be decided upon.
  const retried = transition({ state: "DEAD_LETTER", attempts: 0 }, "retried");
  if (retried === undefined) throw new Error("a dead letter can be tried again");
  await within((store) => store.moveStream(WORKSPACE, NOTE, { transition: retried, at: 70 }));
  expect(await within((store) => store.streams(WORKSPACE))).toMatchObject([{ state: "PENDING" }]);
});

/** A folder with real notes, its tables as version 2 had them. */
const writeVersion2 = async (): Promise<void> => {
  const app = await openCairn({ schema: first, directory });
  const workspace = await app.workspace();
  for (const [index, title] of ["Walls", "Roofs", "Gone"].entries()) {
    const note = await workspace.create("note", (draft) => {
      draft.title.set(title);
      draft.pinned.set(index === 0);
      draft.body.insert(0, `about ${title}`);
    });
    await note.close();
    if (title === "Gone") await workspace.delete(note.id);
  }
  await app.close();
  makeOlderTables(directory, 2);
};

test("version 2: lists, filters and searches answer at once, and when it is opened again; nothing waits less", async () => {
  await writeVersion2();
  // An upgrade that fails halfway leaves everything as it was, and is done at the next opening.
  const halfway = new DatabaseSync(join(directory, "cairn.db"));
  const waiting = halfway.prepare("SELECT count(*) AS count FROM updates WHERE state = 0").get();
  halfway.exec("CREATE TABLE words (in_the_way INTEGER)");
  halfway.close();
  await expect(openCairn({ schema: first, directory })).rejects.toMatchObject({ name: "CairnError" });
  const after = new DatabaseSync(join(directory, "cairn.db"));
  expect(after.prepare("PRAGMA user_version").get()).toEqual({ user_version: 2 });
  expect(after.prepare("SELECT count(*) AS count FROM views WHERE search_text LIKE '%about%'").get()).toEqual({
    count: 3,
  });
  after.exec("DROP TABLE words");
  after.close();

  const app = await openCairn({ schema: first, directory });
  const answers = async (workspace: Workspace<typeof first>): Promise<void> => {
    const titles = async (query: ListQuery<typeof first, "note">) =>
      (await workspace.query("note", query)).map(({ fields }) => fields.title).toSorted();
    expect(await titles({})).toEqual(["Roofs", "Walls"]);
    expect(await titles({ where: { pinned: { eq: true } } })).toEqual(["Walls"]);
    expect(await titles({ search: "about roofs" })).toEqual(["Roofs"]);
    expect(await titles({ deleted: "only" })).toEqual(["Gone"]);
    expect(await workspace.count("note")).toBe(2);
    const page = await workspace.page("note", { sort: [{ by: "$created", descending: true }], limit: 1 });
    expect(page.rows.map(({ fields }) => fields.title)).toEqual(["Roofs"]);
  };
  await answers(await app.workspace());
  await app.close();
  const again = await openCairn({ schema: first, directory });
  await answers(await again.workspace());
  await again.close();
  const database = new DatabaseSync(join(directory, "cairn.db"), { readOnly: true });
  expect(database.prepare("SELECT count(*) AS count FROM updates WHERE state = 0").get()).toEqual(waiting);
  database.close();
}, 60_000);
