/** A type with a field of every kind, for the tests. */
import { Schema } from "effect";

import { defineDocument, defineSchema, field } from "@cairn/schema";

export const note = defineDocument({
  fields: {
    title: field.string({ default: "", list: true, search: true, maxLength: 1_000 }),
    body: field.text({ list: "preview", search: true }),
    done: field.boolean({ list: true }),
    rank: field.number({ default: 0.5, minimum: 0, maximum: 1 }),
    dueAt: field.value(Schema.NullOr(Schema.Int), { default: null, list: true }),
    color: field.value(Schema.Literals(["none", "red", "blue"]), { default: "none", list: true }),
    tags: field.set(Schema.String.check(Schema.isMaxLength(50)), { list: true, search: true }),
    lines: field.list(Schema.Struct({ text: Schema.String, done: Schema.Boolean })),
    order: field.movableList(Schema.String, { list: true }),
    links: field.map(Schema.Struct({ url: Schema.String }), { physical: "urls" }),
    views: field.counter({ list: true }),
    files: field.attachments({ list: true, search: true }),
    tasks: field.records({
      label: field.string(),
      done: field.boolean(),
      notes: field.text(),
      people: field.set(Schema.String),
      steps: field.list(Schema.String),
      ranking: field.movableList(Schema.String),
      prices: field.map(Schema.Finite),
      spent: field.counter(),
      sub: field.records({ label: field.string() }),
    }),
  },
});

export const notebook = defineSchema({ version: 1, documents: { note } });

const HASH = "A".repeat(43);

export const manifest = (name: string, chunks = 1) => ({
  name,
  mediaType: "image/png",
  size: chunks * 65_536,
  chunkSize: 65_536,
  chunks: Array.from({ length: chunks }, () => ({ sealedHash: HASH, plainHash: HASH })),
  epoch: 1,
  createdAt: 1_700_000_000_000,
});
