/** A type with rich text, a tree and references, for the tests. */
import { Schema } from "effect";

import { defineDocument, defineSchema, field, style } from "@cairn/schema";

export const styles = {
  bold: style.flag(),
  code: style.flag({ expand: "none" }),
  link: style.value(Schema.String.check(Schema.isMaxLength(200)), { expand: "none" }),
  heading: style.value(Schema.Literals([1, 2, 3])),
};

export const page = defineDocument({
  fields: {
    body: field.richText({ styles, list: "preview", preview: 20, searchable: true }),
    outline: field.tree({
      label: field.string(),
      done: field.boolean(),
      notes: field.richText({ styles }),
      tags: field.set(Schema.String),
      files: field.attachments(),
      about: field.reference("page"),
      steps: field.records({ label: field.string(), see: field.references() }),
    }),
    parent: field.reference("page", { list: true, indexed: true }),
    seeAlso: field.references("page", { filterable: true }),
    sections: field.records({ text: field.richText({ styles }), order: field.tree({ label: field.string() }) }),
  },
});

export const wiki = defineSchema({ version: 1, documents: { page } });

/** An id of a document, one for each number below 64 ** 2. */
export const documentId = (number: number): string => {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return `${"B".repeat(19)}${digits[number >> 6] ?? "A"}${digits[number & 63] ?? "A"}A`;
};
