/** The examples of `docs/queries.md`, as they stand there. */
import { defineDocument, defineSchema, field } from "@cairn/schema";
import { Schema } from "effect";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openCairn } from "../src/node.ts";

const schema = defineSchema({
  version: 1,
  documents: {
    stone: defineDocument({
      fields: {
        name: field.string({ indexed: true, searchable: true }),
        weight: field.number({ indexed: true }),
        tags: field.set(Schema.String, { indexed: true }),
        found: field.value(Schema.NullOr(Schema.Struct({ place: Schema.String, year: Schema.Int })), {
          default: null,
          filterable: true,
          indexed: ["place"],
        }),
        story: field.text({ list: "preview", searchable: true }),
      },
    }),
  },
});

const names = (rows: ReadonlyArray<{ readonly fields: { readonly name: string } }>) =>
  rows.map(({ fields }) => fields.name);

test("the guide's examples run; a program that knows no type leaves rows alone (hazard 23), a changed one makes them anew", async () => {
  const directory = await mkdtemp(join(tmpdir(), "cairn-queries-"));
  try {
    const cairn = await openCairn({ schema, directory });
    const workspace = await cairn.workspace();
    for (const [name, weight, tag] of [
      ["Dry wall", 3, "wall"],
      ["Keystone", 2, "arch"],
      ["Pebble", 1, "wall"],
    ] as const) {
      const made = await workspace.create("stone", (edit) => {
        edit.name.set(name);
        edit.weight.set(weight);
        edit.tags.add(tag);
      });
      await made.close();
    }
    const heavy = await workspace.query("stone", {
      where: { weight: { gte: 2 }, or: [{ tags: { eq: "wall" } }, { "found.place": { in: ["Chur", "Bern"] } }] },
      sort: [{ by: "weight", descending: true }, { by: "name" }],
    });
    const dry = await workspace.query("stone", { search: "dry wa" });
    const first = await workspace.page("stone", { sort: { by: "name" }, limit: 2 });
    const second = await workspace.page("stone", { sort: { by: "name" }, limit: 2, after: first.next });
    const number = await workspace.count("stone", { where: { tags: { ne: "wall" } } });
    const tags = await workspace.countBy("stone", "tags");
    expect([names(heavy), names(dry), names(first.rows), names(second.rows), number]).toEqual([
      ["Dry wall"],
      ["Dry wall"],
      ["Dry wall", "Keystone"],
      ["Pebble"],
      1,
    ]);
    expect(tags).toEqual([
      { value: "wall", count: 2 },
      { value: "arch", count: 1 },
    ]);

    const id = heavy[0]?.id;
    if (id === undefined) throw new Error("there is a heavy one");
    const stone = await workspace.open("stone", id);
    const before = stone.loro.frontiers();
    stone.patch([
      { op: "set", path: "found", value: { place: "Chur", year: 1923 } },
      { op: "set", path: "found.year", value: 1924 },
      { op: "increment", path: "weight", by: 0.5 },
      { op: "insert", path: "tags", values: ["old"] },
      { op: "splice", path: "story", at: 0, insert: "Found by the river. " },
    ]);
    expect(stone.read()).toMatchObject({ weight: 3.5, tags: ["old", "wall"], found: { place: "Chur", year: 1924 } });
    expect(stone.patchSince(before)).toContainEqual({ op: "insert", path: "tags", values: ["old"] });
    expect(() =>
      stone.patch([
        { op: "increment", path: "weight", by: 1 },
        { op: "insert", path: "tags", values: [""], at: 0 },
      ]),
    ).not.toThrow();
    await stone.close();
    await cairn.close();

    // A program without the app's types deletes one and touches nothing else.
    const stranger = await openCairn({ schema: defineSchema({ version: 1, documents: {} }), directory });
    const there = await stranger.workspace();
    await there.delete(id);
    await stranger.close();

    const changed = defineSchema({
      version: 1,
      documents: {
        stone: defineDocument({
          fields: { ...schema.documents.stone.fields, weight: field.number({ filterable: true }) },
        }),
      },
    });
    const again = await openCairn({ schema: changed, directory });
    const rows = await again.workspace();
    expect(names(await rows.query("stone", { deleted: "only", search: "dry" }))).toEqual(["Dry wall"]);
    expect(names(await rows.query("stone", { sort: { by: "weight" } }))).toEqual(["Pebble", "Keystone"]);
    await again.close();
  } finally {
    await rm(directory, { recursive: true });
  }
});
