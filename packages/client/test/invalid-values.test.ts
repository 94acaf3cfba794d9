/** Values that do not fit the schema, as lists show them. */
import { defineDocument, defineSchema, evolveSchema, field } from "@cairn/schema";
import { Schema } from "effect";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openCairn } from "../src/node.ts";
import { first, second, third } from "./evolving-notes.ts";
import { until } from "./notebook.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "cairn-invalid-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test("a list says which of its rows have them, and where, until they are mended", async () => {
  const app = await openCairn({ schema: first, directory });
  const workspace = await app.workspace();
  const broken = await workspace.create("note", (draft) => draft.title.set("broken"));
  const whole = await workspace.create("note", (draft) => draft.title.set("whole"));
  // As a bug or a hostile device writes it.
  broken.loro.getMap("fields").set("title", 42);
  broken.loro.getMap("fields").set("pinned", "yes");
  broken.loro.commit();
  await workspace.flush();
  const rowsOf = async () => Object.fromEntries((await workspace.query("note")).map((row) => [row.id, row]));
  await until(async () => (await rowsOf())[broken.id]?.invalid !== undefined);
  const rows = await rowsOf();
  expect(rows[broken.id]).toMatchObject({ fields: { title: "", pinned: false }, invalid: ["/title", "/pinned"] });
  expect(Object.keys(rows[broken.id]?.fields ?? {}).toSorted()).toEqual(["body", "pinned", "title"]);
  expect(rows[whole.id]).not.toHaveProperty("invalid");
  const all = await Array.fromAsync(workspace.documents());
  expect(all.filter(({ invalid }) => invalid !== undefined).map(({ id }) => id)).toEqual([broken.id]);
  // Found so, it is looked at; what does not fit is still there.
  expect((await workspace.inspect(broken.id)).invalid).toEqual([
    { path: ["title"], reason: "misfit" },
    { path: ["pinned"], reason: "misfit" },
  ]);
  expect(broken.loro.getMap("fields").get("title")).toBe(42);
  broken.edit((draft) => {
    draft.title.set("mended");
    draft.pinned.set(true);
  });
  await workspace.flush();
  await until(async () => (await rowsOf())[broken.id]?.invalid === undefined);
  expect((await rowsOf())[broken.id]).toMatchObject({ fields: { title: "mended", pinned: true } });
  await app.close();
});

test("a newer app says so of the form that it reads them in", async () => {
  const app = await openCairn({ schema: first, directory });
  const workspace = await app.workspace();
  const note = await workspace.create("note");
  note.loro.getMap("fields").set("pinned", "yes");
  note.loro.commit();
  await workspace.flush();
  await until(async () => (await workspace.query("note")).some(({ invalid }) => invalid !== undefined));
  await app.close();
  for (const schema of [second, third]) {
    const newer = await openCairn({ schema, directory });
    const now = await newer.workspace();
    const [row] = await now.query("note");
    expect(Object.keys(row?.fields ?? {})).not.toContain("pinned");
    await until(async () => (await now.query("note"))[0]?.invalid?.length === 1);
    await newer.close();
  }
});

test("of a document that is split into several, what is in none of them is reported", async () => {
  const list = defineSchema({
    version: 1,
    documents: { list: defineDocument({ fields: { lines: field.list(Schema.String) } }) },
  });
  const lines = evolveSchema(list, {
    version: 2,
    documents: {
      list: defineDocument({ fields: {} }),
      line: defineDocument({ fields: { text: field.string({ list: true }) } }),
    },
    steps: (step) => [
      step.addType("line"),
      step.extract("list", {
        from: ["lines"],
        into: "line",
        to: ["text"],
        up: ({ lines: all }) => all.map((text, index) => ({ key: `${index}`, values: { text } })),
      }),
    ],
  });
  const app = await openCairn({ schema: list, directory });
  const { id, loro } = await (await app.workspace()).create("list", (draft) => draft.lines.push("one"));
  loro.getList("lines").push(2);
  loro.commit();
  await (await app.workspace()).flush();
  await app.close();
  const newer = await openCairn({ schema: lines, directory });
  const workspace = await newer.workspace();
  await until(async () => (await workspace.query("line")).length === 1);
  await until(async () => (await workspace.query("list"))[0]?.invalid !== undefined);
  expect((await workspace.query("list"))[0]?.invalid).toEqual(["/lines/1"]);
  const invalid = [{ path: ["lines", 1], reason: "misfit" }];
  expect((await workspace.inspect(id)).invalid).toEqual(invalid);
  expect((await workspace.open("list", id)).inspect().invalid).toEqual(invalid);
  await newer.close();
});
