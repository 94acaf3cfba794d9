/**
 * Fields of every kind that become fields of another, for runs in which devices of both versions edit them. Each says how apps of
 * either version add, move and take out a token, which is one letter that nobody writes twice, and which tokens they show.
 */
import { defineDocument, defineSchema, editDocument, evolveSchema, field, readDocument, style } from "@cairn/schema";
import { Schema } from "effect";
import type { LoroDoc } from "loro-crdt";

const Item = Schema.Struct({ id: Schema.String, label: Schema.String });
const items = (tokens: ReadonlyArray<string>) => tokens.map((token) => ({ id: token, label: token }));
const linesOf = (text: string): ReadonlyArray<string> => text.split("\n").filter((line) => line !== "");
const asLines = (tokens: ReadonlyArray<string>): string => tokens.map((token) => `${token}\n`).join("");

const one = defineSchema({
  version: 1,
  documents: {
    note: defineDocument({
      fields: {
        textToItems: field.text(),
        listToText: field.list(Schema.String),
        listToList: field.movableList(Schema.String),
        listToTree: field.list(Schema.String),
        listToSet: field.list(Schema.String),
        setToList: field.set(Schema.String),
        mapToRecords: field.map(Schema.Int),
        recordsToItems: field.records({ label: field.string() }),
        textToRich: field.text(),
        counter: field.counter(),
      },
    }),
  },
});

const two = evolveSchema(one, {
  version: 2,
  documents: {
    note: defineDocument({
      fields: {
        textToItems: field.movableList(Item),
        listToText: field.text(),
        listToList: field.list(Schema.String),
        listToTree: field.tree({ label: field.string() }),
        listToSet: field.set(Schema.String),
        setToList: field.list(Schema.String),
        mapToRecords: field.records({ count: field.integer() }),
        recordsToItems: field.movableList(Item),
        textToRich: field.richText({ styles: { bold: style.flag() } }),
        counter: field.counter(),
      },
    }),
  },
  steps: (step) => [
    step.change("note", {
      from: ["textToItems"],
      to: ["textToItems"],
      up: ({ textToItems }) => ({ textToItems: items(linesOf(textToItems)) }),
    }),
    step.change("note", {
      from: ["listToText"],
      to: ["listToText"],
      up: ({ listToText }) => ({ listToText: asLines(listToText) }),
    }),
    step.change("note", { from: ["listToList"], to: ["listToList"], up: (older) => older }),
    step.change("note", {
      from: ["listToTree"],
      to: ["listToTree"],
      up: ({ listToTree }) => ({
        listToTree: listToTree.map((token) => ({ id: token, label: token, children: [] })),
      }),
    }),
    step.change("note", { from: ["listToSet"], to: ["listToSet"], up: (older) => older }),
    step.change("note", { from: ["setToList"], to: ["setToList"], up: (older) => older }),
    step.change("note", {
      from: ["mapToRecords"],
      to: ["mapToRecords"],
      up: ({ mapToRecords }) => ({
        mapToRecords: Object.fromEntries(Object.entries(mapToRecords).map(([key, count]) => [key, { count }])),
      }),
    }),
    step.change("note", {
      from: ["recordsToItems"],
      to: ["recordsToItems"],
      up: ({ recordsToItems }) => ({
        recordsToItems: Object.entries(recordsToItems).map(([id, { label }]) => ({ id, label })),
      }),
    }),
    step.change("note", {
      from: ["textToRich"],
      to: ["textToRich"],
      up: ({ textToRich }) => ({ textToRich: textToRich === "" ? [] : [{ insert: textToRich }] }),
    }),
    step.change("note", { from: ["counter"], to: ["counter"], up: (older) => older }),
  ],
});

const [note1, note2] = [one.documents.note, two.documents.note];

/** Where in so many. */
export type At = (below: number) => number;

/** How apps of one version handle tokens in a field. */
export interface Handling {
  readonly tokens: (doc: LoroDoc) => ReadonlyArray<string>;
  readonly add: (doc: LoroDoc, token: string, at: At) => void;
  readonly remove: (doc: LoroDoc, token: string) => void;
  /** Moves it, or changes it otherwise. Whether it may outlive that somebody takes it out at the same time. */
  readonly move?: (doc: LoroDoc, token: string, at: At) => boolean;
}

interface Text {
  readonly length: number;
  readonly toString: () => string;
  readonly insert: (at: number, text: string) => void;
  readonly delete: (at: number, count: number) => void;
}

const inText = (open: (doc: LoroDoc) => Text, read: (doc: LoroDoc) => string): Handling => ({
  tokens: (doc) => Array.from(read(doc)),
  add: (doc, token, at) => open(doc).insert(at(open(doc).length + 1), token),
  remove: (doc, token) => open(doc).delete(open(doc).toString().indexOf(token), 1),
});

/** A line of its own for each. Two that put another letter in the place of one in a line may find both in it. */
const inLines = (open: (doc: LoroDoc) => Text, read: (doc: LoroDoc) => string): Handling => ({
  tokens: (doc) => linesOf(read(doc)).flatMap((line) => Array.from(line)),
  add: (doc, token, at) => {
    const starts = [0, ...Array.from(read(doc).matchAll(/\n/g), ({ index }) => index + 1)];
    open(doc).insert(starts[at(starts.length)] ?? 0, `${token}\n`);
  },
  remove: (doc, token) => {
    const text = read(doc);
    const at = text.indexOf(token);
    const isLine = (at === 0 || text[at - 1] === "\n") && text[at + 1] === "\n";
    open(doc).delete(at, isLine ? 2 : 1);
  },
});

interface List<A> {
  readonly get: () => ReadonlyArray<A>;
  readonly insert: (at: number, item: A) => void;
  readonly delete: (at: number) => void;
  readonly move?: (from: number, to: number) => void;
}

const inList = <A>(
  open: (doc: LoroDoc) => List<A>,
  make: (token: string) => A,
  name: (item: A) => string,
): Handling => {
  const find = (doc: LoroDoc, token: string): number =>
    open(doc)
      .get()
      .findIndex((item) => name(item) === token);
  return {
    tokens: (doc) => open(doc).get().map(name),
    add: (doc, token, at) => open(doc).insert(at(open(doc).get().length + 1), make(token)),
    remove: (doc, token) => open(doc).delete(find(doc, token)),
    move: (doc, token, at) => {
      const { get, move } = open(doc);
      move?.(find(doc, token), at(get().length));
      return move !== undefined;
    },
  };
};

const same = (token: string): string => token;
const item = (token: string): typeof Item.Type => ({ id: token, label: token });
const idOf = ({ id }: typeof Item.Type): string => id;

interface Tokens {
  readonly get: () => ReadonlyArray<string>;
  readonly add: (token: string) => void;
  readonly remove: (token: string) => void;
}

const inSet = (open: (doc: LoroDoc) => Tokens): Handling => ({
  tokens: (doc) => open(doc).get(),
  add: (doc, token) => open(doc).add(token),
  remove: (doc, token) => open(doc).remove(token),
});

const treeOf = (doc: LoroDoc) => editDocument(note2, doc).listToTree;
/** The fields, and how version 1 and version 2 handle them. */
export const kinds: Readonly<Record<string, readonly [Handling, Handling]>> = {
  textToItems: [
    inLines(
      (doc) => editDocument(note1, doc).textToItems,
      (doc) => readDocument(note1, doc).textToItems,
    ),
    inList((doc) => editDocument(note2, doc).textToItems, item, idOf),
  ],
  listToText: [
    inList((doc) => editDocument(note1, doc).listToText, same, same),
    inLines(
      (doc) => editDocument(note2, doc).listToText,
      (doc) => readDocument(note2, doc).listToText,
    ),
  ],
  listToList: [
    inList((doc) => editDocument(note1, doc).listToList, same, same),
    inList((doc) => editDocument(note2, doc).listToList, same, same),
  ],
  listToTree: [
    inList((doc) => editDocument(note1, doc).listToTree, same, same),
    {
      tokens: (doc) =>
        treeOf(doc)
          .get()
          .map(({ id }) => id),
      add: (doc, token, at) => {
        treeOf(doc).create(undefined, at(treeOf(doc).get().length + 1), { key: token });
        treeOf(doc).edit(token)?.label.set(token);
      },
      remove: (doc, token) => treeOf(doc).delete(token),
      move: (doc, token, at) => {
        treeOf(doc).move(token, undefined, at(treeOf(doc).get().length));
        return true;
      },
    },
  ],
  listToSet: [
    inList((doc) => editDocument(note1, doc).listToSet, same, same),
    inSet((doc) => editDocument(note2, doc).listToSet),
  ],
  setToList: [
    inSet((doc) => editDocument(note1, doc).setToList),
    inList((doc) => editDocument(note2, doc).setToList, same, same),
  ],
  mapToRecords: [
    {
      tokens: (doc) => Object.keys(readDocument(note1, doc).mapToRecords),
      add: (doc, token, at) => editDocument(note1, doc).mapToRecords.set(token, at(9)),
      remove: (doc, token) => editDocument(note1, doc).mapToRecords.delete(token),
    },
    {
      tokens: (doc) => Object.keys(readDocument(note2, doc).mapToRecords),
      add: (doc, token, at) => editDocument(note2, doc).mapToRecords.ensure(token).count.set(at(9)),
      remove: (doc, token) => editDocument(note2, doc).mapToRecords.remove(token),
    },
  ],
  recordsToItems: [
    {
      tokens: (doc) => Object.keys(readDocument(note1, doc).recordsToItems),
      add: (doc, token) => editDocument(note1, doc).recordsToItems.ensure(token).label.set(token),
      remove: (doc, token) => editDocument(note1, doc).recordsToItems.remove(token),
    },
    inList((doc) => editDocument(note2, doc).recordsToItems, item, idOf),
  ],
  textToRich: [
    inText(
      (doc) => editDocument(note1, doc).textToRich,
      (doc) => readDocument(note1, doc).textToRich,
    ),
    {
      ...inText(
        (doc) => editDocument(note2, doc).textToRich.text,
        (doc) =>
          readDocument(note2, doc)
            .textToRich.map(({ insert }) => insert)
            .join(""),
      ),
      move: (doc, token, at) => {
        const { text } = editDocument(note2, doc).textToRich;
        const start = text.toString().indexOf(token);
        editDocument(note2, doc).textToRich.mark(
          { start, end: Math.min(text.length, start + 1 + at(3)) },
          "bold",
          true,
        );
        return false;
      },
    },
  ],
};

/** A number that both versions add to. */
export const counter = {
  add: (doc: LoroDoc, version: 1 | 2, amount: number): void =>
    version === 1 ? editDocument(note1, doc).counter.add(amount) : editDocument(note2, doc).counter.add(amount),
  read: (doc: LoroDoc, version: 1 | 2): number =>
    version === 1 ? readDocument(note1, doc).counter : readDocument(note2, doc).counter,
};

/** All that a version shows. */
export const readAll = (doc: LoroDoc, version: 1 | 2): unknown =>
  version === 1 ? readDocument(note1, doc) : readDocument(note2, doc);
