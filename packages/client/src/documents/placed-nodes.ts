/** Nodes of a tree on their way into another state of it, which may lack the nodes that they go below. */
import { operationOf } from "@cairn/schema";
import type { ContainerID, LoroDoc, TreeDiffItem, TreeID } from "loro-crdt";
import { type NodeStanding, standingOf } from "./node-standing.ts";

/** The state of a tree that nodes are placed in. */
export interface TargetTree {
  readonly standingOf: (node: TreeID) => NodeStanding;
  readonly parentOf: (node: TreeID) => TreeID | undefined;
}

export interface PlacedNodes {
  /** What can be done, in an order in which it can. */
  readonly possible: Array<TreeDiffItem>;
  /** Nodes that do not stand where they are to. */
  readonly lost: ReadonlySet<TreeID>;
}

/**
 * Leaves out what has no place. A new node that went below one which the target has never heard of, since the edit that made that one is
 * given up, stays where it was made; below a removed one it goes with it, as others see it who merge.
 *
 * @param from the document that the changes are from
 */
export const placeNodes = (
  items: ReadonlyArray<TreeDiffItem>,
  from: LoroDoc,
  tree: ContainerID,
  target: TargetTree,
): PlacedNodes => {
  const possible: Array<TreeDiffItem> = [];
  const lost = new Set<TreeID>();
  const made = new Set<TreeID>();
  /** Where these changes put nodes. */
  const parents = new Map<TreeID, TreeID | undefined>();
  /** New ones below removed ones. */
  const removed = new Set<TreeID>();
  const isThere = (node: TreeID): boolean => made.has(node) || target.standingOf(node) === "alive";
  const isRemoved = (node: TreeID): boolean => removed.has(node) || target.standingOf(node) === "deleted";
  const parentOf = (node: TreeID): TreeID | undefined =>
    parents.has(node) ? parents.get(node) : target.parentOf(node);
  /** What is above it was put below it by somebody else: Loro refuses the move, and everything with it. */
  const isCyclic = (node: TreeID, parent: TreeID): boolean => {
    for (let above: TreeID | undefined = parent; above !== undefined; above = parentOf(above))
      if (above === node) return true;
    return false;
  };
  const place = (item: TreeDiffItem): boolean => {
    const parent = parentIn(item);
    if (parent !== undefined && (!isThere(parent) || isCyclic(item.target, parent))) return false;
    if (item.action !== "create" && !isThere(item.target)) return false;
    if (item.action === "create") made.add(item.target);
    if (item.action !== "delete") parents.set(item.target, parent);
    possible.push(item);
    return true;
  };
  const isMisplaced = (item: TreeDiffItem): item is Created => item.action === "create" && lost.has(item.target);
  let waiting = items;
  while (waiting.length > 0) {
    const coming = new Set(waiting.flatMap(({ action, target: node }) => (action === "create" ? [node] : [])));
    const isComing = (node: TreeID | undefined): boolean => node !== undefined && coming.has(node) && !made.has(node);
    const left = waiting.flatMap((item): ReadonlyArray<TreeDiffItem> => {
      if (place(item)) return [];
      const parent = parentIn(item);
      if (isComing(parent)) return [item];
      // That a node is gone already is no loss.
      if (item.action !== "delete") lost.add(item.target);
      if (item.action !== "create" || parent === undefined) return [];
      if (isRemoved(parent)) removed.add(item.target);
      const first = isRemoved(parent) ? undefined : whereMade(from, tree, item);
      return first === undefined || place(first) || !isComing(parentIn(first)) ? [] : [first];
    });
    const isStuck = left.length === waiting.length && left.every((item, index) => item === waiting[index]);
    // What a node was made in went below it before it went into the given-up one: it becomes a root.
    const circled = isStuck ? left.find(isMisplaced) : undefined;
    if (isStuck && circled === undefined) break;
    if (circled !== undefined) place({ ...circled, parent: undefined });
    waiting = left.filter((item) => item !== circled);
  }
  // No difference has a circle of its own.
  for (const item of waiting) lost.add(item.target);
  return { possible, lost };
};

type Created = Extract<TreeDiffItem, { readonly action: "create" }>;

const parentIn = (item: TreeDiffItem): TreeID | undefined => (item.action === "delete" ? undefined : item.parent);

/** As the operation that made a node says, or a root where that is gone; nothing where the change says the same. */
const whereMade = (from: LoroDoc, tree: ContainerID, item: Created): TreeDiffItem | undefined => {
  const { peer, counter } = operationOf(item.target);
  const made = from
    .exportJsonInIdSpan({ peer, counter, length: 1 })
    .flatMap(({ ops }) => ops)
    .flatMap(({ content }) => (content.type === "create" && content.target === item.target ? [content] : []))[0];
  if (made === undefined) return undefined;
  const isGone = made.parent !== undefined && standingOf(from, tree, made.parent) === "deleted";
  const parent = isGone ? undefined : (made.parent ?? undefined);
  return parent === item.parent ? undefined : { ...item, parent, fractionalIndex: made.fractional_index };
};
