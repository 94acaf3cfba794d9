import { defineDocument, evolveSchema, field } from "@cairn/schema";
import { Schema } from "effect";
import { previewLength } from "../preview.ts";
import { version1 } from "./version-1.ts";

/** Notes that stay on top of the list, and a checklist beside the text: one line for each item (`checklist-lines.ts`). */
export const version2 = evolveSchema(version1, {
  version: 2,
  documents: {
    note: defineDocument({
      fields: {
        title: field.string({ list: true, indexed: true, searchable: true }),
        body: field.text({ list: "preview", preview: previewLength, searchable: true }),
        tags: field.set(Schema.String, { list: true, indexed: true, searchable: true }),
        attachments: field.attachments({ list: true, searchable: true }),
        pinned: field.boolean({ list: true, indexed: true }),
        checklist: field.text({ list: "preview", preview: previewLength, searchable: true }),
      },
    }),
  },
  steps: (step) => [step.add("note", "pinned"), step.add("note", "checklist")],
});
