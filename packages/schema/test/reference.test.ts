import { LoroDoc } from "loro-crdt";
import { describe, expect, test } from "vitest";

import {
  type Filter,
  SchemaDefinitionError,
  SchemaWriteError,
  applyPatch,
  defineDocument,
  defineSchema,
  editDocument,
  field,
  filterablePaths,
  fits,
  inspectDocument,
  project,
  readDocument,
  referencesOf,
  checkQuery,
} from "@cairn/schema";
import { documentId, page } from "./outline.ts";

const [A, B, C, D] = [documentId(1), documentId(2), documentId(3), documentId(4)];

describe("references", () => {
  test("are ids of documents or null, and sets of ids; nothing else is read or written", () => {
    const doc = new LoroDoc();
    const { parent, seeAlso } = editDocument(page, doc);
    expect(readDocument(page, doc)).toMatchObject({ parent: null, seeAlso: [] });
    parent.set(A);
    seeAlso.add(C);
    seeAlso.add(B);
    expect(readDocument(page, doc)).toMatchObject({ parent: A, seeAlso: [B, C] });
    parent.set(null);
    expect(parent.get()).toBeNull();
    for (const wrong of ["", "note-1", "A".repeat(22), "B".repeat(22), `${"B".repeat(20)}+A`, `${A}\n`, `${A}A`]) {
      expect(() => parent.set(wrong)).toThrow(SchemaWriteError);
      expect(() => seeAlso.add(wrong)).toThrow(SchemaWriteError);
      doc.getMap("fields").set("parent", wrong);
      doc.getMap("seeAlso").set(wrong, true);
      const { view, invalid } = inspectDocument(page, doc);
      expect(view).toMatchObject({ parent: null, seeAlso: [B, C] });
      expect(invalid.length).toBeGreaterThanOrEqual(2);
    }
  });

  test("are listed, filtered and patched like other plain values", () => {
    const doc = new LoroDoc();
    applyPatch(page, doc, [
      { op: "set", path: "parent", value: A },
      { op: "insert", path: "seeAlso", values: [B] },
    ]);
    expect(() => applyPatch(page, doc, [{ op: "set", path: "parent", value: "x" }])).toThrow(
      expect.objectContaining({ code: "patch/invalid-value" }),
    );
    const { fields } = project(page, doc);
    expect(fields).toMatchObject({ parent: A, seeAlso: [B] });
    expect(filterablePaths(page).map(({ path, indexed }) => [path, indexed])).toEqual([
      ["parent", true],
      ["seeAlso", false],
    ]);
    const row = { id: C, fields, createdAt: 0, updatedAt: 0 };
    const holds = (where: Filter<typeof page>): boolean => fits(checkQuery(page, { where }).where, row);
    expect(holds({ parent: { eq: A }, seeAlso: { eq: B } })).toBe(true);
    expect(holds({ parent: { eq: null } })).toBe(false);
  });

  test("referencesOf finds them wherever they are declared", () => {
    const doc = new LoroDoc();
    doc.setPeerId(1);
    const edit = editDocument(page, doc);
    expect(referencesOf(page, doc)).toEqual([]);
    edit.parent.set(A);
    edit.seeAlso.add(B);
    const node = edit.outline.create(edit.outline.create());
    edit.outline.edit(node)?.about.set(C);
    edit.outline.edit(node)?.steps.ensure("s").see.add(D);
    expect(referencesOf(page, doc)).toEqual([
      { path: ["outline", node, "about"], type: "page", id: C },
      { path: ["outline", node, "steps", "s", "see"], type: undefined, id: D },
      { path: ["parent"], type: "page", id: A },
      { path: ["seeAlso"], type: "page", id: B },
    ]);
    expect(referencesOf(defineDocument({ fields: { title: field.string() } }), doc)).toEqual([]);
  });

  test("what they refer to is a type of the same schema", () => {
    const note = defineDocument({ fields: { book: field.reference("book"), any: field.reference() } });
    const deep = defineDocument({
      fields: { tasks: field.records({ sub: field.tree({ of: field.references("book") }) }) },
    });
    const book = defineDocument({ fields: { notes: field.references("note") } });
    expect(defineSchema({ version: 1, documents: { note, book, deep } }).documents.note).toBe(note);
    // @ts-expect-error there is no book
    expect(() => defineSchema({ version: 1, documents: { note } })).toThrow(SchemaDefinitionError);
    // @ts-expect-error there is no book
    expect(() => defineSchema({ version: 1, documents: { deep } })).toThrow('there is no type "book"');
  });
});
