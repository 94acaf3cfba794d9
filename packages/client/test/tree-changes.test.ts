/** Edits of trees and rich texts that are made anew: behind given-up ones, under another peer, in a fresh copy. */
import { hashFromBytes } from "@cairn/protocol";
import {
  defineDocument,
  defineSchema,
  describeDocument,
  editDocument,
  field,
  readDocument,
  style,
} from "@cairn/schema";
import { Schema } from "effect";
import { LoroDoc, type PeerID } from "loro-crdt";
import { describe, expect, it } from "vitest";
import { applyUnsaved } from "../src/documents/apply-unsaved.ts";
import { reauthor } from "../src/documents/reauthor.ts";
import { firstFormOf } from "../src/engine/entry-content.ts";
import { rebaseDocument } from "../src/documents/rebase-document.ts";

const page = defineDocument({
  fields: {
    title: field.string({ list: true }),
    body: field.richText({ styles: { link: style.value(Schema.String, { expand: "none" }), bold: style.flag() } }),
    outline: field.tree({
      label: field.string(),
      notes: field.text(),
      steps: field.records({ label: field.string() }),
    }),
  },
});
const schema = defineSchema({ version: 1, documents: { page } });

const replica = (peer: number | PeerID, ...from: ReadonlyArray<LoroDoc>): LoroDoc => {
  const doc = new LoroDoc();
  doc.setPeerId(peer);
  for (const other of from) doc.import(other.export({ mode: "snapshot" }));
  return doc;
};

/** What a change adds to a document. */
const updateOf = (doc: LoroDoc, change: () => void): Uint8Array => {
  const before = doc.oplogVersion();
  change();
  doc.commit();
  return doc.export({ mode: "update", from: before });
};

const server = (): { readonly doc: LoroDoc; readonly node: string } => {
  const doc = replica(1);
  describeDocument(doc, { type: "page", createdAt: 1 });
  const { body, outline } = editDocument(page, doc);
  body.text.insert(0, "a link to it");
  const node = outline.create();
  outline.edit(node)?.label.set("first");
  doc.commit();
  return { doc, node };
};

const expectLinkEnds = (doc: LoroDoc): void => {
  doc.getText("body").insert(6, "s");
  expect(readDocument(page, doc).body).toEqual([
    { insert: "a " },
    { insert: "link", attributes: { link: "x" } },
    { insert: "s to it" },
  ]);
};

const giveUp = (doc: LoroDoc, parked: Uint8Array, later: Uint8Array) =>
  rebaseDocument(schema, "page", doc, {
    parked: [parked],
    later: [later],
    peer: "3",
    mode: "reapply",
    digest: hashFromBytes(new Uint8Array(32)),
  });

describe("edits of rich texts and trees that are made anew", () => {
  it("behind given-up ones keep the nodes that they made, and how their marks grow", () => {
    const { doc, node } = server();
    const local = replica(2, doc);
    const edit = editDocument(page, local);
    const parked = updateOf(local, () => edit.title.set("refused"));
    const later = updateOf(local, () => {
      edit.body.mark({ start: 2, end: 6 }, "link", "x");
      edit.body.text.mark({ start: 8, end: 9 }, "of:another", { any: "value" });
      edit.body.text.unmark({ start: 8, end: 9 }, "of:another");
      const made = edit.outline.create(node);
      edit.outline.edit(made)?.label.set("second");
      edit.outline.edit(made)?.notes.insert(0, "notes");
      edit.outline
        .edit(edit.outline.create(made, undefined, { key: "third" }))
        ?.steps.ensure("s")
        .label.set("step");
      edit.outline.edit(node)?.label.set("changed");
    });
    const request = {
      parked: [parked],
      later: [later],
      peer: "3",
      mode: "reapply",
      digest: hashFromBytes(new Uint8Array(32)),
    } as const;
    const rebased = rebaseDocument(schema, "page", doc, request);
    expect(rebased.notReapplied).toEqual([]);
    const other = replica(4, doc);
    if (rebased.update !== undefined) other.import(rebased.update);
    const view = readDocument(page, other);
    expect(view.title).toBe("");
    expect(view.outline).toMatchObject([
      {
        id: node,
        label: "changed",
        children: [
          {
            label: "second",
            notes: "notes",
            children: [{ id: "third", steps: { s: { label: "step" } }, children: [] }],
          },
        ],
      },
    ]);
    expectLinkEnds(other);
    const copied = rebaseDocument(schema, "page", doc, { ...request, mode: "copy" }).copy;
    const copy = replica(5);
    for (const { update } of copied?.updates ?? []) copy.import(update);
    expect(readDocument(page, copy)).toEqual(readDocument(page, local));
    expectLinkEnds(copy);
  });

  it("behind given-up ones leave the nodes alone that others made meanwhile", () => {
    const { doc } = server();
    const local = replica(20, doc);
    const edit = editDocument(page, local);
    const parked = updateOf(local, () => edit.title.set("refused, after others"));
    const later = updateOf(local, () => edit.outline.edit(edit.outline.create(undefined, 0))?.label.set("later"));
    const other = replica(10, doc);
    const { outline, body } = editDocument(page, other);
    body.text.insert(0, "many operations, so that what comes next is later than all of the others' ");
    const theirs = outline.create(undefined, 0);
    outline.edit(theirs)?.notes.insert(0, "theirs");
    other.commit();
    const { update } = giveUp(other, parked, later);
    const after = replica(4, other);
    if (update !== undefined) after.import(update);
    const nodes = readDocument(page, after).outline;
    expect(nodes.map(({ label }) => label).toSorted()).toEqual(["", "first", "later"]);
    expect(nodes.find(({ id }) => id === theirs)).toMatchObject({ notes: "theirs" });
  });

  it("say so where only a text in a node that is given up was edited, under peers as devices have them", () => {
    const { doc, node } = server();
    // The peer and the counters, as Loro names containers by them, are no decimal numbers.
    const local = replica("12345678901234567890", doc);
    const { outline } = editDocument(page, local);
    let refused = "";
    const parked = updateOf(local, () => {
      for (let index = 0; index < 40; index += 1) outline.edit(node)?.label.set(`${index}`);
      refused = outline.create(node);
      outline.edit(refused)?.notes.insert(0, "refused");
    });
    const later = updateOf(local, () => outline.edit(refused)?.notes.insert(0, "lost, "));
    const { notReapplied, update } = giveUp(doc, parked, later);
    expect(notReapplied).toEqual([`outline.${refused}`]);
    expect(update).toBeUndefined();
  });

  it("say what has no place without a node that is given up, and keep the rest", () => {
    const { doc, node } = server();
    const local = replica(2, doc);
    const { outline } = editDocument(page, local);
    let refused = "";
    const parked = updateOf(local, () => {
      refused = outline.create();
      outline.edit(refused)?.label.set("refused");
    });
    const later = updateOf(local, () => {
      outline.edit(refused)?.notes.insert(0, "in the refused one");
      outline.edit(outline.create(refused))?.label.set("below it");
      outline.move(node, refused);
      outline.edit(outline.create(undefined, undefined, { key: "kept" }))?.label.set("kept");
      outline.edit(node)?.label.set("also kept");
    });
    const rebased = giveUp(doc, parked, later);
    const other = replica(4, doc);
    if (rebased.update !== undefined) other.import(rebased.update);
    expect(rebased.notReapplied.length).toBeGreaterThan(0);
    expect(readDocument(page, other).outline).toMatchObject([
      { id: node, label: "also kept", children: [] },
      { id: "kept", label: "kept" },
    ]);
  });

  it("leave the nodes that they made where they made them, where the one that these went below is given up", () => {
    const { doc, node } = server();
    const local = replica(2, doc);
    const { outline } = editDocument(page, local);
    let refused = "";
    const parked = updateOf(local, () => {
      refused = outline.create();
    });
    const create = (parent: string | undefined, key: string): void => {
      outline.edit(outline.create(parent, undefined, { key }))?.label.set(key);
    };
    const later = updateOf(local, () => {
      create(undefined, "was a root");
      create(node, "was below the first");
      create("was a root", "went with it");
      create("was below the first", "below another new one");
      create(refused, "made in the refused one");
      outline.move("below another new one", "was a root");
      for (const key of ["was below the first", "was a root"]) outline.move(key, refused);
      outline.move(node, "went with it");
    });
    const { update, notReapplied } = giveUp(doc, parked, later);
    const other = replica(4, doc);
    if (update !== undefined) other.import(update);
    expect(readDocument(page, other).outline).toMatchObject([
      {
        id: "was a root",
        label: "was a root",
        children: [
          {
            id: "went with it",
            label: "went with it",
            children: [{ id: node, children: [{ id: "was below the first", label: "was below the first" }] }],
          },
          { id: "below another new one", label: "below another new one" },
        ],
      },
    ]);
    expect(notReapplied).toHaveLength(3);
  });

  it("leave such a node among the roots, where they have taken away what it was made in", () => {
    const { doc, node } = server();
    const local = replica(2, doc);
    const { outline } = editDocument(page, local);
    let refused = "";
    const parked = updateOf(local, () => {
      refused = outline.create();
    });
    const later = updateOf(local, () => {
      outline.create(node, undefined, { key: "kept" });
      outline.create("kept", undefined, { key: "below it" });
      outline.move("kept", refused);
      outline.delete(node);
    });
    const { update, notReapplied } = giveUp(doc, parked, later);
    const other = replica(4, doc);
    if (update !== undefined) other.import(update);
    expect(readDocument(page, other).outline).toMatchObject([{ id: "kept", children: [{ id: "below it" }] }]);
    expect(notReapplied).toHaveLength(1);
  });

  it("go with what somebody has removed, with all that they moved there", () => {
    const { doc, node } = server();
    const page1 = replica(2, doc);
    const { title, outline } = editDocument(page, page1);
    const unsaved = updateOf(page1, () => {
      title.set("unsaved");
      outline.create(undefined, undefined, { key: "moved" });
      outline.create(node, undefined, { key: "made in it" });
      outline.move("moved", "made in it");
    });
    const fresh = replica(3, doc);
    editDocument(page, fresh).outline.delete(node);
    fresh.commit();
    applyUnsaved(page1, [unsaved], fresh, page);
    fresh.commit();
    expect(readDocument(page, fresh)).toMatchObject({ title: "unsaved", outline: [] });
  });

  it("hazard L4: under another peer keep marks, how these grow, and nodes", () => {
    const { doc, node } = server();
    const here = replica(2, doc);
    const there = replica(2, doc);
    const { body, outline } = editDocument(page, here);
    const own = updateOf(here, () => {
      body.mark({ start: 2, end: 6 }, "link", "x");
      outline.edit(outline.create(node))?.notes.insert(0, "mine");
    });
    const clone = updateOf(there, () => editDocument(page, there).title.set("of the clone"));
    const anew = reauthor(
      {
        acknowledged: [doc.export({ mode: "snapshot" })],
        elsewhere: [{ update: clone, time: 500 }],
        own: [{ id: 1, update: own, time: 100, firstForm: firstFormOf({ update: own, time: 100 }) }],
        madeAnew: [],
        ends: new Set(),
        type: "page",
        peer: "3",
      },
      schema,
    );
    const other = replica(4, there);
    for (const { update } of anew) if (update !== undefined) other.import(update);
    expect(readDocument(page, other)).toMatchObject({
      title: "of the clone",
      outline: [{ id: node, children: [{ notes: "mine" }] }],
    });
    expectLinkEnds(other);
  });

  it("go into a fresh copy in which somebody deleted what they are about, as far as they have a place there", () => {
    const { doc, node } = server();
    const page1 = replica(2, doc);
    const { title, outline } = editDocument(page, page1);
    const unsaved = updateOf(page1, () => {
      title.set("unsaved");
      outline.edit(node)?.label.set("changed");
      outline.edit(node)?.notes.insert(0, "notes");
      outline.edit(outline.create(node))?.label.set("below it");
      outline.edit(outline.create(undefined, undefined, { key: "kept" }))?.label.set("kept");
    });
    const fresh = replica(3, doc);
    editDocument(page, fresh).outline.delete(node);
    fresh.commit();
    applyUnsaved(page1, [unsaved], fresh, page);
    fresh.commit();
    expect(readDocument(page, fresh)).toMatchObject({ title: "unsaved", outline: [{ id: "kept", label: "kept" }] });
  });

  it("come with everything else where somebody has put a node below the one that it is to go below", () => {
    const { doc, node } = server();
    const other = updateOf(doc, () => editDocument(page, doc).outline.create(undefined, undefined, { key: "other" }));
    expect(other.length).toBeGreaterThan(0);
    const page1 = replica(2, doc);
    const mine = editDocument(page, page1).outline;
    const unsaved = updateOf(page1, () => {
      mine.create(undefined, undefined, { key: "new" });
      mine.edit("new")?.label.set("new");
      mine.edit("new")?.notes.insert(0, "notes");
      mine.move(node, "other", 0);
    });
    const fresh = replica(3, doc);
    editDocument(page, fresh).outline.move("other", node, 0);
    fresh.commit();
    const lost = applyUnsaved(page1, [unsaved], fresh, page);
    fresh.commit();
    expect(readDocument(page, fresh).outline).toMatchObject([
      { id: node, children: [{ id: "other", children: [] }] },
      { id: "new", label: "new", notes: "notes" },
    ]);
    expect(lost).toHaveLength(1);
  });

  it("name nothing as lost that they have taken away themselves", () => {
    const { doc, node } = server();
    const local = replica(2, doc);
    const { outline } = editDocument(page, local);
    let refused = "";
    const parked = updateOf(local, () => {
      refused = outline.create();
    });
    const later = updateOf(local, () => {
      outline.edit(refused)?.label.set("in the refused one");
      outline.move(refused, node);
      outline.delete(node);
    });
    const { notReapplied } = giveUp(doc, parked, later);
    expect(notReapplied).toEqual([]);
  });

  it("name nothing as lost where they have taken away what is not there", () => {
    const { doc, node } = server();
    const local = replica(2, doc);
    const { outline } = editDocument(page, local);
    const parked = updateOf(local, () => outline.edit(node)?.steps.ensure("step").label.set("given up"));
    const later = updateOf(local, () => outline.edit(node)?.steps.remove("step"));
    const { notReapplied } = giveUp(doc, parked, later);
    expect(notReapplied).toEqual([]);
    expect(applyUnsaved(local, [later], replica(4, doc), page)).toEqual([]);
  });
});
