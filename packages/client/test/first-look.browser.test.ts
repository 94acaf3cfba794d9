/** What a worker sees of the first lists before its engine is there: what the engine would answer, or nothing. */
import { openCairn } from "@cairn/client";
import { firstLookOf } from "@cairn/client/first-look";
import { beforeEach, expect, test, vi } from "vitest";
import { readFirstLook } from "../src/first-look/read-first-look.ts";
import { schema } from "./fixtures/import-schema.ts";

/** The profile that the worker looks at. */
const name = "first-look";
const newest = { sort: { by: "$updated", descending: true }, limit: 2 } as const;
const few = { limit: 1 } as const;

const startWorker = () =>
  new Worker(new URL("./fixtures/looking-worker.ts", import.meta.url), { type: "module", name: "cairn" });
const open = () =>
  openCairn({
    schema,
    name,
    worker: startWorker,
    firstLists: [
      { type: "note", query: newest },
      { type: "note", query: few },
    ],
  });

/** What a new worker sees. */
const look = async () => {
  const worker = startWorker();
  try {
    return await firstLookOf(worker);
  } finally {
    worker.terminate();
  }
};

const erase = () =>
  new Promise((resolve, reject) => {
    const erasing = indexedDB.deleteDatabase(name);
    erasing.addEventListener("success", resolve);
    erasing.addEventListener("error", () => reject(erasing.error ?? new Error("the database was not deleted")));
  });

beforeEach(async () => {
  await erase();
  localStorage.clear();
});

test("the next start's lists are seen before the engine is there, as they are by then", async () => {
  expect(await look()).toBeUndefined();
  const cairn = await open();
  const workspace = await cairn.workspace();
  for (const title of ["One", "Two", "Three"]) {
    await (await workspace.create("note", (note) => note.title.set(title))).close();
  }
  const asSeen = async () => {
    const seen = await look();
    if (seen === undefined) throw new Error("nothing was kept yet");
    expect(seen.workspace).toBe(workspace.id);
    expect(seen.answers.map(({ query }) => query)).toEqual([newest, few]);
    return seen.answers.map(({ page }) => ({ ...page, rows: page.rows.map((row) => ({ ...row, arriving: false })) }));
  };
  // A start without a workspace has no lists: they are kept by the one after it.
  await cairn.close();
  const again = await open();
  const reopened = await again.workspace();
  await vi.waitFor(async () => expect(await asSeen()).toHaveLength(2), { timeout: 20_000 });
  const engine = async () => [await reopened.page("note", newest), await reopened.page("note", few)];
  expect(await asSeen()).toEqual(await engine());

  await (await reopened.create("note", (note) => note.title.set("Four"))).close();
  const [seen] = await asSeen();
  expect(seen?.rows.map(({ fields }) => fields["title"])).toEqual(["Four", "Three"]);
  expect(await asSeen()).toEqual(await engine());

  // Another build may show them otherwise.
  expect(await readFirstLook(name, "https://example.org/another-build.js")).toBeUndefined();
  // Another workspace is on screen at the next start.
  const other = await again.createWorkspace({ name: "" });
  expect(other.id).not.toBe(reopened.id);
  expect(await look()).toBeUndefined();
  await again.close();
});

test("a look makes no database, and waits for none", async () => {
  expect(await readFirstLook("nobody", "anything").catch(() => undefined)).toBeUndefined();
  expect((await indexedDB.databases()).map((database) => database.name)).not.toContain("nobody");
});
