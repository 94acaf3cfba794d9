/** What leads from one version of a document with trees to another one. */
import { canonicalContent, difference, jsonDifference, nodesInOrder } from "@cairn/schema";
import fc from "fast-check";
import { LoroDoc, type LoroTreeNode, type OpId, type PeerID } from "loro-crdt";
import { describe, expect, it } from "vitest";

const replica = (peer: PeerID): LoroDoc => {
  const doc = new LoroDoc();
  doc.setPeerId(peer);
  doc.getTree("outline").enableFractionalIndex(0);
  return doc;
};

const exchange = (one: LoroDoc, other: LoroDoc): void => {
  one.import(other.export({ mode: "update", from: one.oplogVersion() }));
  other.import(one.export({ mode: "update", from: other.oplogVersion() }));
};

/** Node ids, with what is in each. */
const nodesOf = (doc: LoroDoc): ReadonlyMap<string, LoroTreeNode> =>
  new Map(nodesInOrder(doc.getTree("outline")).map((node) => [node.id, node]));

/** A document where another one stood, under a peer of its own. */
const standingAt = (doc: LoroDoc, version: OpId[]): LoroDoc => {
  const fork = doc.forkAt(version);
  fork.setPeerId("99");
  return fork;
};

/** An edit that anybody can make; the numbers choose what, and where. */
type Edit = readonly [who: 0 | 1 | 2, what: number, where: number];

const edit = (doc: LoroDoc, [, what, where]: Edit, label: string): void => {
  const tree = doc.getTree("outline");
  const nodes = nodesInOrder(tree);
  const node = nodes[where % Math.max(1, nodes.length)];
  const kind = what % 8;
  if (node === undefined || kind <= 1) tree.createNode(kind === 0 ? undefined : node?.id, 0).data.set("label", label);
  else if (kind === 2) tree.delete(node.id);
  else if (kind === 3) {
    const below = nodes[what % nodes.length];
    for (let above = below; above !== undefined; above = above.parent()) if (above.id === node.id) return;
    node.move(below, 0);
  } else if (kind === 4) node.data.set("label", label);
  else if (kind === 5) node.data.ensureMergeableText("notes").insert(0, label);
  else if (kind === 6) node.data.ensureMergeableList("tags").insert(0, label);
  else node.data.ensureMergeableText("notes").update("");
  doc.commit();
};

describe("a difference between versions of trees", () => {
  it("keeps nodes that are in both, where Loro says that they go and come back", () => {
    const [one, other] = [replica("1"), replica("2")];
    one.getTree("outline").createNode().data.set("label", "base");
    one.commit();
    exchange(one, other);
    one.getText("x").insert(0, "some operations, so that this is the later one");
    one.getTree("outline").createNode(undefined, 0).data.set("label", "known");
    one.commit();
    other.getTree("outline").createNode(undefined, 0).data.set("label", "new");
    other.commit();
    const before = one.frontiers();
    exchange(one, other);
    const known = standingAt(one, before);
    known.applyDiff(one.diff(before, one.frontiers()));
    // Once this fails, Loro says it itself.
    expect([...nodesOf(known).keys()]).not.toEqual(
      expect.arrayContaining([...nodesOf(standingAt(one, before)).keys()]),
    );
    for (const changes of [jsonDifference(one, before, one.frontiers()), difference(one, before, one.frontiers())]) {
      const to = standingAt(one, before);
      const kept = [...nodesOf(to).keys()];
      to.applyDiff(changes);
      expect([...nodesOf(to).keys()]).toEqual(expect.arrayContaining(kept));
      expect(canonicalContent(to)).toBe(canonicalContent(one));
    }
  });

  it("property: leads there, and keeps every node that is in both", () => {
    const edits = fc.array(fc.tuple(fc.constantFrom<0 | 1 | 2>(0, 1, 2), fc.nat({ max: 63 }), fc.nat({ max: 20 })), {
      minLength: 4,
      maxLength: 30,
    });
    let comingBack = 0;
    fc.assert(
      fc.property(edits, fc.nat(), fc.nat(), (made, first, second) => {
        const docs = [replica("1"), replica("2")] as const;
        const versions: Array<OpId[]> = [];
        for (const [index, one] of made.entries()) {
          if (one[0] === 2) exchange(docs[0], docs[1]);
          else edit(docs[one[0]], one, `e${index}`);
          versions.push(docs[one[0] === 1 ? 1 : 0].frontiers());
        }
        exchange(docs[0], docs[1]);
        const [all] = docs;
        const [from = [], to = []] = [versions[first % versions.length], versions[second % versions.length]];
        const [before, after] = [all.forkAt(from), all.forkAt(to)];
        const inBoth = [...nodesOf(before).keys()].filter((id) => nodesOf(after).has(id));
        for (const differenceOf of [jsonDifference, difference]) {
          const target = standingAt(all, from);
          const changes = differenceOf(all, from, to);
          if (JSON.stringify(changes.map(([id]) => id)) !== JSON.stringify(all.diff(from, to).map(([id]) => id)))
            comingBack += 1;
          target.applyDiff(changes);
          target.commit();
          expect(canonicalContent(target)).toBe(canonicalContent(after));
          for (const id of inBoth) expect(nodesOf(target).has(id)).toBe(true);
        }
      }),
      { numRuns: 300, seed: 7 },
    );
    expect(comingBack).toBeGreaterThan(10);
  });
});
