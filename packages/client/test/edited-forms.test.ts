/** Edits of newer forms that are made again: what went wrong once, or nearly did. */
import { hashFromBytes } from "@cairn/protocol";
import {
  defineDocument,
  defineSchema,
  type DocumentSchema,
  editDocument,
  evolveSchema,
  field,
  readDocument,
} from "@cairn/schema";
import { Schema } from "effect";
import { LoroDoc, type PeerID } from "loro-crdt";
import { describe, expect, test, vi } from "vitest";
import { applyUnsaved } from "../src/documents/apply-unsaved.ts";
import { rebaseDocument } from "../src/documents/rebase-document.ts";
import { documentTypeOf } from "../src/engine/engine-schema.ts";

const replica = (peer: PeerID, ...from: ReadonlyArray<LoroDoc>): LoroDoc => {
  const doc = new LoroDoc();
  doc.setPeerId(peer);
  for (const one of from) doc.import(one.export({ mode: "snapshot" }));
  return doc;
};

const write = (doc: LoroDoc, change: (doc: LoroDoc) => void): Uint8Array => {
  const version = doc.oplogVersion();
  change(doc);
  doc.commit();
  return doc.export({ mode: "update", from: version });
};

interface Story {
  readonly givenUp?: (doc: LoroDoc) => void;
  readonly later: (doc: LoroDoc) => void;
  readonly meanwhile?: (doc: LoroDoc) => void;
}

const rebase = (schema: DocumentSchema, server: LoroDoc, parked: Uint8Array, later: Uint8Array) =>
  rebaseDocument(schema, "note", server, {
    parked: [parked],
    later: [later],
    peer: "33",
    mode: "reapply",
    digest: hashFromBytes(new Uint8Array(32)),
  });

const byName = (left: string, right: string): number => left.localeCompare(right);

/** What becomes of the later edits behind those that are given up, and as unsaved ones of a page; and what is said of it. */
const outcomes = (schema: DocumentSchema, base: LoroDoc, { givenUp, later, meanwhile }: Story) => {
  const page = replica("11", base);
  const parked = write(page, givenUp ?? ((doc) => doc.getText("else").insert(0, "given up")));
  const behind = write(page, later);
  const server = replica("44", base);
  write(server, meanwhile ?? (() => undefined));
  const { update, notReapplied } = rebase(schema, server, parked, behind);
  const rebuilt = replica("55", server);
  if (update !== undefined) rebuilt.import(update);
  const open = replica("33", server);
  const unplaced = applyUnsaved(page, [behind], open, documentTypeOf(schema, "note"));
  open.commit();
  expect(unplaced.toSorted(byName)).toEqual(notReapplied.toSorted(byName));
  return { documents: [rebuilt, open], notReapplied };
};

const Line = Schema.Struct({ id: Schema.String, label: Schema.String });

describe("values that are converted", () => {
  const first = defineSchema({
    version: 1,
    documents: { note: defineDocument({ fields: { hours: field.string() } }) },
  });
  const second = evolveSchema(first, {
    version: 2,
    documents: { note: defineDocument({ fields: { hours: field.number() } }) },
    steps: (step) => [
      step.convert("note", { from: "hours", to: "hours", up: (text) => Number.parseInt(text, 10), down: String }),
    ],
  });
  const begin = (hours: string): LoroDoc => {
    const doc = replica("22");
    write(doc, () => editDocument(first.documents.note, doc).hours.set(hours));
    return doc;
  };

  test.each(["3", "about three"])(
    "stay as an older app wrote them where they cannot be converted, over %s",
    (hours) => {
      const { documents } = outcomes(second, begin(hours), {
        later: (doc) => editDocument(first.documents.note, doc).hours.set("maybe five"),
      });
      for (const doc of documents) expect(readDocument(first.documents.note, doc).hours).toBe("maybe five");
    },
  );

  test("are forgotten where they were", () => {
    const { documents } = outcomes(second, begin("3"), {
      later: (doc) => editDocument(second.documents.note, doc).hours.reset(),
    });
    for (const doc of documents) expect(readDocument(first.documents.note, doc).hours).toBe("");
  });

  test("and changed into containers afterwards, come without what was given up", () => {
    const one = defineSchema({
      version: 1,
      documents: { note: defineDocument({ fields: { title: field.string() } }) },
    });
    const two = evolveSchema(one, {
      version: 2,
      documents: { note: defineDocument({ fields: { heading: field.string(), color: field.string() } }) },
      steps: (step) => [
        step.split("note", {
          from: "title",
          to: ["heading", "color"],
          up: (title) => ({ heading: title, color: "" }),
          down: ({ heading }) => heading,
        }),
      ],
    });
    const three = evolveSchema(two, {
      version: 3,
      documents: { note: defineDocument({ fields: { heading: field.text(), color: field.text() } }) },
      steps: (step) => [
        step.change("note", { from: ["heading", "color"], to: ["heading", "color"], up: (fields) => ({ ...fields }) }),
      ],
    });
    const base = replica("22");
    write(base, () => editDocument(one.documents.note, base).title.set("title"));
    const { documents } = outcomes(three, base, {
      givenUp: (doc) => editDocument(two.documents.note, doc).color.set("given up"),
      later: (doc) => editDocument(two.documents.note, doc).heading.set("later"),
    });
    for (const doc of documents) {
      expect(readDocument(three.documents.note, doc)).toMatchObject({ heading: "later", color: "" });
    }
  });
});

describe("containers that are changed", () => {
  const first = defineSchema({
    version: 1,
    documents: {
      note: defineDocument({
        fields: {
          outline: field.list(Schema.String),
          items: field.list(Schema.String),
          tags: field.list(Schema.String),
          body: field.text(),
          tree: field.tree({ count: field.counter() }),
          marks: field.map(Schema.String),
        },
      }),
    },
  });
  const second = evolveSchema(first, {
    version: 2,
    documents: {
      note: defineDocument({
        fields: {
          outline: field.tree({ done: field.boolean() }),
          items: field.movableList(Line),
          tags: field.movableList(Schema.String),
          story: field.text(),
          tree: field.tree({ sum: field.counter() }),
          marks: field.records({ by: field.string() }),
        },
      }),
    },
    steps: (step) => [
      step.change("note", {
        from: ["outline"],
        to: ["outline"],
        up: ({ outline }) => ({ outline: outline.map((id) => ({ id, done: false, children: [] })) }),
      }),
      step.change("note", {
        from: ["items"],
        to: ["items"],
        up: ({ items }) => ({ items: items.map((id) => ({ id, label: "" })) }),
      }),
      step.change("note", { from: ["tags"], to: ["tags"], up: ({ tags }) => ({ tags: [...tags] }) }),
      step.change("note", { from: ["body"], to: ["story"], up: ({ body }) => ({ story: body }) }),
      step.change("note.tree", { from: ["count"], to: ["sum"], up: ({ count }) => ({ sum: count }) }),
      step.change("note", {
        from: ["marks"],
        to: ["marks"],
        up: ({ marks }) => ({ marks: Object.fromEntries(Object.entries(marks).map(([key, by]) => [key, { by }])) }),
      }),
    ],
  });
  const third = evolveSchema(second, {
    version: 3,
    documents: {
      note: defineDocument({
        fields: {
          outline: field.tree({ done: field.boolean() }),
          items: field.movableList(Line),
          tags: field.list(Schema.String),
          story: field.text(),
          tree: field.tree({ sum: field.counter() }),
          marks: field.records({ by: field.string() }),
        },
      }),
    },
    steps: (step) => [step.change("note", { from: ["tags"], to: ["tags"], up: ({ tags }) => ({ tags: [...tags] }) })],
  });
  const [note1, note2, note3] = [first.documents.note, second.documents.note, third.documents.note];

  test("a node that was moved below a given-up one stays; that is said, and that those are not there that were made below it", () => {
    const base = replica("22");
    write(base, () => editDocument(note1, base).outline.push("a", "b"));
    let made = "";
    const { documents, notReapplied } = outcomes(second, base, {
      givenUp: (doc) => {
        made = editDocument(note2, doc).outline.create(undefined, 0);
      },
      later: (doc) => {
        const { outline } = editDocument(note2, doc);
        outline.move("b", made, 0);
        outline.create(outline.create(made, 0, { key: "new" }), 0, { key: "newer" });
      },
    });
    expect(notReapplied.toSorted(byName)).toEqual(["outline.b", "outline.new", "outline.newer"]);
    for (const doc of documents) {
      expect(
        readDocument(note2, doc)
          .outline.map(({ id }) => id)
          .toSorted(),
      ).toEqual(["a", "b"]);
    }
  });

  test("edits of a form between the oldest and the newest are made again, also where the newest shows nothing of them", () => {
    const { documents } = outcomes(third, replica("22"), {
      later: (doc) => {
        write(doc, () => editDocument(note1, doc).tags.push("lima"));
        editDocument(note2, doc).tags.delete(0, 1);
      },
    });
    for (const doc of documents) {
      expect(readDocument(note2, doc).tags).toEqual([]);
      expect(readDocument(note3, doc).tags).toEqual([]);
    }
  });

  test.each([1, 2])("nodes that two made under one key count once what version %i counted", (version) => {
    const node = (doc: LoroDoc): void => {
      write(doc, () => editDocument(note2, doc).tree.create(undefined, 0, { key: "k" }));
    };
    const { documents } = outcomes(second, replica("22"), {
      later: (doc) => {
        node(doc);
        if (version === 1) editDocument(note1, doc).tree.edit("k")?.count.add(1);
        else editDocument(note2, doc).tree.edit("k")?.sum.add(1);
      },
      meanwhile: (doc) => {
        node(doc);
        editDocument(note2, doc).tree.edit("k")?.sum.add(10);
      },
    });
    for (const doc of documents) {
      expect(readDocument(note2, doc).tree.reduce((all, { sum }) => all + sum, 0)).toBe(11);
    }
  });

  test("what replaced a given-up item is not there, and that is said", () => {
    const { notReapplied } = outcomes(second, replica("22"), {
      givenUp: (doc) => editDocument(note2, doc).items.push({ id: "g", label: "" }),
      later: (doc) => editDocument(note2, doc).items.replace(0, { id: "g", label: "important" }),
    });
    expect(notReapplied).toEqual(["items"]);
  });

  test.each([
    ["an older", (doc: LoroDoc) => editDocument(note1, doc).marks.set("given", "up")],
    ["the same", (doc: LoroDoc) => editDocument(note2, doc).marks.ensure("given").by.set("up")],
  ])(
    "what was set within a record that %s version has made and given up is not there, and that is said",
    (_, givenUp) => {
      const { documents, notReapplied } = outcomes(second, replica("22"), {
        givenUp,
        later: (doc) => {
          editDocument(note2, doc).marks.ensure("given").by.set("later");
          // The rest is made again, and is no reason to keep quiet about that.
          editDocument(note2, doc).marks.ensure("other").by.set("later");
        },
      });
      for (const doc of documents) expect(readDocument(note2, doc).marks).toEqual({ other: { by: "later" } });
      expect(notReapplied).toEqual(["marks.given"]);
    },
  );

  test("what others took away is not there, and that is said of what was changed, not of what was moved with it", () => {
    const base = replica("22");
    write(base, () => {
      const note = editDocument(note2, base);
      for (const key of ["gone", "left"]) note.marks.ensure(key).by.set("base");
      const parent = note.outline.create(undefined, 0, { key: "gone" });
      note.outline.create(parent, 0, { key: "below" });
    });
    const { documents, notReapplied } = outcomes(second, base, {
      later: (doc) => {
        const note = editDocument(note2, doc);
        for (const key of ["gone", "left"]) note.marks.edit(key)?.by.set("later");
        note.outline.edit("gone")?.done.set(true);
        note.outline.edit("below")?.done.set(true);
        note.marks.remove("left");
      },
      meanwhile: (doc) => {
        const note = editDocument(note2, doc);
        note.marks.remove("gone");
        note.outline.move("below", undefined, 0);
        note.outline.delete("gone");
      },
    });
    for (const doc of documents) {
      const { marks, outline } = readDocument(note2, doc);
      expect(marks).toEqual({});
      expect(outline).toMatchObject([{ id: "below", done: true }]);
    }
    expect(notReapplied).toEqual(["outline.gone", "marks.gone"]);
  });

  test("of items with one id, the one that was replaced counts", () => {
    const base = replica("22");
    const items = (doc: LoroDoc) => editDocument(note2, doc).items;
    write(base, (doc) => items(doc).push({ id: "g", label: "1" }));
    const givenUp = (doc: LoroDoc): void => items(doc).push({ id: "g", label: "2" });
    const replaced = outcomes(second, base, {
      givenUp,
      later: (doc) => items(doc).replace(1, { id: "g", label: "important" }),
    });
    expect(replaced.notReapplied).toEqual(["items"]);
    const deleted = outcomes(second, base, { givenUp, later: (doc) => items(doc).delete(1, 1) });
    expect(deleted.notReapplied).toEqual([]);
  });

  test("a later edit that waits for what nobody has is passed over", () => {
    const base = replica("22");
    write(base, () => editDocument(note2, base).story.insert(0, "base "));
    const page = replica("11", base);
    const parked = write(page, () => editDocument(note2, page).story.insert(0, "given up "));
    const other = replica("66", base);
    page.import(write(other, () => editDocument(note2, other).story.insert(0, "elsewhere ")));
    const later = write(page, () => editDocument(note2, page).story.insert(0, "later "));
    expect(rebase(second, replica("44", base), parked, later).update).toBeUndefined();
  });

  test("hazard L9: no copy of a document stays that is gone", () => {
    const live = new Set<unknown>();
    const { detach, free } = LoroDoc.prototype;
    const detached = vi.spyOn(LoroDoc.prototype, "detach").mockImplementation(function (this: LoroDoc) {
      live.add(this);
      detach.call(this);
    });
    const freed = vi.spyOn(LoroDoc.prototype, "free").mockImplementation(function (this: LoroDoc) {
      live.delete(this);
      free.call(this);
    });
    try {
      const base = replica("22");
      write(base, () => editDocument(note1, base).tags.push("a"));
      outcomes(second, base, {
        givenUp: (doc) => editDocument(note2, doc).tags.push("given up"),
        later: (doc) => editDocument(note2, doc).tags.push("later"),
      });
      expect(detached).toHaveBeenCalled();
      expect(live.size).toBe(0);
    } finally {
      detached.mockRestore();
      freed.mockRestore();
    }
  });
});
