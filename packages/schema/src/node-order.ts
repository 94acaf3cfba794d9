/** An order of a tree's nodes that is the same in documents that say the same, whatever operations made the nodes. */
import type { LoroTree, LoroTreeNode } from "loro-crdt";
import { isPlainObject } from "./json.ts";

/** All nodes, each before those below it, and siblings in their order. */
export const nodesInOrder = (tree: LoroTree): ReadonlyArray<LoroTreeNode> => {
  const found: Array<LoroTreeNode> = [];
  const waiting = inOrder(tree.roots()).toReversed();
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    found.push(next);
    for (const below of inOrder(next.children() ?? []).toReversed()) waiting.push(below);
  }
  return found;
};

/**
 * Loro orders siblings by their fractional indexes, and where several were put at one place at the same time by the operations
 * that did so: these by what they say.
 */
const inOrder = (siblings: ReadonlyArray<LoroTreeNode>): ReadonlyArray<LoroTreeNode> => {
  const placed = siblings.map((node) => ({ node, index: node.fractionalIndex() ?? "" }));
  if (placed.every(({ index }, at) => index !== placed[at - 1]?.index)) return siblings;
  return placed
    .map(({ node, index }) => ({ node, index, said: JSON.stringify(node.data.toJSON(), sortedKeys) }))
    .toSorted((left, right) => compare(left.index, right.index) || compare(left.said, right.said))
    .map(({ node }) => node);
};

/** Also of what canonical JSON refuses. */
const sortedKeys = (_: string, value: unknown): unknown =>
  isPlainObject(value) ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => compare(a, b))) : value;

const compare = (left: string, right: string): number => (left === right ? 0 : left < right ? -1 : 1);
