/** Documents that a newer version of an app splits into several, over the real engine and server. */
import { defineDocument, defineSchema, evolveSchema, field } from "@cairn/schema";
import { Schema } from "effect";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { EngineApi } from "../src/engine/EngineApi.ts";
import { type Cairn, openCairn, type Workspace } from "../src/node.ts";
import { OpenCairn } from "../src/page/OpenCairn.ts";
import { startNodeEngine } from "../src/platform/node-engine.ts";
import { makePlace, type Place, until } from "./notebook.ts";

const Task = Schema.Struct({ id: Schema.String, label: Schema.String, done: Schema.Boolean });
const first = defineSchema({
  version: 1,
  documents: {
    note: defineDocument({ fields: { title: field.string({ list: true }), tasks: field.list(Task) } }),
  },
});
const second = evolveSchema(first, {
  version: 2,
  documents: {
    note: defineDocument({ fields: { title: field.string({ list: true }) } }),
    task: defineDocument({
      fields: {
        label: field.text({ list: "preview" }),
        done: field.boolean({ list: true, filterable: true }),
        note: field.reference("note", { list: true }),
      },
    }),
  },
  steps: (step) => [
    step.addType("task"),
    step.extract("note", {
      from: ["tasks"],
      into: "task",
      to: ["label", "done", "note"],
      up: ({ tasks }, note) => tasks.map(({ id, label, done }) => ({ key: id, values: { label, done, note } })),
    }),
  ],
});
type First = typeof first;
type Second = typeof second;

let place: Place;
let open: Array<Cairn<First> | Cairn<Second>> = [];
beforeEach(async () => {
  place = await makePlace();
});
afterEach(async () => {
  await Promise.all(open.map((cairn) => cairn.close()));
  open = [];
  await place.leave();
});

const older = async (name: string): Promise<Cairn<First>> => {
  const cairn = await openCairn({ schema: first, directory: place.folder(name), server: place.origin() });
  open.push(cairn);
  return cairn;
};
const newer = async (name: string): Promise<Cairn<Second>> => {
  const cairn = await openCairn({ schema: second, directory: place.folder(name), server: place.origin() });
  open.push(cairn);
  return cairn;
};
const close = async (cairn: Cairn<First> | Cairn<Second>): Promise<void> => {
  open = open.filter((other) => other !== cairn);
  await cairn.close();
};

const task = (id: string, done = false) => ({ id, label: `${id}!`, done });
const tasksOf = async (workspace: Workspace<Second>): Promise<ReadonlyArray<string>> =>
  (await workspace.query("task")).map(({ fields }) => `${fields.label}${fields.done ? " done" : ""}`).toSorted();
const untilTasks = (workspace: Workspace<Second>, ...expected: ReadonlyArray<string>): Promise<void> =>
  until(async () => JSON.stringify(await tasksOf(workspace)) === JSON.stringify(expected));
const onServer = (workspace: Workspace<First> | Workspace<Second>): Promise<void> =>
  workspace.flush({ tier: "server", timeout: 20_000 });

it("the newer app has them as documents in its lists, once, and they are edited like others", async () => {
  const before = await older("laptop");
  const home = await before.workspace();
  const note = await home.create("note", (edit) => {
    edit.title.set("Walls");
    edit.tasks.push(task("stone"), task("sand", true));
  });
  await home.flush();
  await close(before);

  const after = await newer("laptop");
  const workspace = await after.workspace();
  await untilTasks(workspace, "sand! done", "stone!");
  const [row] = await workspace.query("task", { where: { done: { eq: true } } });
  expect(row?.fields.note).toBe(note.id);
  const sand = await workspace.open("task", row?.id ?? note.id);
  sand.edit((edit) => edit.label.insert(0, "wet "));
  await onServer(workspace);
  await untilTasks(workspace, "stone!", "wet sand! done");
  await close(after);

  // Again, and nothing more is written.
  const again = await newer("laptop");
  const same = await again.workspace();
  await (await same.open("note", note.id)).close();
  await onServer(same);
  expect(await tasksOf(same)).toEqual(["stone!", "wet sand! done"]);
});

it("two devices that are updated at the same moment double nothing, and what an older app writes later is carried over", async () => {
  const ann = await older("ann");
  const home = await ann.workspace();
  const note = await home.create("note", (edit) => edit.tasks.push(task("stone"), task("sand")));
  const { url } = await home.createLink({ role: "writer" });
  await onServer(home);
  const ben = await older("ben");
  await ben.join(url);
  const old = await older("old");
  const oldWorkspace = await old.join(url);
  await until(async () => (await oldWorkspace.query("note")).length === 1);
  await until(async () => (await (await ben.workspace(home.id)).query("note")).length === 1);
  await close(ann);
  await close(ben);

  const both = await Promise.all([newer("ann"), newer("ben")]);
  const workspaces = await Promise.all(both.map((cairn) => cairn.workspace(home.id)));
  for (const workspace of workspaces) await untilTasks(workspace, "sand!", "stone!");
  for (const workspace of workspaces) await onServer(workspace);
  const [annNow, benNow] = workspaces;
  if (annNow === undefined || benNow === undefined) throw new Error("two were opened");
  const [stone] = (await annNow.query("task")).filter(({ fields }) => fields.label === "stone!");
  const handle = await annNow.open("task", stone?.id ?? note.id);
  handle.edit((edit) => edit.label.insert(0, "big "));

  const late = await oldWorkspace.open("note", note.id);
  late.edit((edit) => {
    edit.tasks.delete(0, 1);
    edit.tasks.insert(0, task("stone", true));
    edit.tasks.push(task("water"));
  });
  for (const workspace of workspaces) await untilTasks(workspace, "big stone! done", "sand!", "water!");
  expect(late.read().tasks.map(({ id }) => id)).toEqual(["stone", "sand", "water"]);
});

it("an engine that is closed in the middle goes on where it was", async () => {
  const before = await older("laptop");
  const home = await before.workspace();
  for (let index = 0; index < 40; index += 1) {
    await home.create("note", (edit) => edit.tasks.push(task(`a${index}`), task(`b${index}`)));
  }
  await home.flush();
  await close(before);
  let seen = 0;
  for (let tries = 0; tries < 4; tries += 1) {
    const cut = await newer("laptop");
    const workspace = await cut.workspace();
    const least = seen + 1;
    await until(async () => (await workspace.count("task")) >= Math.min(least, 80));
    seen = await workspace.count("task");
    await close(cut);
  }
  const after = await newer("laptop");
  const workspace = await after.workspace();
  await until(async () => (await workspace.count("task")) === 80);
  await onServer(workspace);
  expect(new Set(await tasksOf(workspace)).size).toBe(80);
});

it("who may only read writes nothing, and sees what the others have written", async () => {
  const ann = await older("ann");
  const home = await ann.workspace();
  await home.create("note", (edit) => edit.tasks.push(task("stone")));
  const { url } = await home.createLink({ role: "reader" });
  await onServer(home);
  const reader = await newer("reader");
  const joined = await reader.join(url);
  await until(async () => (await joined.query("note")).length === 1);
  expect(await joined.unsynced()).toMatchObject({ documents: 0, edits: 0 });
  expect(await joined.count("task")).toBe(0);
  await close(ann);
  const annNow = await (await newer("ann")).workspace();
  await untilTasks(annNow, "stone!");
  await untilTasks(joined, "stone!");
  expect(await joined.unsynced()).toMatchObject({ documents: 0, edits: 0 });
});

it("a page leaves the row of such a document to whoever writes first what it says", async () => {
  const before = await older("laptop");
  const home = await before.workspace();
  const note = await home.create("note", (edit) => edit.tasks.push(task("stone")));
  await home.flush();
  await close(before);
  const connection = await startNodeEngine({ schema: second, directory: place.folder("laptop") });
  const rows: Array<unknown> = [];
  const engine: EngineApi = {
    ...connection.engine,
    append: (workspace, edits, writer) => {
      rows.push(...edits.map(({ row }) => row));
      return connection.engine.append(workspace, edits, writer);
    },
  };
  const cairn = new OpenCairn({ schema: second, ...connection, engine });
  open.push(cairn);
  const workspace = await cairn.workspace();
  const source = await workspace.open("note", note.id);
  source.edit((edit) => edit.title.set("Walls"));
  await workspace.flush();
  expect(rows).toEqual([undefined]);
  await untilTasks(workspace, "stone!");
  const [made] = await workspace.query("task");
  const other = await workspace.open("task", made?.id ?? note.id);
  other.edit((edit) => edit.done.set(true));
  await workspace.flush();
  expect(rows.at(-1)).toBeDefined();
  await until(async () => (await workspace.query("note"))[0]?.fields.title === "Walls");
});
