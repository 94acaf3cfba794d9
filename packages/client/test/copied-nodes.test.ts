/**
 * Nodes of trees, and items of lists, on copies of one store: under names that another copy uses too, and behind edits that it has
 * made anew.
 */
import { hashFromBytes } from "@cairn/protocol";
import { nodesInOrder } from "@cairn/schema";
import { LoroDoc, LoroMap, type LoroTreeNode, type PeerID } from "loro-crdt";
import { describe, expect, it } from "vitest";
import { applyUnsaved } from "../src/documents/apply-unsaved.ts";
import { rangesOf } from "../src/documents/document-versions.ts";
import { rebaseDocument } from "../src/documents/rebase-document.ts";
import { remakeOwnEdits } from "../src/documents/remake-own-edits.ts";
import type { ReauthorRequest } from "../src/documents/own-edits.ts";
import { reauthor } from "../src/documents/reauthor.ts";
import { firstFormOf } from "../src/engine/entry-content.ts";
import { schema } from "./notebook.ts";

type Edit = (doc: LoroDoc) => void;

/** A document of these updates, which writes under a peer. */
const replica = (peer: PeerID, on: ReadonlyArray<Uint8Array>): LoroDoc => {
  const doc = new LoroDoc();
  doc.setPeerId(peer);
  if (on.length > 0) doc.importBatch([...on]);
  return doc;
};

/** One update of each edit. */
const write = (doc: LoroDoc, ...edits: ReadonlyArray<Edit>): ReadonlyArray<Uint8Array> =>
  edits.map((edit) => {
    const from = doc.oplogVersion();
    edit(doc);
    doc.commit();
    return doc.export({ mode: "update", from });
  });

const outlineOf = (doc: LoroDoc) => doc.getTree("outline");
const node =
  (label: string): Edit =>
  (doc) =>
    outlineOf(doc).createNode().data.set("label", label);
const named = (doc: LoroDoc, label: string): LoroTreeNode => {
  const found = outlineOf(doc)
    .getNodes()
    .find(({ data }) => data.get("label") === label);
  if (found === undefined) throw new Error(`there is no ${label}`);
  return found;
};

/** The labels in their order, with what is below each in brackets. */
const shown = (doc: LoroDoc): string => {
  const say = (nodes: ReadonlyArray<LoroTreeNode>): string =>
    nodes
      .map((one) => `${String(one.data.get("label"))}${one.children()?.length ? `(${say(one.children() ?? [])})` : ""}`)
      .join(" ");
  return say(outlineOf(doc).roots());
};

const addItem =
  (label: string): Edit =>
  (doc) => {
    const items = doc.getMovableList("items");
    items.insertContainer(items.length, new LoroMap()).set("label", label);
  };

/** What stands in the nodes, in their order. */
const said = (doc: LoroDoc): ReadonlyArray<unknown> =>
  nodesInOrder(outlineOf(doc)).map(({ data }): unknown => data.toJSON());

const ownOf = (updates: ReadonlyArray<Uint8Array>) =>
  updates.map((update, index) => ({
    id: index + 1,
    update,
    time: index,
    firstForm: firstFormOf({ update, time: index }),
  }));

/** What a copy makes anew of edits, and how others know them then. */
const useCopy = (
  peer: PeerID,
  base: ReadonlyArray<Uint8Array>,
  edits: ReadonlyArray<Uint8Array>,
  madeAnew: ReauthorRequest["madeAnew"],
) => {
  const request = { acknowledged: base, elsewhere: [], own: ownOf(edits), madeAnew, ends: new Set<number>() };
  const made = reauthor({ ...request, type: "note", peer }, schema).flatMap(({ update, firstForm }) =>
    update === undefined ? [] : [{ update, firstForm }],
  );
  return {
    peer,
    updates: made.map(({ update }) => update),
    edits: made.flatMap(({ update, firstForm }) =>
      firstForm === undefined ? [] : [{ firstForm, end: rangesOf(update)[0]?.end ?? 0 }],
    ),
  };
};

describe("hazard L4: nodes on copies of a store", () => {
  it("are not those of the same name that the log has applied again", () => {
    const base = write(replica("22", []), node("base"));
    const refused = write(replica("11", base), (doc) => doc.getText("body").insert(0, "refused "));
    const later = write(replica("11", [...base, ...refused]), node("theirs"));
    const { update: again } = rebaseDocument(schema, "note", replica("1", base), {
      parked: refused,
      later,
      peer: "44",
      mode: "reapply",
      digest: hashFromBytes(new Uint8Array(32)),
    });
    if (again === undefined) throw new Error("nothing was applied again");
    // In another tab of the copy, under the peer under which the other copy has applied its own node again.
    const onCopy = write(replica("44", [...base, ...refused, ...later]), (doc) => {
      node("ours")(doc);
      named(doc, "ours").createNode().data.set("label", "below");
    });
    const edits = remakeOwnEdits(
      {
        acknowledged: base,
        elsewhere: [{ update: again, time: 50 }],
        own: ownOf([...refused, ...later, ...onCopy]),
        madeAnew: [],
        appliedAgain: { ids: new Set([2]), updates: [again], holders: [again] },
        ends: new Set([1]),
        type: "note",
        peer: "33",
      },
      schema,
    );
    const all = replica("1", [...base, again, ...edits.flatMap(({ update }) => update ?? [])]);
    expect(shown(all)).toBe("base theirs ours(below)");
  });

  it("that a page has not saved are not those of the same name in the document as it is now", () => {
    const base = write(replica("22", []), node("base"));
    const theirs = write(replica("11", base), node("theirs"));
    const page = replica("11", base);
    const unsaved = write(page, node("ours"));
    const fresh = replica("33", [...base, ...theirs]);
    expect(applyUnsaved(page, unsaved, fresh, undefined)).toEqual([]);
    fresh.commit();
    expect(shown(fresh).split(" ").toSorted()).toEqual(["base", "ours", "theirs"]);
  });

  it("come into a document that writes under their peer, and whose names they may get there", () => {
    const base = write(replica("22", []), node("base"));
    const page = replica("11", base);
    const unsaved = write(page, node("ours"));
    const fresh = replica("11", base);
    expect(applyUnsaved(page, unsaved, fresh, undefined)).toEqual([]);
    fresh.commit();
    expect(shown(fresh)).toBe("base ours");
  });

  it.each<PeerID>(["11", "44"])("come with their texts, also under %s", (peer) => {
    const base = write(replica("22", []), node("base"));
    const theirs = write(replica("11", base), node("theirs"));
    const page = replica("11", base);
    const unsaved = write(page, (doc) => {
      const { data } = outlineOf(doc).createNode();
      data.set("label", "ours");
      data.ensureMergeableText("notes").insert(0, "text");
    });
    const fresh = replica(peer, [...base, ...theirs]);
    expect(applyUnsaved(page, unsaved, fresh, undefined)).toEqual([]);
    fresh.commit();
    expect(said(fresh)).toContainEqual({ label: "ours", notes: "text" });
    expect(said(fresh)).toContainEqual({ label: "theirs" });
  });

  it("have a place for a tree of their own, where they were made anew", () => {
    const base = write(replica("22", []), (doc) => doc.getText("body").insert(0, "base"));
    const page = replica("11", base);
    const saved = write(page, node("one"));
    const unsaved = write(page, (doc) =>
      named(doc, "one").data.ensureMergeableTree("parts").createNode().data.set("label", "below"),
    );
    const fresh = replica("44", [...base, ...useCopy("33", base, saved, []).updates]);
    expect(applyUnsaved(page, unsaved, fresh, undefined, (operation) => operation.endsWith("@22"))).toEqual([]);
    fresh.commit();
    expect(said(fresh)).toMatchObject([{ label: "one", parts: [{ meta: { label: "below" } }] }]);
  });

  it("and items of lists come with what they hold where a later one of several updates moves them", () => {
    const base = write(replica("22", []), (doc) => doc.getText("body").insert(0, "base"));
    const own = ownOf(
      write(
        replica("11", base),
        (doc) => {
          addItem("a")(doc);
          addItem("b")(doc);
        },
        (doc) => doc.getMovableList("items").move(0, 1),
      ),
    );
    const request = { acknowledged: base, elsewhere: [], own, madeAnew: [], type: "note", peer: "33" } as const;
    const made = reauthor({ ...request, ends: new Set([1]) }, schema);
    const all = replica("1", [...base, ...made.flatMap(({ update }) => update ?? [])]);
    expect(all.getMovableList("items").toJSON()).toEqual([{ label: "b" }, { label: "a" }]);
    expect(made.every(({ firstForm }) => firstForm !== undefined)).toBe(true);
  });

  it("are not made anew under a peer of theirs", () => {
    const base = write(replica("22", []), node("base"));
    const own = ownOf(write(replica("11", base), node("ours")));
    const request = { acknowledged: base, elsewhere: [], own, madeAnew: [], ends: new Set<number>(), type: "note" };
    expect(() => reauthor({ ...request, peer: "11" }, schema)).toThrow("under a peer of theirs");
  });

  it.each<readonly [string, ReadonlyArray<Edit>, ReadonlyArray<Edit>, string]>([
    ["a new one", [(doc) => doc.getText("body").insert(0, "waits ")], [node("new")], "base new"],
    ["a new one behind a new one", [node("waits")], [node("new")], "base waits new"],
    [
      "one below another, and moved",
      [node("one"), node("two")],
      [(doc) => named(doc, "two").move(named(doc, "one")), (doc) => named(doc, "two").data.set("label", "three")],
      "base one(three)",
    ],
    [
      "one that goes",
      [node("one"), node("two")],
      [(doc) => outlineOf(doc).delete(named(doc, "one").id), node("three")],
      "base two three",
    ],
    [
      "one that comes out of one that is gone",
      [
        (doc) => {
          node("one")(doc);
          named(doc, "one").createNode().data.set("label", "below");
        },
        (doc) => outlineOf(doc).delete(named(doc, "one").id),
      ],
      [(doc) => outlineOf(doc).move("2@11", undefined)],
      "base below",
    ],
    [
      "beside items of a list that were moved",
      [addItem("a"), addItem("b")],
      [(doc) => doc.getMovableList("items").move(0, 1)],
      "base",
    ],
    [
      "one with a list of its own",
      [node("one")],
      [
        (doc) => named(doc, "one").data.ensureMergeableList("tags").push("a"),
        (doc) => named(doc, "one").data.ensureMergeableList("tags").push("b"),
      ],
      "base one",
    ],
  ])("behind edits that another copy has made anew are there once: %s", (_, waiting, behind, wanted) => {
    const base = write(replica("22", []), node("base"));
    const copy = replica("11", base);
    const first = write(copy, ...waiting);
    const second = write(copy, ...behind);
    const one = useCopy("33", base, first, []);
    expect(one.edits).toHaveLength(waiting.length);
    const other = useCopy("44", base, [...first, ...second], [one]);
    const all = replica("1", [...base, ...one.updates, ...other.updates]);
    expect(shown(all)).toBe(wanted);
    expect(all.getText("body").toString()).toBe(copy.getText("body").toString());
    expect(said(all)).toEqual(said(copy));
    expect(all.getMovableList("items").toJSON()).toEqual(copy.getMovableList("items").toJSON());
    // And each of them by itself, so that a third copy can build on it.
    expect(other.edits).toHaveLength(behind.length);
  });
});
