/** Edits that are applied again behind given-up ones, in trees and lists that others change at the same time. */
import { hashFromBytes } from "@cairn/protocol";
import { canonicalContent, nodesInOrder } from "@cairn/schema";
import fc from "fast-check";
import { LoroDoc, LoroMap, type LoroMovableList, LoroText, LoroTree, type PeerID } from "loro-crdt";
import { describe, expect, it } from "vitest";
import { applyUnsaved } from "../src/documents/apply-unsaved.ts";
import { isIn } from "../src/documents/document-versions.ts";
import { rebaseDocument } from "../src/documents/rebase-document.ts";
import { schema } from "./notebook.ts";

const replica = (peer: PeerID, ...from: ReadonlyArray<LoroDoc>): LoroDoc => {
  const doc = new LoroDoc();
  doc.setPeerId(peer);
  doc.getTree("outline").enableFractionalIndex(0);
  for (const other of from) doc.import(other.export({ mode: "snapshot" }));
  return doc;
};

const receive = (doc: LoroDoc, from: LoroDoc): void => {
  doc.import(from.export({ mode: "update", from: doc.oplogVersion() }));
};

type Edit = (doc: LoroDoc) => void;

/** What an edit adds to a document. */
const write = (doc: LoroDoc, edit: Edit): Uint8Array => {
  const before = doc.oplogVersion();
  edit(doc);
  doc.commit();
  return doc.export({ mode: "update", from: before });
};

const again = (server: LoroDoc, parked: ReadonlyArray<Uint8Array>, later: ReadonlyArray<Uint8Array>) => {
  const { update, notReapplied } = rebaseDocument(schema, "note", server, {
    parked,
    later,
    peer: "99",
    mode: "reapply",
    digest: hashFromBytes(new Uint8Array(32)),
  });
  const doc = replica("98", server);
  if (update !== undefined) doc.import(update);
  return { doc, notReapplied };
};

/** Who does something (3: everybody receives, 4: the others do), what, and where; the numbers choose. */
type Step = [who: number, what: number, where: number, other: number];

const editBy =
  ([, what, where, other]: Step, label: string): Edit =>
  (doc) => {
    const tree = doc.getTree("outline");
    const items = doc.getMovableList("items");
    const nodes = nodesInOrder(tree);
    const node = nodes[where % Math.max(1, nodes.length)];
    const kind = what % 16;
    if (kind >= 12) {
      const at = where % Math.max(1, items.length);
      const item = items.get(at);
      if (kind === 12 && item !== undefined) items.delete(at, 1);
      else if (kind === 13 || item === undefined) items.insertContainer(at, new LoroMap()).set("label", label);
      else if (kind === 14) items.move(at, other % items.length);
      else if (item instanceof LoroMap) item.set("label", label);
    } else if (node === undefined || kind <= 1) {
      tree.createNode(kind === 0 ? undefined : node?.id, 0).data.set("label", label);
    } else if (kind === 2) tree.delete(node.id);
    else if (kind === 4) node.data.set("label", label);
    else if (kind === 5) node.data.ensureMergeableText("notes").insert(0, label);
    else if (kind === 6) node.data.ensureMergeableList("tags").insert(0, label);
    else if (kind === 7) node.data.ensureMergeableText("notes").update("");
    else if (kind === 8) node.move(undefined, 0);
    else {
      const below = nodes[other % nodes.length];
      for (let above = below; above !== undefined; above = above.parent()) if (above.id === node.id) return;
      node.move(below, 0);
    }
  };

/** Two others, and a device whose edits wait from one step on. */
const threePeople = (steps: ReadonlyArray<Step>, begin: number) => {
  const [device, server, third] = [replica("1"), replica("2"), replica("3")];
  const waiting: Array<Uint8Array> = [];
  const meet = (): void => {
    receive(server, third);
    receive(third, server);
  };
  for (const [index, step] of steps.entries()) {
    const [who] = step;
    if (who >= 3) meet();
    if (who === 3) receive(device, server);
    const writer = [device, server, third][who];
    if (writer === undefined) continue;
    const update = write(writer, editBy(step, `e${index}`));
    if (who > 0) continue;
    if (index >= begin) waiting.push(update);
    else server.import(update);
  }
  meet();
  return { server, waiting };
};

/** Where siblings stand among each other depends on the operations. */
const contentOf = (doc: LoroDoc): string => canonicalContent(doc).replaceAll(/"position":"[0-9A-F]+"/gu, "");

/** Of a move and a removal at the same time, and moves out of what others removed, Loro says more than there is, and other things. */
const FOUND: Array<[Array<Step>, number]> = [
  [
    [
      [1, 9, 14, 2],
      [2, 32, 18, 10],
      [3, 32, 11, 0],
      [2, 40, 3, 20],
      [4, 1, 1, 12],
      [0, 18, 11, 14],
    ],
    2,
  ],
];

describe("edits of trees that are applied again", () => {
  it("come to what merging them comes to where nothing is given up", () => {
    const steps = fc.array(fc.tuple(fc.nat(4), fc.nat(63), fc.nat(20), fc.nat(20)), { minLength: 4, maxLength: 40 });
    fc.assert(
      fc.property(steps, fc.nat(20), (made, begin) => {
        const { server, waiting } = threePeople(made, begin);
        const { doc, notReapplied } = again(server, [], waiting);
        const merged = replica("97", server);
        for (const update of waiting) merged.import(update);
        expect(contentOf(doc)).toBe(contentOf(merged));
        expect(notReapplied).toEqual([]);
      }),
      { numRuns: 200, seed: 7, examples: FOUND },
    );
  });

  it("are there once in a node that was within a removed one by a given-up edit alone", () => {
    const server = replica("1");
    const tree = server.getTree("outline");
    const [below, node] = [tree.createNode(), tree.createNode()];
    node.data.set("label", "node");
    node.data.ensureMergeableText("notes").insert(0, "notes");
    server.commit();
    const device = replica("2", server);
    const own = device.getTree("outline");
    const parked = write(device, () => own.move(node.id, below.id));
    const later = write(device, () => {
      own.move(node.id, undefined, 0);
      own.getNodeByID(node.id)?.data.ensureMergeableText("notes").insert(5, " and more");
    });
    tree.delete(below.id);
    server.commit();
    const { doc, notReapplied } = again(server, [parked], [later]);
    expect(doc.getTree("outline").toJSON()).toMatchObject([
      { id: node.id, meta: { label: "node", notes: "notes and more" } },
    ]);
    expect(notReapplied).toEqual([]);
  });
});

/** What a tree shows: labels, and what is below. */
interface Shown {
  readonly meta: Readonly<Record<string, unknown>>;
  readonly children: ReadonlyArray<Shown>;
}

describe("trees within what others removed and these edits bring back", () => {
  const kids: ReadonlyArray<Partial<Shown>> = [
    { meta: { label: "kid" }, children: [{ meta: { label: "below" }, children: [] }] },
  ];
  const fill = (tree: LoroTree): void => {
    const kid = tree.createNode();
    kid.data.set("label", "kid");
    kid.createNode().data.set("label", "below");
  };

  it.each([
    ["a node", (holder: LoroMap) => holder.setContainer("kids", new LoroTree())],
    ["a node, as a field's", (holder: LoroMap) => holder.ensureMergeableTree("kids")],
  ])("come with all that is in them: in %s", (_, nested) => {
    const server = replica("1");
    const tree = server.getTree("outline");
    const [holder, other] = [tree.createNode(), tree.createNode()];
    fill(nested(holder.data));
    server.commit();
    const device = replica("2", server);
    // The later one of a move and a removal counts.
    const parked = write(device, (doc) => doc.getText("body").insert(0, "many operations".repeat(3)));
    const later = write(device, (doc) => {
      doc.getTree("outline").move(holder.id, other.id);
      const made = doc.getTree("outline").createNode(undefined, 0);
      // What is said of a node more than once is taken from both versions.
      for (const to of [other.id, undefined, other.id, undefined]) doc.getTree("outline").move(made.id, to, 0);
    });
    tree.delete(holder.id);
    server.commit();
    const { doc, notReapplied } = again(server, [parked], [later]);
    const shown: unknown = doc.toJSON();
    expect(shown).toMatchObject({ outline: [{}, { children: [{ meta: { kids } }] }] });
    expect(notReapplied).toEqual([]);
  });

  it.each<PeerID>(["6", "1"])(
    "come with all that is in them: on a copy that has received the removal, under %s",
    (peer) => {
      const server = replica("1");
      const tree = server.getTree("outline");
      const [holder, other] = [tree.createNode(), tree.createNode()];
      fill(holder.data.setContainer("kids", new LoroTree()));
      server.commit();
      const copy = replica("2", server);
      const update = write(copy, (doc) => {
        doc.getText("body").insert(0, "many operations".repeat(3));
        doc.getTree("outline").move(holder.id, other.id);
      });
      tree.delete(holder.id);
      server.commit();
      receive(copy, server);
      const to = replica(peer, server);
      expect(applyUnsaved(copy, [update], to, undefined, isIn(replica("7", server)))).toEqual([]);
      to.commit();
      expect(to.toJSON()).toMatchObject({ outline: [{ children: [{ meta: { kids } }] }] });
    },
  );

  it("have no place for what is moved in them where others removed what they are in", () => {
    const server = replica("1");
    const holder = server.getTree("outline").createNode();
    const nested = holder.data.setContainer("kids", new LoroTree());
    fill(nested);
    server.commit();
    const device = replica("2", server);
    const update = write(device, (doc) => {
      const tree = doc.getContainerById(nested.id);
      if (tree instanceof LoroTree) tree.roots()[0]?.children()?.[0]?.move(undefined, 0);
    });
    server.getTree("outline").delete(holder.id);
    server.commit();
    expect(applyUnsaved(device, [update], replica("6", server), undefined)).toHaveLength(1);
  });

  it("come with all that is in them: in an item", () => {
    const server = replica("1");
    const items = server.getMovableList("items");
    const holder = items.insertContainer(0, new LoroMap());
    items.insertContainer(1, new LoroMap());
    fill(holder.setContainer("kids", new LoroTree()));
    server.commit();
    const device = replica("2", server);
    const parked = write(device, (doc) => doc.getText("body").insert(0, "x"));
    const later = write(device, moveItem(0, 1));
    items.delete(0, 1);
    server.commit();
    const { doc, notReapplied } = again(server, [parked], [later]);
    expect(itemsOf(doc)).toMatchObject([{}, { kids }]);
    expect(notReapplied).toEqual([]);
  });
});

const isMap = (item: unknown): item is LoroMap => item instanceof LoroMap;
const putText = (item: LoroMap, written: string): void => {
  const text: LoroText = item.setContainer("text", new LoroText());
  text.insert(0, written);
};

describe("edits of which one has no place", () => {
  const addWithText =
    (label: string): Edit =>
    (doc) => {
      const item = doc.getMovableList("items").insertContainer(0, new LoroMap());
      putText(item, label);
    };

  it("leave the others whole: beside a given-up item", () => {
    const server = replica("1");
    const device = replica("2", server);
    const parked = write(device, (doc) => doc.getMovableList("items").insertContainer(0, new LoroMap()));
    const later = write(device, (doc) => {
      const given = doc.getMovableList("items").get(0);
      if (isMap(given)) putText(given, "in the given-up one");
      addWithText("new")(doc);
      doc.getMovableList("items").move(1, 0);
    });
    const { doc, notReapplied } = again(server, [parked], [later]);
    expect(itemsOf(doc)).toEqual([{ text: "new" }]);
    expect(notReapplied).toEqual(["items.0", "items.0.text"]);
  });

  it("leave the others whole: beside a list that is given up", () => {
    const server = replica("1");
    const { data } = server.getTree("outline").createNode();
    server.commit();
    const device = replica("2", server);
    const list = (doc: LoroDoc): LoroMovableList | undefined => {
      const found = doc.getContainerById(data.id);
      return found instanceof LoroMap ? found.ensureMergeableMovableList("list") : undefined;
    };
    const parked = write(device, (doc) => list(doc)?.insertContainer(0, new LoroMap()));
    const later = write(device, (doc) => {
      list(doc)?.delete(0, 1);
      list(doc)?.insertContainer(0, new LoroMap()).set("label", "new");
      doc.getTree("outline").createNode().data.set("label", "beside it");
    });
    const { doc, notReapplied } = again(server, [parked], [later]);
    const shown = doc.getTree("outline").roots();
    expect(shown.map((node): unknown => node.data.toJSON())).toEqual([{}, { label: "beside it" }]);
    expect(notReapplied).toHaveLength(2);
  });
});

const addItem =
  (label: string, at?: number): Edit =>
  (doc) => {
    for (const list of [doc.getMovableList("items"), doc.getList("plain")])
      list.insertContainer(at ?? list.length, new LoroMap()).set("label", label);
  };
const moveItem =
  (from: number, to: number): Edit =>
  (doc) =>
    doc.getMovableList("items").move(from, to);
const setIn =
  (at: number, key: string): Edit =>
  (doc) => {
    for (const item of [doc.getMovableList("items").get(at), doc.getList("plain").get(at)])
      if (item instanceof LoroMap) item.set(key, true);
  };
const removeItem =
  (at: number): Edit =>
  (doc) => {
    doc.getMovableList("items").delete(at, 1);
    doc.getList("plain").delete(at, 1);
  };
const both =
  (...edits: ReadonlyArray<Edit>): Edit =>
  (doc) => {
    for (const edit of edits) edit(doc);
  };
const itemsOf = (doc: LoroDoc): unknown => doc.getMovableList("items").toJSON();
const plainOf = (doc: LoroDoc): unknown => doc.getList("plain").toJSON();
const [a, b, c] = [{ label: "a" }, { label: "b" }, { label: "c" }];
const threeItems = (peer: PeerID): LoroDoc => {
  const doc = replica(peer);
  for (const label of ["a", "b", "c"]) addItem(label)(doc);
  doc.commit();
  return doc;
};

describe("edits of lists behind given-up ones", () => {
  const story = (given: Edit, ...edits: ReadonlyArray<Edit>) => {
    const server = threeItems("1");
    const device = replica("2", server);
    const parked = write(device, given);
    return again(
      server,
      [parked],
      edits.map((edit) => write(device, edit)),
    );
  };

  it("that move what these made say that it is lost, and leave nothing empty", () => {
    const { doc, notReapplied } = story(addItem("x", 0), both(moveItem(0, 2), setIn(2, "mine")), addItem("new"));
    expect(itemsOf(doc)).toEqual([a, b, c, { label: "new" }]);
    expect(notReapplied).toContain("items.2");
  });

  it("move and remove what these have moved", () => {
    expect(itemsOf(story(moveItem(0, 2), moveItem(2, 1)).doc)).toEqual([b, a, c]);
    expect(itemsOf(story(moveItem(0, 2), removeItem(2)).doc)).toEqual([b, c]);
  });

  it("do so with items that are no containers, of which one is as good as another one of its value", () => {
    const values = (given: (list: LoroMovableList) => void, then: (list: LoroMovableList) => void) => {
      const server = replica("1");
      for (const value of ["c", "b", "a"]) server.getMovableList("values").insert(0, value);
      server.commit();
      const device = replica("2", server);
      const parked = write(device, (doc) => given(doc.getMovableList("values")));
      const later = write(device, (doc) => then(doc.getMovableList("values")));
      const { doc, notReapplied } = again(server, [parked], [later]);
      const shown: unknown = doc.getMovableList("values").toJSON();
      return [shown, notReapplied];
    };
    const moved = (list: LoroMovableList): void => list.move(0, 2);
    expect(values(moved, (list) => list.move(2, 1))).toEqual([["b", "a", "c"], []]);
    expect(values(moved, (list) => list.delete(2, 1))).toEqual([["b", "c"], []]);
    expect(values((list) => list.insert(0, "refused"), moved)).toEqual([["a", "b", "c"], ["values"]]);
    expect(
      values(
        (list) => list.insert(0, "a"),
        (list) => list.insert(2, "a"),
      ),
    ).toEqual([["a", "a", "b", "c"], []]);
  });
});

describe("edits of lists on a copy, in a document with more", () => {
  /** The items as the log has them: from the same operations, or made anew. */
  const story = (log: "same" | "anew", theirs: Edit, edit: Edit) => {
    const from = threeItems("1");
    const to = log === "same" ? replica("3", from) : threeItems("3");
    write(to, theirs);
    const known = log === "same" ? replica("4", from) : replica("4");
    const update = write(from, edit);
    const lost = applyUnsaved(from, [update], to, undefined, isIn(known));
    to.commit();
    return { to, lost };
  };

  it("move and remove what others changed", () => {
    const moved = story("same", setIn(0, "theirs"), moveItem(0, 2));
    expect(itemsOf(moved.to)).toEqual([b, c, { label: "a", theirs: true }]);
    expect(moved.lost).toEqual([]);
    const removed = story("same", setIn(0, "theirs"), removeItem(0));
    expect([itemsOf(removed.to), plainOf(removed.to)]).toEqual([
      [b, c],
      [b, c],
    ]);
  });

  it("move and remove what others moved", () => {
    expect(itemsOf(story("same", moveItem(0, 2), moveItem(0, 1)).to)).toEqual([b, a, c]);
    expect(itemsOf(story("same", moveItem(2, 0), removeItem(2)).to)).toEqual([a, b]);
  });

  it("move what was made anew, and say so where it is another one by now", () => {
    const moved = story("anew", addItem("d"), moveItem(0, 2));
    expect(itemsOf(moved.to)).toEqual([b, c, a, { label: "d" }]);
    expect(moved.lost).toEqual([]);
    const changed = story("anew", setIn(0, "theirs"), moveItem(0, 2));
    expect(itemsOf(changed.to)).toEqual([{ label: "a", theirs: true }, b, c]);
    expect(changed.lost).toEqual(["items.2"]);
  });

  it("hazard L4: say so where what they move has a name there that they give to another one", () => {
    // Under one peer, two copies wrote different things: the next item here has the name of the first one there.
    const [from, to] = [replica("1"), replica("1")];
    const item = (doc: LoroDoc): LoroMap =>
      doc.getMovableList("items").insertContainer(doc.getMovableList("items").length, new LoroMap());
    write(from, (doc) => item(doc).set("label", "a"));
    let name = "";
    const update = write(from, (doc) => {
      name = item(doc).id;
      doc.getMovableList("items").move(0, 1);
    });
    write(to, (doc) => doc.getList("line").insert(0, 1));
    write(to, (doc) => doc.getList("line").insert(0, 1));
    write(to, (doc) => item(doc).set("label", "a"));
    expect(to.getMovableList("items").toArray()).toMatchObject([{ id: name }]);
    write(to, (doc) => item(doc).set("label", "d"));
    const target = replica("3", to);
    const lost = applyUnsaved(replica("4", from), [update], target, undefined, () => false);
    expect(lost).toEqual(["items.1"]);
  });
});
