import { Schema } from "effect";
import { LoroDoc, type LoroText } from "loro-crdt";
import { expectTypeOf, test } from "vitest";

import {
  type AttachmentManifest,
  type Editor,
  type Projection,
  type View,
  defineDocument,
  editDocument,
  field,
  project,
  readDocument,
} from "@cairn/schema";
import { note, notebook } from "./notebook.ts";

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
