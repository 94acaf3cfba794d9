/** Three versions of records and of nodes that hold a register, a text and words, for runs in which devices of all edit them. */
import { defineDocument, defineSchema, evolveSchema, field } from "@cairn/schema";
import { Schema } from "effect";

export const Word = Schema.Struct({ id: Schema.String, text: Schema.String });
const Label = Schema.Struct({ text: Schema.String });
const inWords = (words: ReadonlyArray<string>) => words.map((text) => ({ id: text, text }));
const byId = (words: ReadonlyArray<typeof Word.Type>) =>
  Object.fromEntries(words.map(({ id, text }) => [id, { text }]));

const one = defineSchema({
  version: 1,
  documents: {
    list: defineDocument({
      fields: {
        rows: field.records({ label: field.string(), note: field.text(), words: field.list(Schema.String) }),
        nodes: field.tree({ label: field.string(), note: field.text(), words: field.list(Schema.String) }),
      },
    }),
  },
});

const two = evolveSchema(one, {
  version: 2,
  documents: {
    list: defineDocument({
      fields: {
        rows: field.records({
          label: field.string(),
          note: field.text(),
          words: field.movableList(Word),
          color: field.string(),
        }),
        nodes: field.tree({
          label: field.string(),
          note: field.text(),
          words: field.movableList(Word),
          color: field.string(),
        }),
      },
    }),
  },
  steps: (step) => [
    step.change("list.rows", { from: ["words"], to: ["words"], up: ({ words }) => ({ words: inWords(words) }) }),
    step.change("list.nodes", { from: ["words"], to: ["words"], up: ({ words }) => ({ words: inWords(words) }) }),
    step.add("list.rows", "color"),
    step.add("list.nodes", "color"),
  ],
});

const three = evolveSchema(two, {
  version: 3,
  documents: {
    list: defineDocument({
      fields: {
        rows: field.records({
          title: field.value(Label, { default: { text: "" } }),
          note: field.text(),
          words: field.records({ text: field.string() }),
          color: field.string(),
        }),
        nodes: field.tree({
          title: field.value(Label, { default: { text: "" } }),
          note: field.text(),
          words: field.records({ text: field.string() }),
          color: field.string(),
        }),
      },
    }),
  },
  steps: (step) => [
    step.convert("list.rows", { from: "label", to: "title", up: (text) => ({ text }), down: ({ text }) => text }),
    step.convert("list.nodes", { from: "label", to: "title", up: (text) => ({ text }), down: ({ text }) => text }),
    step.change("list.rows", { from: ["words"], to: ["words"], up: ({ words }) => ({ words: byId(words) }) }),
    step.change("list.nodes", { from: ["words"], to: ["words"], up: ({ words }) => ({ words: byId(words) }) }),
  ],
});

export const [list1, list2, list3] = [one.documents.list, two.documents.list, three.documents.list] as const;
