/**
 * Trees: nodes with fields of their own, in an order of siblings, that several people can move at once.
 *
 * Loro keeps every replica's tree a tree: of concurrent moves that together would close a circle, one has no effect. Where
 * a node stands among its siblings travels with the operation that put it there (a fractional index), so replicas agree
 * without being told anything. A node is named by Loro's id, or by a key of its own (`$key` in its data), by which two
 * devices can mean the same node, and which outlives a copy of the document.
 */
import type { LoroMap, LoroTree, LoroTreeNode, TreeID } from "loro-crdt";

import type { Fields } from "./field-kinds.ts";
import type { ViewOf } from "./view-of.ts";
import type { InvalidValue, Path, Report } from "./slots.ts";
import { isKey } from "./write-checks.ts";

/** The register of a node's data that holds its key. No physical name can begin with `$`. */
export const NODE_KEY = "$key";

/** Deeper nodes are not read: they are reported, and stay as they are. */
export const MAX_TREE_DEPTH = 128;

/** A node as it is read: its fields, and those below it in their order. */
export type TreeNode<Fs extends Fields = Fields> = ViewOf<Fs> & {
  /** Its key, or else Loro's id. No two nodes of a tree have the same. */
  readonly id: string;
  readonly children: ReadonlyArray<TreeNode<Fs>>;
};

/** Names that a node has beside its fields. */
export const NODE_NAMES: ReadonlyArray<string> = ["id", "children"];

/** A node and what stands below it. */
export interface Branch {
  readonly treeId: TreeID;
  readonly data: LoroMap;
  readonly parent: Branch | undefined;
  readonly children: ReadonlyArray<Branch>;
  /** Roots: 1. */
  readonly depth: number;
}

/** All nodes of a tree, at every depth. */
export interface Grove {
  readonly roots: ReadonlyArray<Branch>;
  readonly idOf: (branch: Branch) => string;
  readonly find: (id: string) => Branch | undefined;
  readonly byTreeId: (treeId: string) => Branch | undefined;
  /** Its place among its siblings. */
  readonly indexOf: (branch: Branch) => number;
  /** Nodes whose key is none, or another node's. */
  readonly misnamed: ReadonlyArray<Branch>;
}

const TREE_ID = /^(\d{1,10})@(\d{1,20})$/;

export const isTreeId = (text: string): text is TreeID => TREE_ID.test(text);

const compareTreeIds = (left: TreeID, right: TreeID): number => {
  const [, leftCounter = "0", leftPeer = "0"] = TREE_ID.exec(left) ?? [];
  const [, rightCounter = "0", rightPeer = "0"] = TREE_ID.exec(right) ?? [];
  if (leftCounter !== rightCounter) return Number(leftCounter) - Number(rightCounter);
  return BigInt(leftPeer) < BigInt(rightPeer) ? -1 : leftPeer === rightPeer ? 0 : 1;
};

interface Growing extends Branch {
  readonly children: Array<Growing>;
}

/** Walks a tree without recursion: how deep it is was decided by whoever wrote it. */
export const groveOf = (tree: LoroTree): Grove => {
  const roots: Array<Growing> = [];
  const all: Array<Growing> = [];
  const waiting: Array<{ readonly nodes: ReadonlyArray<LoroTreeNode>; readonly parent: Growing | undefined }> = [
    { nodes: tree.roots(), parent: undefined },
  ];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { nodes, parent } = next;
    for (const node of nodes) {
      const branch: Growing = {
        treeId: node.id,
        data: node.data,
        parent,
        children: [],
        depth: (parent?.depth ?? 0) + 1,
      };
      (parent?.children ?? roots).push(branch);
      all.push(branch);
      const below = node.children();
      if (below !== undefined && below.length > 0) waiting.push({ nodes: below, parent: branch });
    }
  }
  return named(roots, all);
};

/** A key belongs to the smallest of the nodes that claim it; what is another node's id by nature is nobody's key. */
const named = (roots: ReadonlyArray<Branch>, all: ReadonlyArray<Branch>): Grove => {
  const natural = new Map<string, Branch>(all.map((branch) => [branch.treeId, branch]));
  const byKey = new Map<string, Branch>();
  const keys = new Map<Branch, string>();
  const misnamed: Array<Branch> = [];
  const claims = all.flatMap((branch): ReadonlyArray<readonly [Branch, unknown]> => {
    const key: unknown = branch.data.get(NODE_KEY);
    return key === undefined ? [] : [[branch, key]];
  });
  claims.sort(([left], [right]) => compareTreeIds(left.treeId, right.treeId));
  for (const [branch, key] of claims) {
    if (isKey(key) && !natural.has(key) && !byKey.has(key)) {
      byKey.set(key, branch);
      keys.set(branch, key);
    } else if (key !== branch.treeId) misnamed.push(branch);
  }
  return {
    roots,
    idOf: (branch) => keys.get(branch) ?? branch.treeId,
    find: (id) => {
      const found = byKey.get(id) ?? natural.get(id);
      // A node with a key is not found by its other name: nobody reads it under that.
      return found === undefined || (keys.get(found) ?? found.treeId) !== id ? undefined : found;
    },
    byTreeId: (treeId) => natural.get(treeId),
    indexOf: (branch) => (branch.parent?.children ?? roots).indexOf(branch),
    misnamed,
  };
};

/** The view of a tree; `readNode` reads the fields of one node. */
export const readTree = (
  tree: LoroTree,
  path: Path,
  report: Report,
  readNode: (data: LoroMap, path: Path, report: Report) => object,
): ReadonlyArray<unknown> => {
  const grove = groveOf(tree);
  const misfit = (branch: Branch, ...rest: ReadonlyArray<string>): InvalidValue => ({
    path: [...path, grove.idOf(branch), ...rest],
    reason: "misfit",
  });
  const read = (branch: Branch): unknown => {
    const id = grove.idOf(branch);
    if (branch.depth === MAX_TREE_DEPTH) branch.children.forEach((below) => report(misfit(below)));
    return {
      id,
      ...readNode(branch.data, [...path, id], report),
      children: branch.depth < MAX_TREE_DEPTH ? branch.children.map(read) : [],
    };
  };
  grove.misnamed.forEach((branch) => report(misfit(branch, NODE_KEY)));
  return grove.roots.map(read);
};

/** The nodes that are read, each with its id. */
export const readableNodes = (tree: LoroTree): ReadonlyArray<readonly [string, LoroMap]> => {
  const { roots, idOf } = groveOf(tree);
  const below = (branch: Branch): ReadonlyArray<readonly [string, LoroMap]> => [
    [idOf(branch), branch.data],
    ...(branch.depth < MAX_TREE_DEPTH ? branch.children.flatMap(below) : []),
  ];
  return roots.flatMap(below);
};

/** A node of a tree as Loro knows it, whatever its type. */
export interface NodePlace {
  readonly treeId: TreeID;
  /** The id that it is read under. */
  readonly id: string;
  /** Its place among its siblings, from 0 on. */
  readonly index: number;
}

/** All nodes of a tree, at every depth, in no order: for copying a tree whose type is not known. */
export const nodePlaces = (tree: LoroTree): ReadonlyArray<NodePlace> => {
  const { roots, idOf } = groveOf(tree);
  const waiting: Array<ReadonlyArray<Branch>> = [roots];
  const places: Array<NodePlace> = [];
  for (let siblings = waiting.pop(); siblings !== undefined; siblings = waiting.pop()) {
    for (const [index, branch] of siblings.entries()) {
      places.push({ treeId: branch.treeId, id: idOf(branch), index });
      if (branch.children.length > 0) waiting.push(branch.children);
    }
  }
  return places;
};
