import { defineDocument, defineSchema, field } from "@cairn/schema";

const note = defineDocument({ fields: { title: field.string({ list: true, search: true }), body: field.text() } });
export const schema = defineSchema({ version: 1, documents: { note } });
