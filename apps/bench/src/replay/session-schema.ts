/** What the replayed session's document is declared as: one text, which searches look through, as a notebook's notes. */
import { defineDocument, defineSchema, field } from "@cairn/schema";

export const SESSION_TYPE = "session";
/** The text's root container. */
export const TEXT = "text";

export const schema = defineSchema({
  version: 1,
  documents: { [SESSION_TYPE]: defineDocument({ fields: { [TEXT]: field.text({ search: true }) } }) },
});
