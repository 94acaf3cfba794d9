/** Documents of an older version of the app, opened by a newer one: usable at once, made anew in the background. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { Preparation } from "../src/workspace-api.ts";
import { openCairn } from "../src/node.ts";
import { first, third } from "./evolving-notes.ts";

const NOTES = 200;

let directory: string;
const many = (): string => join(directory, "many");

const write = async (folder: string, notes: number): Promise<void> => {
  const app = await openCairn({ schema: first, directory: folder });
  const workspace = await app.workspace();
  for (let index = 0; index < notes; index += 1) {
    const note = await workspace.create("note", (draft) => {
      draft.title.set(`note ${index}`);
      draft.pinned.set(index % 2 === 0);
      draft.tasks.push(`task ${index}`);
    });
    await note.close();
  }
  await app.close();
};
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "cairn-preparation-"));
  await write(many(), NOTES);
}, 120_000);
afterAll(() => rm(directory, { recursive: true, force: true }));

test("lists are there at once, in what fits and in defaults, and then in full; it can be edited all the while", async () => {
  const app = await openCairn({ schema: third, directory: many() });
  const workspace = await app.workspace();
  const seen: Array<Preparation | undefined> = [];
  workspace.onSync(({ preparing }) => seen.push(preparing));
  const rows = await workspace.query("note", { sort: [{ by: "$created" }] });
  expect(rows.map(({ fields }) => fields.title)).toEqual(Array.from({ length: NOTES }, (_, index) => `note ${index}`));
  for (const { fields, arriving } of rows) {
    expect(arriving).toBe(false);
    expect([0, 2]).toContain(fields.urgency.level);
    expect(Array.isArray(fields.tasks)).toBe(true);
    expect(fields).not.toHaveProperty("pinned");
  }
  expect(await workspace.count("note")).toBe(NOTES);
  expect(await workspace.page("note", { sort: [{ by: "$updated", descending: true }], limit: 3 })).toMatchObject({
    rows: [{ fields: { title: `note ${NOTES - 1}` } }, {}, {}],
  });
  const [row] = rows;
  if (row === undefined) throw new Error("there are notes");
  const note = await workspace.open("note", row.id);
  note.edit((draft) => draft.urgency.set({ level: 9 }));
  await workspace.flush({ tier: "device" });

  const latest = new Map<string, unknown>();
  const stop = workspace.liveQuery("note", {}, (now) => {
    for (const { fields } of now) latest.set(fields.title, fields);
  });
  await vi.waitFor(
    () => {
      for (let index = 1; index < NOTES; index += 1) {
        expect(latest.get(`note ${index}`)).toMatchObject({
          urgency: { level: index % 2 === 0 ? 2 : 0 },
          tasks: [{ label: `task ${index}`, done: false }],
        });
      }
      expect(latest.get("note 0")).toMatchObject({ urgency: { level: 9 } });
    },
    { timeout: 60_000, interval: 50 },
  );
  stop();
  await vi.waitFor(() => expect(workspace.sync().preparing).toBeUndefined(), { timeout: 60_000, interval: 10 });
  const states = seen.filter((state) => state !== undefined);
  for (const { done, total } of states) expect(done).toBeLessThanOrEqual(total);
  expect(states.map(({ done }) => done)).toEqual(states.map(({ done }) => done).toSorted((a, b) => a - b));
  await app.close();
}, 120_000);
