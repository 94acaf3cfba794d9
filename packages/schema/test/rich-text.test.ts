import { LoroDoc } from "loro-crdt";
import { describe, expect, test } from "vitest";

import {
  SchemaDefinitionError,
  SchemaWriteError,
  applyAnyPatch,
  applyPatch,
  configureStyles,
  defineDocument,
  editDocument,
  field,
  inspectDocument,
  project,
  readDocument,
  style,
} from "@cairn/schema";
import { page, styles } from "./outline.ts";

const replica = (peer: number): LoroDoc => {
  const doc = new LoroDoc();
  doc.setPeerId(peer);
  return doc;
};

const exchange = (one: LoroDoc, two: LoroDoc): void => {
  const first = one.export({ mode: "update" });
  one.import(two.export({ mode: "update" }));
  two.import(first);
};

describe("rich text", () => {
  test("is read as runs, neighbours joined, and shown in lists without its marks", () => {
    const doc = replica(1);
    const { body } = editDocument(page, doc);
    expect(body.get()).toEqual([]);
    body.text.insert(0, "Dry stone walls stand for ages");
    body.mark({ start: 0, end: 9 }, "bold", true);
    body.mark({ start: 4, end: 15 }, "link", "https://example.org/walls");
    expect(body.get()).toEqual([
      { insert: "Dry ", attributes: { bold: true } },
      { insert: "stone", attributes: { bold: true, link: "https://example.org/walls" } },
      { insert: " walls", attributes: { link: "https://example.org/walls" } },
      { insert: " stand for ages" },
    ]);
    body.unmark({ start: 0, end: 30 }, "link");
    body.unmark({ start: 0, end: 30 }, "bold");
    expect(readDocument(page, doc).body).toEqual([{ insert: "Dry stone walls stand for ages" }]);
    expect(project(page, doc)).toMatchObject({
      fields: { body: "Dry stone walls stan" },
      search: "Dry stone walls stand for ages",
    });
  });

  test("a mark grows as its style says, wherever the text is typed, and however that replica was told", () => {
    const one = replica(1);
    const two = replica(2);
    const { body } = editDocument(page, one);
    body.text.insert(0, "bold code");
    body.mark({ start: 0, end: 4 }, "bold", true);
    body.mark({ start: 5, end: 9 }, "code", true);
    one.commit();
    two.import(one.export({ mode: "update" }));
    // Another app, or an editor of its own mind: the opposite of what the type says.
    two.configTextStyle({ bold: { expand: "none" }, code: { expand: "both" } });
    two.getText("body").insert(9, "!");
    two.getText("body").insert(4, "er");
    two.commit();
    one.import(two.export({ mode: "update" }));
    const expected = [
      { insert: "bolder", attributes: { bold: true } },
      { insert: " " },
      { insert: "code", attributes: { code: true } },
      { insert: "!" },
    ];
    expect(readDocument(page, one).body).toEqual(expected);
    expect(readDocument(page, two).body).toEqual(expected);
  });

  test("an editor needs no telling: it may mark with names that nobody declared", () => {
    const doc = replica(1);
    const { text } = editDocument(page, doc).body;
    text.insert(0, "a comment");
    text.mark({ start: 2, end: 9 }, "comment:42", { by: "somebody" });
    expect(text.toDelta()).toHaveLength(2);
    expect(inspectDocument(page, doc)).toMatchObject({
      view: { body: [{ insert: "a comment" }] },
      invalid: [],
      unknown: [["body", "comment:42"]],
    });
  });

  test("undeclared marks are preserved and seen as such; those that do not fit are left out and reported once", () => {
    const doc = replica(1);
    configureStyles(undefined, doc);
    const text = doc.getText("body");
    text.insert(0, "0123456789");
    text.mark({ start: 0, end: 2 }, "shadow", { blur: 3 });
    text.mark({ start: 2, end: 4 }, "heading", 7);
    text.mark({ start: 5, end: 6 }, "heading", "one");
    text.mark({ start: 6, end: 8 }, "heading", 2);
    text.mark({ start: 8, end: 9 }, "link", "x".repeat(100_000));
    doc.commit();
    const { view, invalid, unknown } = inspectDocument(page, doc);
    expect(view.body).toEqual([{ insert: "012345" }, { insert: "67", attributes: { heading: 2 } }, { insert: "89" }]);
    expect(invalid).toEqual([
      { path: ["body", "link"], reason: "misfit" },
      { path: ["body", "heading"], reason: "misfit" },
    ]);
    expect(unknown).toEqual([["body", "shadow"]]);
    const edit = editDocument(page, doc);
    edit.body.mark({ start: 0, end: 2 }, "bold", true);
    expect(doc.getText("body").toDelta()[0]).toEqual({
      insert: "01",
      attributes: { bold: true, shadow: { blur: 3 } },
    });
  });

  test("attributes are bounded: what comes after the bound reads as plain", () => {
    const doc = replica(1);
    const link = `https://example.org/${"x".repeat(170)}`;
    const text = "ab".repeat(25_000);
    configureStyles(page, doc);
    doc
      .getText("body")
      .applyDelta(
        Array.from({ length: 25_000 }, () => [{ insert: "a", attributes: { link } }, { insert: "b" }]).flat(),
      );
    const { view, invalid } = inspectDocument(page, doc);
    expect(JSON.stringify(view.body).length).toBeLessThan(6_000_000);
    expect(view.body.map(({ insert }) => insert).join("")).toBe(text);
    expect(view.body[0]).toEqual({ insert: "a", attributes: { link } });
    expect(view.body.at(-1)?.attributes).toBeUndefined();
    expect(invalid).toEqual([{ path: ["body"], reason: "misfit" }]);
  });

  test("two devices mark the same text in a record that both of them make", () => {
    const one = replica(1);
    const two = replica(2);
    for (const doc of [one, two]) {
      const { text } = editDocument(page, doc).sections.ensure("s");
      text.text.insert(0, doc === one ? "one " : "two ");
      if (doc === one) text.mark({ start: 0, end: 3 }, "bold", true);
      else text.mark({ start: 0, end: 3 }, "link", "x");
      doc.commit();
    }
    exchange(one, two);
    const runs = readDocument(page, one).sections["s"]?.text;
    expect(runs).toEqual(readDocument(page, two).sections["s"]?.text);
    expect(runs).toContainEqual({ insert: "one", attributes: { bold: true } });
    expect(runs).toContainEqual({ insert: "two", attributes: { link: "x" } });
  });

  test("a record that is removed and made again has no text, and no mark waits for what is typed", () => {
    const doc = replica(1);
    const { sections } = editDocument(page, doc);
    const { text } = sections.ensure("s");
    text.text.insert(0, "old");
    text.mark({ start: 0, end: 3 }, "bold", true);
    text.text.mark({ start: 0, end: 2 }, "unknown", 1);
    sections.remove("s");
    const again = sections.ensure("s").text;
    again.text.insert(0, "new");
    expect(again.get()).toEqual([{ insert: "new" }]);
    expect(again.text.toDelta()).toEqual([{ insert: "new" }]);
  });

  test("what does not fit is refused, and changes nothing", () => {
    const doc = replica(1);
    const { body } = editDocument(page, doc);
    body.text.insert(0, "a😀b");
    doc.commit();
    const before = doc.opCount();
    const refused: ReadonlyArray<readonly [() => void, string]> = [
      [() => body.mark({ start: 0, end: 5 }, "bold", true), "schema/out-of-range"],
      [() => body.mark({ start: -1, end: 1 }, "bold", true), "schema/out-of-range"],
      [() => body.mark({ start: 1, end: 2 }, "bold", true), "schema/invalid-value"],
      [() => body.mark({ start: 2, end: 4 }, "bold", true), "schema/invalid-value"],
      [() => body.unmark({ start: 3, end: 1 }, "bold"), "schema/invalid-value"],
      // @ts-expect-error no such heading
      [() => body.mark({ start: 0, end: 1 }, "heading", 4), "schema/invalid-value"],
      // @ts-expect-error null is no value
      [() => body.mark({ start: 0, end: 1 }, "heading", null), "schema/invalid-value"],
      // @ts-expect-error no such style
      [() => body.mark({ start: 0, end: 1 }, "constructor", true), "schema/invalid-value"],
      // @ts-expect-error no such style
      [() => body.unmark({ start: 0, end: 1 }, "toString"), "schema/invalid-value"],
    ];
    for (const [write, code] of refused) {
      expect(write).toThrow(SchemaWriteError);
      expect(write).toThrow(expect.objectContaining({ code }));
    }
    body.mark({ start: 1, end: 1 }, "bold", true);
    doc.commit();
    expect(doc.opCount()).toBe(before);
  });

  test("a style has a name, and one way to grow in a type", () => {
    const growing = { bold: style.flag({ expand: "none" }) };
    expect(() =>
      defineDocument({
        fields: { a: field.richText({ styles }), b: field.tree({ c: field.richText({ styles: growing }) }) },
      }),
    ).toThrow(SchemaDefinitionError);
    expect(() => defineDocument({ fields: { a: field.richText({ styles: { "no spaces": style.flag() } }) } })).toThrow(
      SchemaDefinitionError,
    );
    expect(() => defineDocument({ fields: { a: field.richText({ preview: 0 }) } })).toThrow(SchemaDefinitionError);
  });

  test("patches set runs as the changes that they make, splice, mark and clear", () => {
    const doc = replica(1);
    const { body } = editDocument(page, doc);
    body.text.insert(0, "walls and hedges");
    body.text.mark({ start: 10, end: 16 }, "unknown", 1);
    body.mark({ start: 0, end: 5 }, "bold", true);
    doc.commit();
    const other = replica(2);
    other.import(doc.export({ mode: "update" }));
    editDocument(page, other).body.text.insert(16, " and ditches");
    other.commit();
    applyPatch(page, doc, [
      {
        op: "set",
        path: "body",
        value: [
          { insert: "walls or ", attributes: { heading: 1 } },
          { insert: "hedges", attributes: { bold: true } },
        ],
      },
    ]);
    doc.commit();
    expect(readDocument(page, doc).body).toEqual([
      { insert: "walls or ", attributes: { heading: 1 } },
      { insert: "hedges", attributes: { bold: true } },
    ]);
    exchange(doc, other);
    // Characters that are the same were not touched: the other device's, and marks of newer apps, stay.
    expect(doc.getText("body").toString()).toBe("walls or hedges and ditches");
    expect(doc.getText("body").toDelta()).toContainEqual({
      insert: "hedges",
      attributes: { bold: true, unknown: 1 },
    });
    applyPatch(page, doc, [
      { op: "splice", path: "body", at: 0, delete: 9 },
      { op: "mark", path: "body", at: 0, count: 6, name: "link", value: "x" },
      { op: "mark", path: "body", at: 0, count: 6, name: "bold", value: null },
    ]);
    expect(readDocument(page, doc).body[0]).toEqual({ insert: "hedges", attributes: { link: "x" } });
    const refused: ReadonlyArray<readonly [unknown, string]> = [
      [{ op: "mark", path: "body", at: 0, count: 600, name: "link", value: "x" }, "patch/out-of-range"],
      [{ op: "mark", path: "body", at: 0, count: 1, name: "heading", value: 9 }, "patch/invalid-value"],
      [{ op: "mark", path: "body", at: 0, count: 1, name: "shadow", value: 9 }, "patch/invalid-value"],
      [{ op: "mark", path: "parent", at: 0, count: 1, name: "bold", value: true }, "patch/operation-not-allowed"],
      [{ op: "set", path: "body", value: "text" }, "patch/invalid-value"],
      [{ op: "set", path: "body", value: [{ insert: "x", attributes: { shadow: 1 } }] }, "patch/invalid-value"],
      [{ op: "increment", path: "body", by: 1 }, "patch/operation-not-allowed"],
    ];
    const text = doc.getText("body").toString();
    for (const [operation, code] of refused) {
      expect(() => applyAnyPatch(page, doc, [operation])).toThrow(expect.objectContaining({ code }));
    }
    expect(doc.getText("body").toString()).toBe(text);
    applyPatch(page, doc, [{ op: "unset", path: "body" }]);
    expect(readDocument(page, doc).body).toEqual([]);
  });
});
