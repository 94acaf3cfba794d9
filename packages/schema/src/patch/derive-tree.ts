/** What happened to a tree, as operations of a patch. */
import type { JsonDiff, LoroDoc, LoroTree } from "loro-crdt";

import { isContainer } from "../container.ts";
import { canonicalJson } from "../json.ts";
import { TREE } from "../place.ts";
import { type Branch, type Grove, groveOf, isTreeId } from "../tree.ts";
import { type PatchOperation, pathOf } from "./patch.ts";

/** The trees of a document at one of its versions, each walked once. */
export interface Groves {
  /** The tree that holds a node: Loro's ids of nodes are unique in a document. */
  readonly ofNode: (treeId: string) => Grove | undefined;
  readonly of: (tree: LoroTree) => Grove;
}

export const grovesOf = (doc: LoroDoc): Groves => {
  const groves = new Map<string, Grove>();
  const of = (tree: LoroTree): Grove => {
    const known = groves.get(tree.id) ?? groveOf(tree);
    groves.set(tree.id, known);
    return known;
  };
  return {
    of,
    ofNode: (treeId) => {
      if (!isTreeId(treeId)) return undefined;
      const tree = doc.getContainerById(`cid:${treeId}:Map`)?.parent();
      return tree !== undefined && isContainer(tree) && TREE.is(tree) ? of(tree) : undefined;
    },
  };
};

/** The id that a node is read under. */
export const nodeIdIn = (groves: Groves, treeId: string): string => {
  const grove = groves.ofNode(treeId);
  const branch = grove?.byTreeId(treeId);
  return grove === undefined || branch === undefined ? treeId : grove.idOf(branch);
};

type TreeChanges = Extract<JsonDiff, { readonly type: "tree" }>["diff"];

/** In this order: a new node may have the key of one that is gone. */
interface TreeOperations {
  readonly removed: ReadonlyArray<PatchOperation>;
  readonly made: ReadonlyArray<PatchOperation>;
  readonly placed: ReadonlyArray<PatchOperation>;
}

/**
 * What is gone is taken out, then new nodes are made, then everything is placed where it stands at the end, from the top
 * down and from the first to the last: no place depends on one that comes later, and none closes a circle.
 */
export const treeOperations = (
  names: ReadonlyArray<string>,
  changes: TreeChanges,
  before: () => Groves,
  after: Groves,
): TreeOperations => {
  const at = (id: string) => ({ path: pathOf([...names, id]) });
  const gone = changes.flatMap(({ action, target }) => (action === "delete" ? [nodeIdIn(before(), target)] : []));
  const placed = changes.flatMap(({ action, target }): ReadonlyArray<readonly [string, Branch, Grove]> => {
    const grove = after.ofNode(target);
    const branch = grove?.byTreeId(target);
    return grove === undefined || branch === undefined ? [] : [[action, branch, grove]];
  });
  const made = placed.flatMap(([action, branch, grove]): ReadonlyArray<PatchOperation> =>
    action === "create" ? [{ op: "set", ...at(grove.idOf(branch)), value: {} }] : [],
  );
  // What leaves a place that is taken out has to leave it first.
  const rescued = placed.flatMap(([action, branch, grove]): ReadonlyArray<PatchOperation> =>
    action === "move" && gone.length > 0 ? [{ op: "place", ...at(grove.idOf(branch)), parent: null }] : [],
  );
  const places = placed
    .map(([, branch, grove]) => ({ branch, grove, index: grove.indexOf(branch) }))
    .toSorted((left, right) => left.branch.depth - right.branch.depth || left.index - right.index)
    .map(({ branch, grove, index }): PatchOperation => ({
      op: "place",
      ...at(grove.idOf(branch)),
      parent: branch.parent === undefined ? null : grove.idOf(branch.parent),
      at: index,
    }));
  const removed = gone.map((id): PatchOperation => ({ op: "unset", ...at(id) }));
  return {
    removed: [...rescued, ...removed],
    made,
    placed: [...new Map(places.map((place) => [canonicalJson(place.path), place])).values()],
  };
};
