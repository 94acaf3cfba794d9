/** Typed write access to a tree. */
import type { LoroMap, LoroTree, TreeID } from "loro-crdt";

import { SchemaWriteError } from "./errors.ts";
import type { Path } from "./slots.ts";
import type { EditorOf } from "./edit.ts";
import type { Fields } from "./field-kinds.ts";
import { type Place, TREE, findContainer, openContainer } from "./place.ts";
import { MAX_TREE_DEPTH, NODE_KEY, type TreeNode, groveOf, isTreeId } from "./tree.ts";
import { requireFit, requireKey, requirePosition } from "./write-checks.ts";

export interface TreeWriter<Fs extends Fields> {
  readonly get: () => ReadonlyArray<TreeNode<Fs>>;
  /**
   * Make a node below `parent` (undefined: a root) before `position` (undefined: the last), and return its id. With a `key`
   * that is its id, on every device and in every copy; refused where a node of the tree has it.
   */
  readonly create: (parent?: string, position?: number, options?: { readonly key?: string }) => string;
  /** Put a node, and all below it, below `parent`; `position` is the one it shall have there (undefined: the last). */
  readonly move: (id: string, parent: string | undefined, position?: number) => void;
  /** Take a node out, and all below it. What somebody else moves elsewhere at the same time stays. */
  readonly delete: (id: string) => void;
  /** The fields of a node, or undefined where there is none. */
  readonly edit: (id: string) => EditorOf<Fs> | undefined;
}

interface Found {
  readonly treeId: TreeID;
  readonly data: LoroMap;
}

export const treeWriter = <E>(
  physical: string,
  place: Place,
  path: Path,
  get: () => unknown,
  editNode: (data: LoroMap, path: Path) => E,
) => {
  const existing = (): LoroTree | undefined => {
    const found = findContainer(place, TREE, physical);
    return typeof found === "string" ? undefined : found;
  };
  const open = (): LoroTree => {
    const tree = openContainer(place, TREE, physical, path);
    // Siblings have an order. Without random bits: equal places are put in order by the ids of the operations.
    if (!tree.isFractionalIndexEnabled()) tree.enableFractionalIndex(0);
    return tree;
  };
  const find = (id: string): Found | undefined => {
    const tree = existing();
    if (tree === undefined) return undefined;
    if (isTreeId(id)) {
      const node = tree.getNodeByID(id);
      // Its id by nature goes before any key, so that nothing else needs to be looked at.
      if (node !== undefined && !tree.isNodeDeleted(id) && node.data.get(NODE_KEY) === undefined) {
        return { treeId: id, data: node.data };
      }
    }
    return groveOf(tree).find(id);
  };
  const isAlive = (id: string): boolean => {
    const tree = isTreeId(id) ? existing() : undefined;
    return isTreeId(id) && tree?.getNodeByID(id) !== undefined && !tree.isNodeDeleted(id);
  };
  const need = (id: string): TreeID => {
    const found = find(id);
    if (found !== undefined) return found.treeId;
    throw new SchemaWriteError({ code: "schema/out-of-range", path: [...path, id], reason: "there is no such node" });
  };
  /** From a node up to its root. */
  const lineOf = (id: TreeID | undefined): ReadonlyArray<TreeID> => {
    const line: Array<TreeID> = [];
    let node = id === undefined ? undefined : existing()?.getNodeByID(id);
    while (node !== undefined) {
      line.push(node.id);
      node = node.parent();
    }
    return line;
  };
  const siblings = (parent: TreeID | undefined): number => {
    const tree = existing();
    if (tree === undefined) return 0;
    return (parent === undefined ? tree.roots() : (tree.getNodeByID(parent)?.children() ?? [])).length;
  };
  const requireDepth = (depth: number): void =>
    requireFit(depth <= MAX_TREE_DEPTH, path, `a tree has at most ${MAX_TREE_DEPTH} levels`);
  return {
    get,
    create: (parent?: string, position?: number, options: { readonly key?: string } = {}): string => {
      const { key } = options;
      const above = parent === undefined ? undefined : need(parent);
      if (position !== undefined) requirePosition(position, siblings(above), path);
      requireDepth(lineOf(above).length + 1);
      if (key !== undefined) {
        requireKey(key, path);
        requireFit(find(key) === undefined, [...path, key], "another node has this key");
        // Loro's own names are for its nodes, also for those that are read under a key.
        requireFit(!isAlive(key), [...path, key], "a key is not another node's id");
      }
      const node = open().createNode(above, position);
      if (key !== undefined) node.data.set(NODE_KEY, key);
      return key ?? node.id;
    },
    move: (id: string, parent: string | undefined, position?: number): void => {
      const moved = need(id);
      const above = parent === undefined ? undefined : need(parent);
      const line = lineOf(above);
      requireFit(!line.includes(moved), [...path, id], "a node cannot be moved below itself");
      const [, from] = lineOf(moved);
      if (position !== undefined) requirePosition(position, siblings(above) - (from === above ? 1 : 0), path);
      const tree = open();
      requireDepth(line.length + heightOf(tree, moved));
      tree.move(moved, above, position);
    },
    delete: (id: string): void => {
      const found = find(id);
      if (found !== undefined) open().delete(found.treeId);
    },
    edit: (id: string): E | undefined => {
      const found = find(id);
      return found && editNode(found.data, [...path, id]);
    },
  };
};

/** How many levels a node and all below it take. */
const heightOf = (tree: LoroTree, id: TreeID): number => {
  let height = 0;
  let level = [tree.getNodeByID(id)].filter((node) => node !== undefined);
  while (level.length > 0) {
    height += 1;
    level = level.flatMap((node) => node.children() ?? []);
  }
  return height;
};

/** Take all nodes out of a tree. */
export const clearTree = (tree: LoroTree): void => {
  for (const root of tree.roots()) tree.delete(root.id);
};
