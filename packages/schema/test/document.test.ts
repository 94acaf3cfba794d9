import { LoroDoc, LoroMap, LoroText } from "loro-crdt";
import { describe, expect, test } from "vitest";
import { Schema } from "effect";

import {
  SchemaDefinitionError,
  SchemaWriteError,
  attachmentsOf,
  createdAt,
  defineDocument,
  defineSchema,
  describeDocument,
  documentTypeName,
  editDocument,
  field,
  inspectDocument,
  isDeleted,
  project,
  readDocument,
  setDeleted,
  stateDigestInput,
} from "@cairn/schema";
import { manifest, note } from "./notebook.ts";

const copyOf = (doc: LoroDoc): LoroDoc => {
  const copy = new LoroDoc();
  copy.import(doc.export({ mode: "update" }));
  return copy;
};

describe("reading", () => {
  test("a document that nobody wrote reads as defaults, and reading writes nothing", () => {
    const doc = new LoroDoc();
    expect(readDocument(note, doc)).toEqual({
      title: "",
      body: "",
      done: false,
      rank: 0.5,
      dueAt: null,
      color: "none",
      tags: [],
      lines: [],
      order: [],
      links: {},
      views: 0,
      files: {},
      tasks: {},
    });
    project(note, doc);
    inspectDocument(note, doc);
    editDocument(note, doc);
    expect(doc.opCount()).toBe(0);
    expect(doc.getPendingTxnLength()).toBe(0);
  });

  test("what was written is read on another replica", () => {
    const doc = new LoroDoc();
    const edit = editDocument(note, doc);
    edit.title.set("Übung 🪨");
    edit.body.insert(0, "Hello");
    edit.done.set(true);
    edit.color.set("red");
    edit.dueAt.set(5);
    edit.tags.add("zebra");
    edit.tags.add("ant");
    edit.tags.add("gone");
    edit.tags.remove("gone");
    edit.lines.push({ text: "a", done: false }, { text: "b", done: true });
    edit.lines.delete(0);
    edit.order.insert(0, "x", "y", "z");
    edit.order.move(0, 2);
    edit.order.replace(0, "Y");
    edit.links.set("home", { url: "https://example.org" });
    edit.links.set("gone", { url: "" });
    edit.links.delete("gone");
    edit.views.add(3);
    edit.views.add(-1);
    edit.files.set("f1", manifest("stone.png"));
    const task = edit.tasks.ensure("t1");
    task.label.set("Carry stones");
    task.notes.insert(0, "heavy");
    task.people.add("Ada");
    task.sub.ensure("s").label.set("first");
    doc.commit();
    expect(readDocument(note, copyOf(doc))).toEqual({
      title: "Übung 🪨",
      body: "Hello",
      done: true,
      rank: 0.5,
      dueAt: 5,
      color: "red",
      tags: ["ant", "zebra"],
      lines: [{ text: "b", done: true }],
      order: ["Y", "z", "x"],
      links: { home: { url: "https://example.org" } },
      views: 2,
      files: { f1: manifest("stone.png") },
      tasks: {
        t1: {
          label: "Carry stones",
          done: false,
          notes: "heavy",
          people: ["Ada"],
          steps: [],
          ranking: [],
          prices: {},
          spent: 0,
          sub: { s: { label: "first" } },
        },
      },
    });
    expect(attachmentsOf(note, doc).map((attachment) => attachment.id)).toEqual(["f1"]);
  });

  test("a value that does not fit reads as its default, is reported with its path, and stays", () => {
    const doc = new LoroDoc();
    const fields = doc.getMap("fields");
    fields.set("title", 7);
    fields.set("rank", 3);
    fields.setContainer("done", new LoroMap()).set("x", 1);
    doc.getMap("tags").set("ok", true);
    doc.getMap("tags").set("bad", "yes");
    doc.getMap("tags").set("out", false);
    doc.getList("lines").insert(0, { text: "fits", done: true });
    doc.getList("lines").insert(0, { text: 1 });
    doc.getMap("files").set("f", { ...manifest("x"), size: 1 << 30 });
    doc.getMap("tasks").set("plain", 1);
    doc.getMap("tasks").ensureMergeableMap("t").set("notes", "a plain value where a text belongs");
    const before = stateDigestInput(doc);
    const { view, invalid } = inspectDocument(note, doc);
    expect(view).toMatchObject({ title: "", rank: 0.5, done: false, tags: ["ok"], files: {} });
    expect(view.lines).toEqual([{ text: "fits", done: true }]);
    expect(view.tasks).toMatchObject({ t: { notes: "" } });
    expect(invalid).toEqual([
      { path: ["title"], reason: "misfit" },
      { path: ["done"], reason: "wrong-kind" },
      { path: ["rank"], reason: "misfit" },
      { path: ["tags", "bad"], reason: "misfit" },
      { path: ["lines", 0], reason: "misfit" },
      { path: ["files", "f"], reason: "misfit" },
      { path: ["tasks", "plain"], reason: "wrong-kind" },
      { path: ["tasks", "t", "notes"], reason: "wrong-kind" },
    ]);
    expect(editDocument(note, doc).lines.entries()).toEqual([{ position: 1, value: { text: "fits", done: true } }]);
    expect(stateDigestInput(doc)).toEqual(before);
  });

  test("what a newer app wrote is seen as unknown and survives an older app's edits (promise 10)", () => {
    const newer = defineDocument({
      fields: {
        title: field.string(),
        mood: field.string(),
        sketch: field.text(),
        tasks: field.records({ label: field.string(), weight: field.number(), story: field.text() }),
      },
    });
    const older = defineDocument({
      fields: { title: field.string(), tasks: field.records({ label: field.string() }) },
    });
    const doc = new LoroDoc();
    const edit = editDocument(newer, doc);
    edit.mood.set("calm");
    edit.sketch.insert(0, "~~~");
    edit.tasks.ensure("t").weight.set(4);
    edit.tasks.ensure("t").story.insert(0, "once");
    const old = copyOf(doc);
    expect(inspectDocument(older, old).unknown).toEqual([
      ["sketch"],
      ["fields", "mood"],
      ["tasks", "t", "story"],
      ["tasks", "t", "weight"],
    ]);
    const oldEdit = editDocument(older, old);
    oldEdit.title.set("renamed");
    oldEdit.tasks.edit("t")?.label.set("labelled");
    old.commit();
    const back = copyOf(old);
    expect(readDocument(newer, back)).toEqual({
      title: "renamed",
      mood: "calm",
      sketch: "~~~",
      tasks: { t: { label: "labelled", weight: 4, story: "once" } },
    });
    // Whoever removes a record removes all of it.
    editDocument(older, back).tasks.remove("t");
    editDocument(older, back).tasks.ensure("t");
    expect(readDocument(newer, back).tasks).toEqual({ t: { label: "", weight: 0, story: "" } });
  });
});

describe("writing", () => {
  const refused = (write: () => void): string => {
    try {
      write();
    } catch (error) {
      if (error instanceof SchemaWriteError) return error.code;
      throw error;
    }
    return "accepted";
  };

  test("a value that does not fit is refused and changes nothing", () => {
    const doc = new LoroDoc();
    const edit = editDocument(note, doc);
    expect(refused(() => edit.title.set("x".repeat(1_001)))).toBe("schema/invalid-value");
    expect(refused(() => edit.title.set("\ud800"))).toBe("schema/invalid-value");
    expect(refused(() => edit.rank.set(Number.NaN))).toBe("schema/invalid-value");
    expect(refused(() => edit.tags.add("x".repeat(51)))).toBe("schema/invalid-value");
    expect(refused(() => edit.lines.insert(1, { text: "", done: true }))).toBe("schema/out-of-range");
    expect(refused(() => edit.lines.delete(0))).toBe("schema/out-of-range");
    expect(refused(() => edit.order.move(0, 0))).toBe("schema/out-of-range");
    expect(refused(() => edit.views.add(0.1))).toBe("schema/invalid-value");
    expect(refused(() => edit.links.set("", { url: "" }))).toBe("schema/invalid-value");
    expect(refused(() => edit.tasks.ensure(""))).toBe("schema/invalid-value");
    expect(refused(() => edit.files.set("f", { ...manifest("f", 2), size: 3 }))).toBe("schema/invalid-value");
    expect(doc.getPendingTxnLength()).toBe(0);
  });

  test("a container whose key somebody else occupies is refused, not taken over (rule 16)", () => {
    const doc = new LoroDoc();
    const record = doc.getMap("tasks").ensureMergeableMap("t");
    record.set("notes", "plain");
    record.ensureMergeableText("people").insert(0, "a text where a set belongs");
    const edit = editDocument(note, doc).tasks.ensure("t");
    expect(refused(() => edit.notes.insert(0, "x"))).toBe("schema/slot-occupied");
    expect(refused(() => edit.people.add("x"))).toBe("schema/slot-occupied");
    expect(record.get("notes")).toBe("plain");
    expect(record.get("people")).toBeInstanceOf(LoroText);
  });

  test("a record that was removed and made again does not bring its old content back (rule 16)", () => {
    const doc = new LoroDoc();
    const { tasks } = editDocument(note, doc);
    const task = tasks.ensure("t");
    task.label.set("old");
    task.notes.insert(0, "old");
    task.people.add("old");
    task.steps.push("old");
    task.ranking.push("old");
    task.prices.set("old", 1);
    task.spent.add(5);
    task.sub.ensure("s").label.set("old");
    tasks.remove("t");
    expect(tasks.get()).toEqual({});
    expect(tasks.edit("t")).toBeUndefined();
    tasks.ensure("t");
    expect(JSON.stringify(tasks.get())).not.toContain("old");
    expect(tasks.get()["t"]).toMatchObject({ label: "", notes: "", spent: 0, sub: {} });
  });

  test("an attachment's manifest has as many chunks as its size says", () => {
    const { files } = editDocument(note, new LoroDoc());
    const empty = { ...manifest("empty"), size: 0 };
    expect(refused(() => files.set("f", manifest("three", 3)))).toBe("accepted");
    expect(refused(() => files.set("f", empty))).toBe("accepted");
    expect(refused(() => files.set("f", { ...empty, chunks: [] }))).toBe("accepted");
    expect(refused(() => files.set("f", { ...manifest("short", 3), chunks: [] }))).toBe("schema/invalid-value");
    expect(refused(() => files.set("f", { ...manifest("x"), chunkSize: 1, size: 1 }))).toBe("schema/invalid-value");
    expect(refused(() => files.set("f", { ...manifest("x"), chunks: [{ sealedHash: "../x", plainHash: "" }] }))).toBe(
      "schema/invalid-value",
    );
  });

  test("reset brings the default back", () => {
    const doc = new LoroDoc();
    const { rank } = editDocument(note, doc);
    rank.set(1);
    rank.reset();
    expect(rank.get()).toBe(0.5);
  });
});

describe("the state that every document has", () => {
  test("deleting is an edit that can be undone (rule 27)", () => {
    const doc = new LoroDoc();
    expect(isDeleted(doc)).toBe(false);
    editDocument(note, doc).title.set("kept");
    setDeleted(doc, true);
    const copy = copyOf(doc);
    expect(isDeleted(copy)).toBe(true);
    expect(project(note, copy)).toMatchObject({ deleted: true, fields: { title: "kept" } });
    setDeleted(copy, false);
    expect(isDeleted(copyOf(copy))).toBe(false);
    expect(readDocument(note, copy).title).toBe("kept");
  });

  test("type and time of creation are given by the caller and written once", () => {
    const doc = new LoroDoc();
    describeDocument(doc, { type: "note", createdAt: 42 });
    describeDocument(doc, { type: "other", createdAt: 43 });
    expect([documentTypeName(doc), createdAt(doc)]).toEqual(["note", 42]);
    doc.getMap("cairn").set("createdAt", -1);
    expect(createdAt(doc)).toBeUndefined();
  });
});

describe("declaring", () => {
  const code = (declare: () => unknown): string => {
    try {
      declare();
    } catch (error) {
      if (error instanceof SchemaDefinitionError) return error.code;
      throw error;
    }
    return "accepted";
  };

  test("names and defaults that contradict the rules are refused", () => {
    const refusedCode = "schema/invalid-definition";
    expect(code(() => defineDocument({ fields: { $x: field.string() } }))).toBe(refusedCode);
    expect(code(() => defineDocument({ fields: { a: field.string({ physical: "a/b" }) } }))).toBe(refusedCode);
    expect(code(() => defineDocument({ fields: { cairn: field.text() } }))).toBe(refusedCode);
    expect(code(() => defineDocument({ fields: { fields: field.string() } }))).toBe(refusedCode);
    expect(code(() => defineDocument({ fields: { a: field.text(), b: field.string({ physical: "a" }) } }))).toBe(
      refusedCode,
    );
    expect(code(() => defineDocument({ fields: { a: field.string({ default: "long", maxLength: 2 }) } }))).toBe(
      refusedCode,
    );
    expect(code(() => defineDocument({ fields: { a: field.records({ __proto: field.text() }) } }))).toBe(refusedCode);
    expect(code(() => defineDocument({ fields: { a: field.text({ preview: 0 }) } }))).toBe(refusedCode);
    expect(code(() => defineSchema({ version: 1, documents: { "a b": note } }))).toBe(refusedCode);
    for (const version of [0, -1, 1.5, Number.NaN, 2 ** 53])
      expect(code(() => defineSchema({ version, documents: { note } }))).toBe(refusedCode);
    expect(defineSchema({ version: 7, documents: { note } }).version).toBe(7);
  });

  test("a schema whose check throws refuses the value instead", () => {
    const touchy = Schema.String.check(
      Schema.makeFilter((value) => {
        if (value !== "") throw new Error("touchy");
        return true;
      }),
    );
    const type = defineDocument({ fields: { a: field.value(touchy, { default: "" }) } });
    const doc = new LoroDoc();
    doc.getMap("fields").set("a", "x");
    expect(inspectDocument(type, doc)).toMatchObject({ view: { a: "" }, invalid: [{ path: ["a"] }] });
  });
});
