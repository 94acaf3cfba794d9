import { defineDocument, defineSchema, field } from "@cairn/schema";
import { Schema } from "effect";
import { previewLength } from "../preview.ts";

/** The first version of the notebook's documents. Physical names never change once released. */
export const version1 = defineSchema({
  version: 1,
  documents: {
    note: defineDocument({
      fields: {
        title: field.string({ list: true, indexed: true, searchable: true }),
        body: field.text({ list: "preview", preview: previewLength, searchable: true }),
        tags: field.set(Schema.String, { list: true, indexed: true, searchable: true }),
        attachments: field.attachments({ list: true, searchable: true }),
      },
    }),
  },
});
