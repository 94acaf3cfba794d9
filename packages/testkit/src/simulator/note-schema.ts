/**
 * The documents of a run: a container of each kind that merges, and a list in which every edit leaves its id. In most runs
 * every device has the first version of the app; in some the devices are updated while they work, through conversions of a
 * plain field and changes of containers, one of which goes through two versions.
 */
import {
  defineDocument,
  defineSchema,
  type DocumentSchema,
  type DocumentType,
  editDocument,
  evolveSchema,
  field,
  readDocument,
} from "@cairn/schema";
import { Schema } from "effect";
import type { LoroDoc } from "loro-crdt";

export const NOTE = "note";

/** The same in every version. */
const outline = field.tree({ label: field.string({ default: "" }), notes: field.text() });

const first = defineSchema({
  version: 1,
  documents: {
    [NOTE]: defineDocument({
      fields: {
        /** The ids of the edits: an edit is in the document exactly when its id is. */
        edits: field.list(Schema.String),
        title: field.string({ default: "", list: true }),
        body: field.text(),
        tally: field.counter(),
        marks: field.map(Schema.String),
        lines: field.list(Schema.String),
        outline,
      },
    }),
  },
});

const Heading = Schema.Struct({ text: Schema.String });
const Line = Schema.Struct({ id: Schema.String, text: Schema.String });

const second = evolveSchema(first, {
  version: 2,
  documents: {
    [NOTE]: defineDocument({
      fields: {
        edits: field.list(Schema.String),
        heading: field.value(Heading, { default: { text: "" }, list: true }),
        body: field.text(),
        tally: field.counter(),
        marks: field.map(Schema.String),
        lines: field.movableList(Line),
        outline,
      },
    }),
  },
  steps: (step) => [
    step.convert(NOTE, { from: "title", to: "heading", up: (text) => ({ text }), down: ({ text }) => text }),
    step.change(NOTE, {
      from: ["lines"],
      to: ["lines"],
      up: ({ lines }) => ({ lines: lines.map((id) => ({ id, text: "" })) }),
    }),
  ],
});

const third = evolveSchema(second, {
  version: 3,
  documents: {
    [NOTE]: defineDocument({
      fields: {
        edits: field.list(Schema.String),
        headline: field.string({ default: "", list: true }),
        body: field.text(),
        tally: field.counter(),
        marks: field.records({ by: field.string() }),
        lines: field.records({ text: field.string() }),
        outline,
      },
    }),
  },
  steps: (step) => [
    step.convert(NOTE, { from: "heading", to: "headline", up: ({ text }) => text, down: (text) => ({ text }) }),
    step.change(NOTE, {
      from: ["marks"],
      to: ["marks"],
      up: ({ marks }) => ({ marks: Object.fromEntries(Object.entries(marks).map(([key, by]) => [key, { by }])) }),
    }),
    step.change(NOTE, {
      from: ["lines"],
      to: ["lines"],
      up: ({ lines }) => ({ lines: Object.fromEntries(lines.map(({ id, text }) => [id, { text }])) }),
    }),
  ],
});

/** A version of the app. */
export type NoteVersion = 1 | 2 | 3;

export const LATEST: NoteVersion = 3;

const types = { 1: first.documents[NOTE], 2: second.documents[NOTE], 3: third.documents[NOTE] } as const;

export const noteSchemas: Readonly<Record<NoteVersion, DocumentSchema>> = { 1: first, 2: second, 3: third };

/** The note as a version declares it. */
export const noteTypes: Readonly<Record<NoteVersion, DocumentType>> = types;

const editFirst = (doc: LoroDoc) => editDocument(types[1], doc);

/** The outline as an app edits it, and as it reads it. */
export type Outline = ReturnType<typeof editFirst>["outline"];
export type OutlineView = ReturnType<Outline["get"]>;

/** What an app of any version can do to a note. */
export interface NoteEditor {
  readonly body: { readonly length: number; readonly insert: (position: number, text: string) => void };
  readonly tally: { readonly add: (amount: number) => void };
  readonly setTitle: (title: string) => void;
  readonly setMark: (key: string, by: string) => void;
  readonly addLine: (id: string) => void;
  readonly outline: Outline;
  /** Leaves the id of an edit. */
  readonly leave: (id: string) => void;
}

/** A note as an app of this version edits it. */
export const editNote = (version: NoteVersion, doc: LoroDoc): NoteEditor => {
  switch (version) {
    case 1: {
      const note = editFirst(doc);
      return {
        body: note.body,
        tally: note.tally,
        setTitle: (title) => note.title.set(title),
        setMark: (key, by) => note.marks.set(key, by),
        addLine: (id) => note.lines.push(id),
        outline: note.outline,
        leave: (id) => note.edits.push(id),
      };
    }
    case 2: {
      const note = editDocument(types[2], doc);
      return {
        body: note.body,
        tally: note.tally,
        setTitle: (text) => note.heading.set({ text }),
        setMark: (key, by) => note.marks.set(key, by),
        // At the beginning, where apps of the first version do not write.
        addLine: (id) => note.lines.insert(0, { id, text: id }),
        outline: note.outline,
        leave: (id) => note.edits.push(id),
      };
    }
    case 3: {
      const note = editDocument(types[3], doc);
      return {
        body: note.body,
        tally: note.tally,
        setTitle: (title) => note.headline.set(title),
        setMark: (key, by) => note.marks.ensure(key).by.set(by),
        addLine: (id) => note.lines.ensure(id).text.set(id),
        outline: note.outline,
        leave: (id) => note.edits.push(id),
      };
    }
  }
};

/** The note as an app of the first version reads it, which all know in runs of one version. */
export const readNote = (doc: LoroDoc) => readDocument(types[1], doc);

/** The note as each version reads it. */
export const readVersions = (doc: LoroDoc) => ({
  first: readDocument(types[1], doc),
  second: readDocument(types[2], doc),
  third: readDocument(types[3], doc),
});

export type NoteVersions = ReturnType<typeof readVersions>;

/** Where the view of an older version is not what the newer one's is in the older form. Nothing takes lines or marks away. */
export const disagreements = ({ first: one, second: two, third: three }: NoteVersions): ReadonlyArray<string> => {
  const broken: Array<string> = [];
  const holds = (is: boolean, problem: string): void => void (is || broken.push(problem));
  const same = (left: unknown, right: unknown): boolean => JSON.stringify(left) === JSON.stringify(right);
  holds(one.title === two.heading.text && one.title === three.headline, "the title is not down of the newer one");
  holds(one.body === two.body && one.body === three.body, "versions read different texts");
  holds(one.tally === two.tally && one.tally === three.tally, "versions read different counts");
  holds(same(one.edits, two.edits) && same(one.edits, three.edits), "versions read different edits");
  holds(same(one.outline, two.outline) && same(one.outline, three.outline), "versions read different outlines");
  const lines = two.lines.map(({ id }) => id);
  holds(new Set(lines).size === lines.length, "version 2 has a line twice");
  holds(new Set(one.lines).size === one.lines.length, "version 1 has a line twice");
  for (const id of one.lines) holds(lines.includes(id), `version 2 lacks the line ${id} of version 1`);
  for (const id of lines) holds(Object.hasOwn(three.lines, id), `version 3 lacks the line ${id} of version 2`);
  holds(same(one.marks, two.marks), "versions 1 and 2 read different marks");
  for (const key of Object.keys(two.marks)) {
    holds(Object.hasOwn(three.marks, key), `version 3 lacks the mark ${key} of version 2`);
  }
  return broken;
};
