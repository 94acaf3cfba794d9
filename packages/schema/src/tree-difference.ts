/**
 * What leads from one state of a tree to another one, by what stands in both. What Loro (1.17) says of it takes back operations and makes
 * them again where others wrote at the same time, and does not always end where it should.
 */
import type { LoroTree, LoroTreeNode, TreeDiffItem, TreeID } from "loro-crdt";

/** Where a node stands. */
interface Standing {
  readonly parent: TreeID | undefined;
  /** Among its siblings. */
  readonly index: number;
  readonly fractionalIndex: string;
}

/**
 * Each node once: those that are new or stand elsewhere from the top down, so that no place depends on a later one and none closes a
 * circle; then those that are gone, from the bottom up. What went only with a node above it is not said.
 */
export const treeDifference = (before: LoroTree | undefined, after: LoroTree | undefined): Array<TreeDiffItem> => {
  const [was, is] = [standingsIn(before), standingsIn(after)];
  const placed = [...is].flatMap(([target, standing]): Array<TreeDiffItem> => {
    const old = was.get(target);
    if (old === undefined) return [{ target, action: "create", ...standing }];
    if (old.parent === standing.parent && old.fractionalIndex === standing.fractionalIndex) return [];
    return [{ target, action: "move", ...standing, oldParent: old.parent, oldIndex: old.index }];
  });
  const isWithAbove = (target: TreeID, { parent }: Standing): boolean =>
    parent !== undefined && !is.has(parent) && after?.getNodeByID(target)?.parent()?.id === parent;
  const gone = [...was].filter(([target, standing]) => !is.has(target) && !isWithAbove(target, standing));
  const taken = gone.toReversed().map(([target, { parent, index }]): TreeDiffItem => ({
    target,
    action: "delete",
    oldParent: parent,
    oldIndex: index,
  }));
  return [...placed, ...taken];
};

/** All nodes that are there, each before those below it. */
const standingsIn = (tree: LoroTree | undefined): ReadonlyMap<TreeID, Standing> => {
  const standings = new Map<TreeID, Standing>();
  const note = (siblings: ReadonlyArray<LoroTreeNode>, parent: TreeID | undefined): void => {
    for (const [index, node] of siblings.entries())
      standings.set(node.id, { parent, index, fractionalIndex: node.fractionalIndex() ?? "" });
    for (const node of siblings) note(node.children() ?? [], node.id);
  };
  if (tree !== undefined) note(tree.roots(), undefined);
  return standings;
};
