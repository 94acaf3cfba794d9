/**
 * Changes of trees on their way into another state of the document, which may lack nodes: those that were made by edits
 * that are given up, or that somebody deleted meanwhile. Loro refuses all of a difference where one node is missing.
 */
import { type Change, isTreeId, madeAbove } from "@cairn/schema";
import { type ContainerID, type JsonDiff, type LoroDoc, LoroTree, type TreeID } from "loro-crdt";

/** What was changed in one container. */
export type ContainerDiff = Change<JsonDiff>;

export interface TreeChanges {
  /** Changes of nodes that are there, or are made by these changes. */
  readonly possible: ReadonlyArray<ContainerDiff>;
  /** Containers whose changes have no place. */
  readonly lost: ReadonlyArray<ContainerID>;
}

/**
 * Whether the operation of a name (`counter@peer`) is the same one in both documents. Where copies of a store have written under the
 * same peers, one name may be two containers, or two nodes (hazard L4).
 */
export type IsShared = (operation: TreeID) => boolean;

const NODE_DATA = /^cid:(\d+@\d+):Map$/;

/** The node that a container is part of, where it is part of one: its data, or a mergeable child in it. */
const nodeOf = (id: ContainerID): TreeID | undefined => {
  const node = madeAbove(id) ?? NODE_DATA.exec(id)?.[1];
  return node !== undefined && isTreeId(node) ? node : undefined;
};

/** What a document has of a tree's node. */
export const standingOf = (doc: LoroDoc, tree: ContainerID, node: TreeID): "alive" | "deleted" | "unknown" => {
  const container = doc.getContainerById(tree);
  if (!(container instanceof LoroTree) || container.getNodeByID(node) === undefined) return "unknown";
  // A tree in a removed node, or in a removed item, still has its nodes.
  return container.isDeleted() || container.isNodeDeleted(node) ? "deleted" : "alive";
};

/** Leaves out what has no place in `target`. */
export const possibleTreeChanges = (
  changes: ReadonlyArray<ContainerDiff>,
  from: LoroDoc,
  target: LoroDoc,
  isShared: IsShared,
): TreeChanges => {
  const made = new Set<string>();
  const lost: Array<ContainerID> = [];
  const isThere = (tree: ContainerID, node: TreeID): boolean =>
    made.has(node) || (isShared(node) && standingOf(target, tree, node) === "alive");
  /** Where these changes put nodes. */
  const parents = new Map<TreeID, TreeID | undefined>();
  const parentOf = (tree: ContainerID, node: TreeID): TreeID | undefined => {
    if (parents.has(node)) return parents.get(node);
    const container = target.getContainerById(tree);
    return container instanceof LoroTree ? container.getNodeByID(node)?.parent()?.id : undefined;
  };
  /** What is above it was put below it by somebody else: Loro refuses the move, and everything with it. */
  const isCyclic = (tree: ContainerID, node: TreeID, parent: TreeID | undefined): boolean => {
    for (let above = parent; above !== undefined; above = parentOf(tree, above)) if (above === node) return true;
    return false;
  };
  // A tree's own changes come before those of its nodes.
  const possible = changes.flatMap(([id, diff]): ReadonlyArray<ContainerDiff> => {
    if (diff.type === "tree") {
      const kept = diff.diff.filter((item) => {
        const parent = "parent" in item ? item.parent : undefined;
        const hasPlace = (parent === undefined || isThere(id, parent)) && !isCyclic(id, item.target, parent);
        if (item.action === "create" && hasPlace) made.add(item.target);
        if (item.action === "create" ? hasPlace : hasPlace && isThere(id, item.target)) {
          if (item.action !== "delete") parents.set(item.target, parent);
          return true;
        }
        // That a node is gone already is no loss, nor is what was done to one that these changes take away.
        const isGone = item.action === "delete" || standingOf(from, id, item.target) === "deleted";
        if (!isGone) lost.push(`cid:${item.target}:Map`);
        return false;
      });
      return kept.length === 0 ? [] : [[id, { ...diff, diff: kept }]];
    }
    const node = nodeOf(id);
    const tree = node === undefined ? undefined : from.getContainerById(`cid:${node}:Map`)?.parent();
    // What is in no tree is not to be judged here.
    if (node === undefined || !(tree instanceof LoroTree) || isThere(tree.id, node)) return [[id, diff]];
    const isGone = standingOf(from, tree.id, node) === "deleted";
    if (!isGone && !lost.includes(`cid:${node}:Map`)) lost.push(`cid:${node}:Map`);
    return [];
  });
  return { possible, lost };
};
