/** Rows of an older version of an app, or of an older version of Cairn's own tables, in a browser. */
import { type Cairn, openCairn, type Workspace } from "@cairn/client";
import { projectionFingerprint } from "@cairn/schema";
import { Dexie } from "dexie";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { first, third } from "./evolving-notes.ts";
import { leaders } from "./fixtures/tabs.ts";
import { makeVersion2, withinTables } from "./fixtures/version-2-tables.ts";

/** Three steps' work. */
const NOTES = 140;
const NEWEST = { sort: { by: "$updated", descending: true } } as const;

let name: string;
const open = new Set<Cairn<typeof third>>();
beforeEach(() => {
  name = `preparation-${crypto.randomUUID()}`;
});
afterEach(async () => {
  for (const app of open) await app.close();
  open.clear();
  await Dexie.delete(name);
});

const workers = {
  first: () => new Worker(new URL("./fixtures/first-version-worker.ts", import.meta.url), { type: "module" }),
  third: () => new Worker(new URL("./fixtures/third-version-worker.ts", import.meta.url), { type: "module" }),
  halfway: () => new Worker(new URL("./fixtures/halfway-worker.ts", import.meta.url), { type: "module" }),
};
const openThird = async (worker: () => Worker = workers.third): Promise<Cairn<typeof third>> => {
  const app = await openCairn({ schema: third, name, worker });
  open.add(app);
  return app;
};

/** Notes of the first version of the app. */
const write = async (notes: number): Promise<void> => {
  const app = await openCairn({ schema: first, name, worker: workers.first });
  const workspace = await app.workspace();
  for (let index = 0; index < notes; index += 1) {
    const note = await workspace.create("note", (draft) => {
      draft.title.set(`note ${index}`);
      draft.pinned.set(index % 2 === 0);
      draft.body.insert(0, `about ${index}`);
      draft.tasks.push(`task ${index}`);
    });
    await note.close();
  }
  await app.close();
};

const titlesOf = (count: number): ReadonlyArray<string> => Array.from({ length: count }, (_, index) => `note ${index}`);

const within = <A>(use: (database: Dexie) => Promise<A>): Promise<A> => withinTables(name, use);
interface MadeRow {
  readonly type: string;
  readonly projection: string;
  readonly workspace: string;
  readonly document: string;
}
const madeRows = (database: Dexie): Promise<ReadonlyArray<MadeRow>> =>
  database
    .table<MadeRow>("documents")
    .filter(({ type, projection }) => type === "note" && projection === projectionFingerprint(third.documents.note))
    .toArray();

/** The rows, once all of them show what the third version of the app has. */
const prepared = (workspace: Workspace<typeof third>) =>
  vi.waitFor(
    async () => {
      const rows = await workspace.query("note");
      for (const { fields } of rows) {
        const index = Number(fields.title.slice("note ".length));
        expect(fields.urgency).toEqual({ level: index % 2 === 0 ? 2 : 0 });
        expect(fields.tasks).toEqual([{ label: `task ${index}`, done: false }]);
      }
      return rows;
    },
    { timeout: 100_000, interval: 50 },
  );

test("a browser that ends halfway has lost nothing, and the next one goes on with what is left", async () => {
  await write(NOTES);
  const ends = new BroadcastChannel("halfway-worker");
  const ended = new Promise((resolve) => ends.addEventListener("message", resolve, { once: true }));
  const killed = await openThird(workers.halfway);
  await ended;
  ends.close();
  // The page of such a worker waits for ever: nothing of it goes on.
  open.delete(killed);
  await vi.waitFor(async () => expect(await leaders(name)).toEqual({ held: 0, waiting: 0 }), { timeout: 10_000 });

  // Whoever made them again would take this away.
  const made = await within(async (database) => {
    const found = await madeRows(database);
    const views = database.table<object, [string, string]>("views");
    for (const { workspace, document } of found)
      await views.update([workspace, document], { "fields.body": "finished" });
    return found.length;
  });
  expect(made).toBeGreaterThan(1);
  expect(made).toBeLessThan(NOTES);

  const app = await openThird();
  const workspace = await app.workspace();
  const totals = new Set<number>();
  workspace.onSync(({ preparing }) => {
    if (preparing !== undefined) totals.add(preparing.total);
  });
  expect(await workspace.count("note")).toBe(NOTES);
  const rows = await prepared(workspace);
  expect(rows.map(({ fields }) => fields.title).toSorted()).toEqual(titlesOf(NOTES).toSorted());
  const finished = rows.filter(({ fields }) => fields.body === "finished");
  expect(finished).toHaveLength(made);
  // The newest were made first.
  const newest = rows.map(({ updatedAt }) => updatedAt).toSorted((left, right) => right - left);
  for (const { updatedAt } of finished) expect(updatedAt).toBeGreaterThanOrEqual(newest[made - 1] ?? Infinity);
  expect([...totals].filter((total) => total !== NOTES - made)).toEqual([]);
  await vi.waitFor(() => expect(workspace.sync().preparing).toBeUndefined());
  expect(await within(async (database) => (await madeRows(database)).length)).toBe(NOTES);
  // Only the row was made to say something else.
  const [row] = finished;
  if (row === undefined) throw new Error("some were finished");
  const note = await workspace.open("note", row.id);
  expect(note.read()).toMatchObject({ title: row.fields.title, body: row.fields.title.replace("note", "about") });
}, 240_000);

/** Edits that no server has. */
const countWaiting = (): Promise<number> =>
  within((database) =>
    database
      .table("updates")
      .filter(({ waits }) => waits === 1)
      .count(),
  );

test("tables of version 2: lists, filters and searches answer at once, and all rows are made; nothing waits less", async () => {
  await write(20);
  await makeVersion2(name);
  const waiting = await countWaiting();
  expect(waiting).toBeGreaterThan(0);
  const app = await openThird();
  const workspace = await app.workspace();
  const answers = async (): Promise<void> => {
    const titles = (rows: ReadonlyArray<{ readonly fields: { readonly title: string } }>) =>
      rows.map(({ fields }) => fields.title);
    expect(titles(await workspace.query("note")).toSorted()).toEqual(titlesOf(20).toSorted());
    const newest = await workspace.query("note", NEWEST);
    expect(titles(newest).toSorted()).toEqual(titlesOf(20).toSorted());
    const { rows } = await workspace.page("note", { ...NEWEST, limit: 3 });
    expect(rows.map(({ id }) => id)).toEqual(newest.slice(0, 3).map(({ id }) => id));
    expect(titles(await workspace.query("note", { where: { title: { eq: "note 7" } } }))).toEqual(["note 7"]);
    expect(titles(await workspace.query("note", { search: "about 7" }))).toEqual(["note 7"]);
    expect(await workspace.count("note")).toBe(20);
  };
  await answers();
  await prepared(workspace);
  await answers();
  expect(await within(async (database) => (await madeRows(database)).length)).toBe(20);
  expect(await countWaiting()).toBe(waiting);
}, 240_000);
