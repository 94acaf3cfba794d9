/** The reference app's notes, as far as the benchmark writes them. */
import { defineDocument, defineSchema, field } from "@cairn/schema";
import { Schema } from "effect";

export const notebookSchema = defineSchema({
  version: 1,
  documents: {
    note: defineDocument({
      fields: {
        title: field.string({ list: true, search: true }),
        body: field.text({ list: "preview", preview: 2000, search: true }),
        tags: field.set(Schema.String, { list: true, search: true }),
      },
    }),
  },
});

export type NotebookSchema = typeof notebookSchema;
