import { defineDocument, defineSchema, field } from "@cairn/schema";

export const schema = defineSchema({
  version: 1,
  documents: { stone: defineDocument({ fields: { name: field.string({ list: true, search: true }) } }) },
});
