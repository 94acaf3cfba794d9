/** Nodes find their places in another state of their tree, in whatever order a difference says them. */
import { jsonDifference } from "@cairn/schema";
import fc from "fast-check";
import { LoroDoc, type LoroTreeNode, type TreeDiffItem, type TreeID } from "loro-crdt";
import { describe, expect, it } from "vitest";
import { standingOf } from "../src/documents/node-standing.ts";
import { placeNodes } from "../src/documents/placed-nodes.ts";

const TREE = "cid:root-outline:Tree";

/** The log's tree, and one that has a given-up node, too; what was done behind that one is to be placed in the log's. */
const story = () => {
  const log = new LoroDoc();
  log.setPeerId("1");
  const root = log.getTree("outline").createNode();
  const child = root.createNode();
  const removed = log.getTree("outline").createNode();
  const inRemoved = removed.createNode();
  log.commit();
  const from = log.fork();
  from.setPeerId("2");
  const tree = from.getTree("outline");
  const refused = tree.createNode();
  from.commit();
  const before = from.frontiers();
  const at = (id: TreeID): LoroTreeNode => {
    const node = tree.getNodeByID(id);
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  };
  const [first, second] = [tree.createNode(), tree.createNode()];
  const [inFirst, inRefused] = [first.createNode(), refused.createNode()];
  const deep = inFirst.createNode();
  // What it was made in comes after what it was moved to.
  const inDeep = deep.createNode();
  inDeep.move(refused);
  second.move(refused);
  inFirst.move(second);
  at(root.id).move(deep);
  // Made where it cannot stay, and put below that again.
  inRefused.createNode();
  at(child.id).move(at(removed.id));
  at(child.id).move(first);
  at(inRemoved.id).move(first);
  tree.delete(removed.id);
  // What one of two was made in went below it, before it went into the given-up one.
  const outer = tree.createNode();
  const inner = outer.createNode();
  inner.move(refused);
  outer.move(inner);
  from.commit();
  const items = jsonDifference(from, before, from.frontiers()).flatMap(([, diff]) =>
    diff.type === "tree" ? diff.diff : [],
  );
  return {
    log,
    from,
    items,
    ids: { root, child, first, second, inFirst, inRefused, deep, inDeep, inRemoved, outer, inner },
  };
};

/** What stands below what, and what was lost; Loro takes it. */
const place = (log: LoroDoc, from: LoroDoc, items: ReadonlyArray<TreeDiffItem>) => {
  const tree = log.getTree("outline");
  const { possible, lost } = placeNodes(items, from, TREE, {
    standingOf: (node) => standingOf(log, TREE, node),
    parentOf: (node) => tree.getNodeByID(node)?.parent()?.id,
  });
  const parents = new Map(tree.nodes().map((node): [TreeID, TreeID | undefined] => [node.id, node.parent()?.id]));
  for (const item of possible) {
    if (item.action === "delete") parents.delete(item.target);
    else parents.set(item.target, item.parent);
  }
  const to = log.fork();
  to.setPeerId("3");
  to.applyDiff([[TREE, { type: "tree", diff: possible }]]);
  expect(
    to
      .getTree("outline")
      .nodes()
      .filter((node) => !node.isDeleted()),
  ).toHaveLength(parents.size);
  return { parents: Object.fromEntries(parents), lost: [...lost].toSorted() };
};

describe("nodes that are placed in another state of a tree", () => {
  it("stay where they were made without the given-up node that they went below", () => {
    const { log, from, items, ids } = story();
    const { root, child, first, second, inFirst, inRefused, deep, inDeep, inRemoved, outer, inner } = ids;
    const { parents, lost } = place(log, from, items);
    expect(parents).toEqual({
      [first.id]: undefined,
      [child.id]: first.id,
      [second.id]: undefined,
      [inFirst.id]: second.id,
      [deep.id]: inFirst.id,
      [root.id]: deep.id,
      [inDeep.id]: deep.id,
      [inRemoved.id]: first.id,
      [inner.id]: undefined,
      [outer.id]: inner.id,
    });
    expect(lost).toEqual(expect.arrayContaining([second.id, inDeep.id, inRefused.id, inner.id]));
    expect(lost).toHaveLength(5);
  });

  it("find the same places in every order", () => {
    const { log, from, items } = story();
    const expected = place(log, from, items);
    fc.assert(
      fc.property(fc.shuffledSubarray(items, { minLength: items.length }), (shuffled) => {
        expect(place(log, from, shuffled)).toEqual(expected);
      }),
    );
  });
});
