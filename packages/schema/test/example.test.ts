/** The README's example, as it stands there. */
import { LoroDoc } from "loro-crdt";
import { expect, test } from "vitest";
import { Schema } from "effect";

import { defineDocument, defineSchema, editDocument, evolveSchema, field, project, readDocument } from "@cairn/schema";

test("the README's example runs", () => {
  const notebook = defineSchema({
    version: 1,
    documents: {
      note: defineDocument({
        fields: {
          title: field.string({ default: "", list: true, search: true }),
          body: field.text({ list: "preview", search: true }),
          tags: field.set(Schema.String, { list: true }),
          tasks: field.records({ label: field.string(), done: field.boolean() }),
        },
      }),
    },
  });
  const { note } = notebook.documents;

  const doc = new LoroDoc();
  const edit = editDocument(note, doc);
  edit.title.set("Dry stone walls");
  edit.body.insert(0, "Two faces, filled with rubble.");
  edit.tags.add("craft");
  edit.tasks.ensure("t1").label.set("Sort the stones");
  doc.commit();

  expect(readDocument(note, doc).tasks).toEqual({ t1: { label: "Sort the stones", done: false } });
  expect(project(note, doc).fields).toEqual({
    title: "Dry stone walls",
    body: "Two faces, filled with rubble.",
    tags: ["craft"],
  });

  const next = evolveSchema(notebook, {
    version: 2,
    documents: {
      note: defineDocument({
        fields: {
          heading: field.string({ default: "", list: true, search: true }),
          body: field.text({ list: "preview", search: true }),
          tags: field.set(Schema.String, { list: true }),
          tasks: field.records({ label: field.string(), state: field.string({ default: "open" }) }),
        },
      }),
    },
    steps: (step) => [
      step.rename("note", { from: "title", to: "heading" }),
      step.convert("note.tasks", {
        from: "done",
        to: "state",
        up: (done) => (done ? "done" : "open"),
        down: (state) => state === "done",
      }),
    ],
  });

  expect(readDocument(next.documents.note, doc)).toMatchObject({
    heading: "Dry stone walls",
    tasks: { t1: { label: "Sort the stones", state: "open" } },
  });
});
