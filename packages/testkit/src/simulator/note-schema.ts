/** The documents of a run: a container of each kind that merges, and a list in which every edit leaves its id. */
import { defineDocument, defineSchema, field } from "@cairn/schema";
import { Schema } from "effect";

export const NOTE = "note";

export const noteType = defineDocument({
  fields: {
    /** The ids of the edits: an edit is in the document exactly when its id is. */
    edits: field.list(Schema.String),
    title: field.string({ default: "", list: true }),
    body: field.text(),
    tally: field.counter(),
    marks: field.map(Schema.String),
  },
});

export const noteSchema = defineSchema({ version: 1, documents: { [NOTE]: noteType } });
