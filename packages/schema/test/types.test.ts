import { Schema } from "effect";
import { LoroDoc, type LoroText } from "loro-crdt";
import { expectTypeOf, test } from "vitest";

import {
  type AttachmentManifest,
  type Editor,
  type Filter,
  type Patch,
  type Projection,
  type View,
  defineDocument,
  editDocument,
  field,
  project,
  readDocument,
  style,
} from "@cairn/schema";
import { note, notebook } from "./notebook.ts";
import { page } from "./outline.ts";

test("the types for reading, writing and projecting are inferred", () => {
  type NoteView = View<typeof note>;
  expectTypeOf<NoteView["title"]>().toEqualTypeOf<string>();
  expectTypeOf<NoteView["color"]>().toEqualTypeOf<"none" | "red" | "blue">();
  expectTypeOf<NoteView["dueAt"]>().toEqualTypeOf<number | null>();
  expectTypeOf<NoteView["tags"]>().toEqualTypeOf<ReadonlyArray<string>>();
  expectTypeOf<NoteView["lines"]>().toEqualTypeOf<ReadonlyArray<{ readonly text: string; readonly done: boolean }>>();
  expectTypeOf<NoteView["links"]>().toEqualTypeOf<Readonly<Record<string, { readonly url: string }>>>();
  expectTypeOf<NoteView["files"]>().toEqualTypeOf<Readonly<Record<string, AttachmentManifest>>>();
  expectTypeOf<NoteView["tasks"][string]["sub"][string]["label"]>().toEqualTypeOf<string>();
  const doc = new LoroDoc();
  expectTypeOf(readDocument(notebook.documents.note, doc)).toEqualTypeOf<NoteView>();

  const edit = editDocument(note, doc);
  expectTypeOf(edit).toEqualTypeOf<Editor<typeof note>>();
  expectTypeOf(edit.body).toEqualTypeOf<LoroText>();
  expectTypeOf(edit.color.set).parameter(0).toEqualTypeOf<"none" | "red" | "blue">();
  expectTypeOf(edit.tasks.ensure("t").notes).toEqualTypeOf<LoroText>();
  expectTypeOf(edit.order).toHaveProperty("move");
  expectTypeOf(edit.lines).not.toHaveProperty("move");

  const projection = project(note, doc);
  expectTypeOf(projection).toEqualTypeOf<Projection<typeof note>>();
  expectTypeOf<keyof Projection<typeof note>["fields"]>().toEqualTypeOf<
    "title" | "body" | "done" | "dueAt" | "color" | "tags" | "order" | "views" | "files"
  >();
  expectTypeOf(projection.fields.done).toEqualTypeOf<boolean>();
});

test("the types of rich text, trees and references are inferred", () => {
  type PageView = View<typeof page>;
  interface Attributes {
    readonly bold?: true;
    readonly code?: true;
    readonly link?: string;
    readonly heading?: 1 | 2 | 3;
  }
  type Run = PageView["body"][number];
  expectTypeOf<Run["insert"]>().toEqualTypeOf<string>();
  expectTypeOf<NonNullable<Run["attributes"]>>().toExtend<Attributes>();
  expectTypeOf<Attributes>().toExtend<NonNullable<Run["attributes"]>>();
  type Node = PageView["outline"][number];
  expectTypeOf<Node["id"]>().toEqualTypeOf<string>();
  expectTypeOf<Node["children"][number]["children"][number]["label"]>().toEqualTypeOf<string>();
  expectTypeOf<Node["steps"][string]["see"]>().toEqualTypeOf<ReadonlyArray<string>>();
  expectTypeOf<PageView["parent"]>().toEqualTypeOf<string | null>();
  expectTypeOf<PageView["seeAlso"]>().toEqualTypeOf<ReadonlyArray<string>>();
  expectTypeOf<PageView["sections"][string]["order"][number]["label"]>().toEqualTypeOf<string>();
  type Listed = Projection<typeof page>["fields"];
  expectTypeOf<keyof Listed>().toEqualTypeOf<"body" | "parent" | "seeAlso">();
  expectTypeOf<Listed["body"]>().toEqualTypeOf<string>();
  const wrong = (): ReadonlyArray<unknown> => {
    const edit = editDocument(page, new LoroDoc());
    expectTypeOf(edit.body.text).toEqualTypeOf<LoroText>();
    expectTypeOf(edit.outline.edit("")?.label.set).parameter(0).toEqualTypeOf<string>();
    const range = { start: 0, end: 1 };
    const patches: ReadonlyArray<Patch<typeof page>> = [
      [{ op: "set", path: "body", value: [{ insert: "x", attributes: { heading: 1 } }] }],
      [{ op: "mark", path: "sections.s.text", at: 0, count: 1, name: "bold", value: true }],
      [{ op: "place", path: "outline.a", parent: "b", at: 0 }],
      [{ op: "set", path: "outline.a.label", value: "x" }],
      // @ts-expect-error no such heading
      [{ op: "set", path: "body", value: [{ insert: "x", attributes: { heading: 4 } }] }],
      // @ts-expect-error a rich text is not set to a text
      [{ op: "set", path: "body", value: "x" }],
      // @ts-expect-error only rich text is marked
      [{ op: "mark", path: "parent", at: 0, count: 1, name: "bold", value: true }],
      // @ts-expect-error only nodes have a place
      [{ op: "place", path: "sections.a", parent: null }],
      // @ts-expect-error a label is a text
      [{ op: "set", path: "outline.a", value: { label: 1 } }],
      // @ts-expect-error a reference is an id or null
      [{ op: "set", path: "parent", value: 1 }],
    ];
    const filters: ReadonlyArray<Filter<typeof page>> = [
      { parent: { eq: null }, seeAlso: { eq: "x" } },
      // @ts-expect-error rich text is searched, not filtered
      { body: { eq: "x" } },
      // @ts-expect-error trees are not filtered
      { outline: { eq: "x" } },
    ];
    // @ts-expect-error a link is a text
    edit.body.mark(range, "link", 1);
    // @ts-expect-error no such style
    edit.body.mark(range, "italic", true);
    // @ts-expect-error a rich text has no set
    void edit.body.set;
    // @ts-expect-error a node has no such field
    void edit.outline.edit("a")?.color;
    // @ts-expect-error a reference is an id or null
    edit.parent.set(undefined);
    // @ts-expect-error a rich text shows its beginning in lists, or nothing
    field.richText({ list: true });
    // @ts-expect-error trees are not listed
    field.tree({ label: field.string() }, { list: true });
    // @ts-expect-error a value of a style is JSON
    style.value(Schema.Date);
    return [patches, filters];
  };
  expectTypeOf(wrong).toBeFunction();
});

test("wrong code does not compile", () => {
  const wrong = (): void => {
    const doc = new LoroDoc();
    const edit = editDocument(note, doc);
    // @ts-expect-error a title is a string
    edit.title.set(1);
    // @ts-expect-error no such color
    edit.color.set("green");
    // @ts-expect-error no such field
    void edit.nothing;
    // @ts-expect-error a text is edited, not set
    void edit.body.set;
    // @ts-expect-error an item is inserted whole
    edit.lines.push({ text: "x" });
    // @ts-expect-error rank is not declared for lists
    void project(note, doc).fields.rank;
    // @ts-expect-error a view is read-only
    readDocument(note, doc).title = "x";
    // @ts-expect-error a value needs a default
    field.value(Schema.Int, {});
    // @ts-expect-error the default must fit
    field.value(Schema.Literals(["a"]), { default: "b" });
    // @ts-expect-error a plain field's schema must not transform
    field.value(Schema.FiniteFromString, { default: 1 });
    // @ts-expect-error what is stored is JSON
    field.value(Schema.Date, { default: new Date(0) });
    // @ts-expect-error fields come from `field`
    defineDocument({ fields: { title: "string" } });
  };
  expectTypeOf(wrong).toBeFunction();
});
