/** A record that is removed and made again is empty, for apps of all versions, whichever removed it and whichever makes it. */
import { Schema } from "effect";
import { LoroDoc } from "loro-crdt";
import { describe, expect, test } from "vitest";

import { defineDocument, defineSchema, editDocument, evolveSchema, field, readDocument } from "@cairn/schema";

const one = defineSchema({
  version: 1,
  documents: {
    list: defineDocument({
      fields: {
        rows: field.records({
          label: field.string(),
          note: field.text(),
          old: field.string(),
          kept: field.set(Schema.String),
          words: field.list(Schema.String),
        }),
      },
    }),
  },
});

const two = evolveSchema(one, {
  version: 2,
  documents: {
    list: defineDocument({
      fields: {
        rows: field.records({
          label: field.string(),
          note: field.text(),
          words: field.movableList(Schema.String),
          color: field.string({ default: "grey" }),
          story: field.text(),
          count: field.counter(),
          inner: field.records({ what: field.string(), more: field.list(Schema.String) }),
          nodes: field.tree({ what: field.string() }),
          tags: field.set(Schema.String),
        }),
      },
    }),
  },
  steps: (step) => [
    step.remove("list.rows", "old"),
    step.remove("list.rows", "kept"),
    step.change("list.rows", { from: ["words"], to: ["words"], up: ({ words }) => ({ words }) }),
    step.add("list.rows", "color"),
    step.add("list.rows", "story"),
    step.add("list.rows", "count"),
    step.add("list.rows", "inner"),
    step.add("list.rows", "nodes"),
    step.add("list.rows", "tags"),
  ],
});

const older = one.documents.list;
const newer = two.documents.list;
const oldRows = (doc: LoroDoc) => editDocument(older, doc).rows;
const newRows = (doc: LoroDoc) => editDocument(newer, doc).rows;

const written = (): LoroDoc => {
  const doc = new LoroDoc();
  doc.setPeerId(1n);
  const old = oldRows(doc).ensure("r");
  old.label.set("bread");
  old.note.insert(0, "fresh");
  old.old.set("of before");
  old.kept.add("kept");
  old.words.push("a", "b");
  const row = newRows(doc).ensure("r");
  row.words.push("c");
  row.color.set("red");
  row.story.insert(0, "once");
  row.count.add(3);
  row.inner.ensure("x").what.set("inside");
  row.inner.ensure("x").more.push("m");
  row.nodes.create(undefined, 0, { key: "n" });
  row.tags.add("t");
  doc.commit();
  return doc;
};

const EMPTY_OLD = { label: "", note: "", old: "", kept: [], words: [] };
const EMPTY_NEW = {
  label: "",
  note: "",
  words: [],
  color: "grey",
  story: "",
  count: 0,
  inner: {},
  nodes: [],
  tags: [],
};

const removals = [
  ["an older app", (doc: LoroDoc) => oldRows(doc).remove("r")],
  ["a newer app", (doc: LoroDoc) => newRows(doc).remove("r")],
] as const;
const makings = [
  ["an older one", (doc: LoroDoc) => oldRows(doc).ensure("r")],
  ["a newer one", (doc: LoroDoc) => newRows(doc).ensure("r")],
] as const;

describe.each(removals)("removed by %s", (_, remove) => {
  test.each(makings)("and made again by %s", (__, make) => {
    const doc = written();
    remove(doc);
    doc.commit();
    expect(readDocument(older, doc).rows).toEqual({});
    expect(readDocument(newer, doc).rows).toEqual({});
    make(doc);
    doc.commit();
    expect(readDocument(older, doc).rows).toEqual({ r: EMPTY_OLD });
    expect(readDocument(newer, doc).rows).toEqual({ r: EMPTY_NEW });
    // What is inside it is made anew as well.
    newRows(doc).ensure("r").inner.ensure("x");
    newRows(doc).ensure("r").words.push("d");
    doc.commit();
    expect(readDocument(newer, doc).rows).toEqual({
      r: { ...EMPTY_NEW, inner: { x: { what: "", more: [] } }, words: ["d"] },
    });
  });
});

test("what somebody wrote into it meanwhile is gone too when it is made again", () => {
  const doc = written();
  const other = LoroDoc.fromSnapshot(doc.export({ mode: "snapshot" }));
  other.setPeerId(2n);
  newRows(other).ensure("r").color.set("blue");
  newRows(other).ensure("r").words.push("late");
  newRows(other).ensure("r").story.insert(0, "late ");
  other.commit();
  oldRows(doc).remove("r");
  doc.commit();
  doc.import(other.export({ mode: "update" }));
  expect(readDocument(newer, doc).rows).toEqual({});
  newRows(doc).ensure("r");
  doc.commit();
  expect(readDocument(newer, doc).rows).toEqual({ r: EMPTY_NEW });
});

test("what went with a record stays away where somebody carried it on meanwhile, and what that one added is there", () => {
  const doc = written();
  const other = LoroDoc.fromSnapshot(doc.export({ mode: "snapshot" }));
  other.setPeerId(2n);
  // An older app's edit, which the newer app's next one takes into a form of the words that nobody else knows.
  oldRows(other).ensure("r").words.push("late");
  other.commit();
  newRows(other).ensure("r").words.push("d");
  other.commit();
  oldRows(doc).remove("r");
  oldRows(doc).ensure("r");
  doc.commit();
  doc.import(other.export({ mode: "update" }));
  expect(readDocument(older, doc).rows["r"]?.words).toEqual(["late"]);
  expect(readDocument(newer, doc).rows["r"]?.words.toSorted()).toEqual(["d", "late"]);
  newRows(doc).ensure("r").words.push("e");
  doc.commit();
  expect(readDocument(newer, doc).rows["r"]?.words.toSorted()).toEqual(["d", "e", "late"]);
});

test("a record that holds nothing any more is made again without writing over what others write in it", () => {
  const doc = written();
  oldRows(doc).remove("r");
  doc.commit();
  const other = LoroDoc.fromSnapshot(doc.export({ mode: "snapshot" }));
  other.setPeerId(2n);
  // One device's clock is far ahead of the other's.
  oldRows(doc).ensure("q").note.insert(0, "x".repeat(100));
  oldRows(doc).ensure("r");
  newRows(other).ensure("r").color.set("blue");
  newRows(other).ensure("r").count.add(2);
  doc.commit();
  other.commit();
  doc.import(other.export({ mode: "update" }));
  expect(readDocument(newer, doc).rows["r"]).toEqual({ ...EMPTY_NEW, color: "blue", count: 2 });
});
