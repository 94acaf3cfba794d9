/**
 * Changes of trees on their way into another state of the document, which may lack nodes: those that were made by edits
 * that are given up, or that somebody deleted meanwhile. Loro refuses all of a difference where one node is missing.
 */
import { type Change, isTreeId, madeAbove } from "@cairn/schema";
import { type ContainerID, type JsonDiff, type LoroDoc, LoroTree, type TreeID } from "loro-crdt";
import { type NodeStanding, standingOf } from "./node-standing.ts";
import { placeNodes } from "./placed-nodes.ts";

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

/** Leaves out what has no place in `target`. */
export const possibleTreeChanges = (
  changes: ReadonlyArray<ContainerDiff>,
  from: LoroDoc,
  target: LoroDoc,
  isShared: IsShared,
): TreeChanges => {
  const made = new Set<string>();
  const lost: Array<ContainerID> = [];
  const standingIn = (tree: ContainerID, node: TreeID): NodeStanding =>
    isShared(node) ? standingOf(target, tree, node) : "unknown";
  const parentOf = (tree: ContainerID, node: TreeID): TreeID | undefined => {
    const container = target.getContainerById(tree);
    return container instanceof LoroTree ? container.getNodeByID(node)?.parent()?.id : undefined;
  };
  // A tree's own changes come before those of its nodes.
  const possible = changes.flatMap(([id, diff]): ReadonlyArray<ContainerDiff> => {
    if (diff.type === "tree") {
      const placed = placeNodes(diff.diff, from, id, {
        standingOf: (node) => standingIn(id, node),
        parentOf: (node) => parentOf(id, node),
      });
      for (const { action, target: node } of placed.possible) if (action === "create") made.add(node);
      // What was done to a node that these changes take away is no loss.
      for (const node of placed.lost) if (standingOf(from, id, node) !== "deleted") lost.push(`cid:${node}:Map`);
      return placed.possible.length === 0 ? [] : [[id, { ...diff, diff: placed.possible }]];
    }
    const node = nodeOf(id);
    const tree = node === undefined ? undefined : from.getContainerById(`cid:${node}:Map`)?.parent();
    // What is in no tree is not to be judged here.
    if (node === undefined || !(tree instanceof LoroTree)) return [[id, diff]];
    if (made.has(node) || standingIn(tree.id, node) === "alive") return [[id, diff]];
    const isGone = standingOf(from, tree.id, node) === "deleted";
    if (!isGone && !lost.includes(`cid:${node}:Map`)) lost.push(`cid:${node}:Map`);
    return [];
  });
  return { possible, lost };
};
