/** Three versions of an app whose containers change, at the top and in records, and edits by each of them. */
import { defineDocument, defineSchema, editDocument, evolveSchema, field, readDocument } from "@cairn/schema";
import { Schema } from "effect";
import * as fc from "fast-check";
import { LoroDoc, type PeerID } from "loro-crdt";

const Word = Schema.Struct({ id: Schema.String });

export const first = defineSchema({
  version: 1,
  documents: {
    note: defineDocument({
      fields: {
        title: field.string(),
        lines: field.list(Schema.String),
        tally: field.counter(),
        rows: field.records({ words: field.list(Schema.String) }),
      },
    }),
  },
});
export const second = evolveSchema(first, {
  version: 2,
  documents: {
    note: defineDocument({
      fields: {
        heading: field.string(),
        color: field.string(),
        lines: field.movableList(Word),
        count: field.counter(),
        rows: field.records({ words: field.movableList(Word) }),
      },
    }),
  },
  steps: (step) => [
    step.split("note", {
      from: "title",
      to: ["heading", "color"],
      up: (title) => ({ heading: title, color: "" }),
      down: ({ heading }) => heading,
    }),
    step.change("note", {
      from: ["lines"],
      to: ["lines"],
      up: ({ lines }) => ({ lines: lines.map((id) => ({ id })) }),
    }),
    step.change("note", { from: ["tally"], to: ["count"], up: ({ tally }) => ({ count: tally }) }),
    step.change("note.rows", {
      from: ["words"],
      to: ["words"],
      up: ({ words }) => ({ words: words.map((id) => ({ id })) }),
    }),
  ],
});
export const third = evolveSchema(second, {
  version: 3,
  documents: {
    note: defineDocument({
      fields: {
        heading: field.string(),
        color: field.string(),
        lines: field.records({ done: field.boolean() }),
        sum: field.counter(),
        rows: field.records({ words: field.records({ done: field.boolean() }) }),
      },
    }),
  },
  steps: (step) => [
    step.change("note", {
      from: ["lines"],
      to: ["lines"],
      up: ({ lines }) => ({ lines: Object.fromEntries(lines.map(({ id }) => [id, { done: false }])) }),
    }),
    step.change("note", { from: ["count"], to: ["sum"], up: ({ count }) => ({ sum: count }) }),
    step.change("note.rows", {
      from: ["words"],
      to: ["words"],
      up: ({ words }) => ({ words: Object.fromEntries(words.map(({ id }) => [id, { done: false }])) }),
    }),
  ],
});
export const [note1, note2, note3] = [first.documents.note, second.documents.note, third.documents.note];

export const ROWS = ["r", "s"] as const;

/** One edit of one version of the app. */
export interface Edit {
  readonly version: 1 | 2 | 3;
  readonly what: "line" | "count" | "word" | "row" | "heading" | "color";
  readonly row: (typeof ROWS)[number];
  readonly amount: number;
}

/** Makes an edit; `id` is what it leaves. */
export const make = (doc: LoroDoc, { version, what, row, amount }: Edit, id: string): void => {
  const [one, two, three] = [editDocument(note1, doc), editDocument(note2, doc), editDocument(note3, doc)];
  switch (what) {
    case "line":
      if (version === 1) one.lines.push(id);
      else if (version === 2) two.lines.push({ id });
      else three.lines.ensure(id).done.set(true);
      break;
    case "count":
      if (version === 1) one.tally.add(amount);
      else if (version === 2) two.count.add(amount);
      else three.sum.add(amount);
      break;
    case "row":
      one.rows.ensure(row);
      break;
    case "word":
      if (!Object.hasOwn(readDocument(note3, doc).rows, row)) return;
      if (version === 1) one.rows.edit(row)?.words.push(id);
      else if (version === 2) two.rows.edit(row)?.words.push({ id });
      else three.rows.edit(row)?.words.ensure(id).done.set(true);
      break;
    case "heading":
      if (version === 1) one.title.set(id);
      else if (version === 2) two.heading.set(id);
      else three.heading.set(id);
      break;
    case "color":
      three.color.set(id);
  }
  doc.commit();
};

export const edit: fc.Arbitrary<Edit> = fc.record({
  version: fc.constantFrom(1, 2, 3),
  what: fc.constantFrom("line", "line", "count", "word", "word", "row", "heading", "color"),
  row: fc.constantFrom(...ROWS),
  amount: fc.integer({ min: 1, max: 9 }),
});
export const edits = (maxLength: number) => fc.array(edit, { maxLength });

export const replica = (peer: PeerID, ...from: ReadonlyArray<LoroDoc>): LoroDoc => {
  const doc = new LoroDoc();
  doc.setPeerId(peer);
  for (const one of from) doc.import(one.export({ mode: "snapshot" }));
  return doc;
};

/** Makes the edits, and returns them as one update. */
export const write = (doc: LoroDoc, made: ReadonlyArray<Edit>, name: string): Uint8Array => {
  const version = doc.oplogVersion();
  for (const [index, one] of made.entries()) make(doc, one, `${name}${index}`);
  return doc.export({ mode: "update", from: version });
};
