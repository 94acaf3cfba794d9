/**
 * What leads from one version of a document to another one, without what Loro (1.17) says too much of trees.
 *
 * Where one of the versions lacks operations of a tree that others made at the same time, Loro says of nodes that are in both that
 * they go and come back, with all that is in them. Made in another document, such a node would be another one: what others write
 * in it at the same time would be gone, and it would be there twice where two devices do so.
 */
import type {
  Container,
  ContainerID,
  Diff,
  JsonDiff,
  LoroDoc,
  LoroMap,
  LoroTree,
  OpId,
  TreeDiffItem,
  TreeID,
} from "loro-crdt";
import { isContainer } from "./container.ts";
import { jsonOfContainer, operationNaming } from "./container-names.ts";
import { COUNTER, LIST, MAP, MOVABLE_LIST, TEXT, TREE } from "./place.ts";

/** What changed in one container. */
export type Change<D extends Diff | JsonDiff> = readonly [ContainerID, D];

/** As `LoroDoc.diff`, in the form that JSON can say. */
export const jsonDifference = (doc: LoroDoc, from: OpId[], to: OpId[]): Array<[ContainerID, JsonDiff]> =>
  withNodesKept(doc.diff(from, to, true), doc, from);

/** As `LoroDoc.diff`, in the form of events. */
export const difference = (doc: LoroDoc, from: OpId[], to: OpId[]): Array<[ContainerID, Diff]> =>
  withNodesKept(doc.diff(from, to, false), doc, from);

const withNodesKept = <D extends Diff | JsonDiff>(
  changes: Array<[ContainerID, D]>,
  doc: LoroDoc,
  from: OpId[],
): Array<[ContainerID, D]> => {
  if (!changes.some(([, diff]) => diff.type === "tree" && comesBack(diff.diff))) return changes;
  const before = doc.forkAt(from);
  try {
    const kept = keptNodes(changes, before);
    return [...changes, ...emptied(changes, before, kept)].flatMap(([id, diff]): Array<[ContainerID, D]> => {
      const container = before.getContainerById(id);
      const less = diff.type === "tree" ? { ...diff, diff: lessMoves(diff.diff, container, kept) } : diff;
      const least = container !== undefined && isWithin(container, kept) ? lessContent(less, container) : less;
      return isNothing(least) ? [] : [[id, least]];
    });
  } finally {
    before.free();
  }
};

const comesBack = (items: ReadonlyArray<TreeDiffItem>): boolean => {
  const gone = new Set(items.flatMap(({ action, target }) => (action === "delete" ? [target] : [])));
  return items.some(({ action, target }) => action === "create" && gone.has(target));
};

/** Nodes that were there before and are there afterwards, whatever the changes say of them in between. */
const keptNodes = (changes: ReadonlyArray<Change<Diff | JsonDiff>>, before: LoroDoc): ReadonlySet<TreeID> => {
  const kept = new Set<TreeID>();
  for (const [id, diff] of changes) {
    const tree = diff.type === "tree" ? before.getContainerById(id) : undefined;
    if (tree === undefined || !TREE.is(tree) || diff.type !== "tree") continue;
    for (const { action, target } of diff.diff) {
      if (action === "delete") kept.delete(target);
      else if (action === "create" && !isGone(tree, target)) kept.add(target);
    }
  }
  return kept;
};

/** Nodes that are kept are moved where they come back at another place. What goes, goes last: they may come out of it. */
const lessMoves = (
  items: ReadonlyArray<TreeDiffItem>,
  tree: Container | undefined,
  kept: ReadonlySet<TreeID>,
): Array<TreeDiffItem> => {
  const nodeOf = (id: TreeID) =>
    tree !== undefined && TREE.is(tree) && !isGone(tree, id) ? tree.getNodeByID(id) : undefined;
  const placed = items.flatMap((item): Array<TreeDiffItem> => {
    const node = nodeOf(item.target);
    if (node === undefined || item.action === "move") return [item];
    // Also what comes back only to go again.
    if (item.action === "delete" || !kept.has(item.target)) return [];
    const parent = node.parent();
    if (parent?.id === item.parent && node.fractionalIndex() === item.fractionalIndex) return [];
    return [{ ...item, action: "move", oldParent: parent?.id, oldIndex: node.index() ?? 0 }];
  });
  const gone = new Map<TreeID, TreeDiffItem>();
  for (const item of items) {
    const isTaken = item.action === "delete" && nodeOf(item.target) !== undefined && !kept.has(item.target);
    if (isTaken) gone.set(item.target, item);
  }
  return [...placed, ...gone.values()];
};

const isGone = (tree: LoroTree, node: TreeID): boolean =>
  tree.getNodeByID(node) === undefined || tree.isNodeDeleted(node);

/** What is in nodes that are kept, and empty afterwards: where such a node comes back, nothing is said of that. */
const emptied = <D extends Diff | JsonDiff>(
  changes: ReadonlyArray<Change<D>>,
  before: LoroDoc,
  kept: ReadonlySet<TreeID>,
): Array<[ContainerID, D]> => {
  const full = new Map<ContainerID, D>(changes);
  const found: Array<[ContainerID, D]> = [];
  const waiting = [...kept].flatMap((node) => before.getContainerById(`cid:${node}:Map`) ?? []);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const all = full.get(next.id);
    // What is not in it any more goes with it.
    if (all !== undefined) waiting.push(...childrenOf(next).filter((child) => isIn(all, child)));
    const nothing = all === undefined ? NOTHING[next.kind()] : undefined;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- without values, both forms are one
    if (nothing !== undefined) found.push([next.id, nothing as D]);
  }
  return found;
};

/** All that is in an empty container; of trees it is said by their nodes. */
const NOTHING: Partial<Record<ReturnType<Container["kind"]>, Diff>> = {
  Text: { type: "text", diff: [] },
  List: { type: "list", diff: [] },
  MovableList: { type: "list", diff: [] },
  Map: { type: "map", updated: {} },
  Counter: { type: "counter", increment: 0 },
};

const childrenOf = (container: Container): ReadonlyArray<Container> => {
  if (MAP.is(container)) return container.values().filter(isContainer);
  return LIST.is(container) || MOVABLE_LIST.is(container) ? container.toArray().filter(isContainer) : [];
};

const isIn = (all: Diff | JsonDiff, child: Container): boolean => {
  if (all.type === "map") return Object.values(all.updated).some((value) => said(value) === said(child));
  return all.type === "list" && itemsOf(all.diff).some((item) => item.said === said(child));
};

const isWithin = (container: Container, nodes: ReadonlySet<TreeID>): boolean => {
  for (let above: Container | undefined = container; above !== undefined; above = above.parent()) {
    const node = isInTree(above) ? operationNaming(above.id) : undefined;
    if (node !== undefined && nodes.has(node)) return true;
  }
  return false;
};

const isInTree = (container: Container): boolean => {
  const parent = container.parent();
  return parent !== undefined && TREE.is(parent);
};

/** All that is in a container, as what changed in it. */
const lessContent = <D extends Diff | JsonDiff>(all: D, before: Container): D => {
  if (all.type === "map" && MAP.is(before)) return { ...all, updated: lessEntries(all.updated, before) };
  if (all.type === "counter" && COUNTER.is(before)) {
    return { ...all, increment: all.increment - before.value };
  }
  if (all.type === "text" && TEXT.is(before)) {
    return { ...all, diff: lessSteps(charactersOf(before.toDelta()), charactersOf(all.diff)) };
  }
  if (all.type === "list" && (LIST.is(before) || MOVABLE_LIST.is(before))) {
    return { ...all, diff: lessSteps(before.toArray().map(itemOf), itemsOf(all.diff)) };
  }
  return all;
};

const isNothing = (diff: Diff | JsonDiff): boolean => {
  if (diff.type === "map") return Object.keys(diff.updated).length === 0;
  return diff.type === "counter" ? diff.increment === 0 : diff.diff.length === 0;
};

const lessEntries = (all: Readonly<Record<string, unknown>>, before: LoroMap): Record<string, unknown> => {
  const known = new Map<string, unknown>(before.entries());
  const changed = Object.entries(all).filter(([key, value]) => !known.has(key) || said(known.get(key)) !== said(value));
  const gone = [...known.keys()].filter((key) => !Object.hasOwn(all, key));
  return Object.fromEntries([...changed, ...gone.map((key) => [key, undefined] as const)]);
};

/** Equal where two values are: a container by its id, which JSON says with a sign before it. */
const said = (value: unknown): string => JSON.stringify(isContainer(value) ? jsonOfContainer(value.id) : value) ?? "";

/** A piece of a text or a list. */
interface Piece {
  readonly said: string;
  readonly length: number;
  readonly insert: string | ReadonlyArray<unknown>;
  readonly attributes?: unknown;
}

interface Inserted {
  readonly insert?: unknown;
  readonly attributes?: unknown;
}

const charactersOf = (delta: ReadonlyArray<Inserted>): ReadonlyArray<Piece> =>
  delta.flatMap(({ insert, attributes }) =>
    Array.from(typeof insert === "string" ? insert : "", (character): Piece => {
      const piece = { said: said([character, attributes]), length: character.length, insert: character };
      return attributes === undefined ? piece : { ...piece, attributes };
    }),
  );

const itemOf = (item: unknown): Piece => ({ said: said(item), length: 1, insert: [item] });

const itemsOf = (delta: ReadonlyArray<Inserted>): ReadonlyArray<Piece> =>
  delta.flatMap(({ insert }) => (Array.isArray(insert) ? insert.map(itemOf) : []));

/** What is between the beginnings and the ends that both have in common is replaced. */
const lessSteps = (before: ReadonlyArray<Piece>, after: ReadonlyArray<Piece>): Array<unknown> => {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start]?.said === after[start]?.said) start += 1;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end)?.said === after.at(-1 - end)?.said) end += 1;
  const lengthOf = (pieces: ReadonlyArray<Piece>): number => pieces.reduce((sum, { length }) => sum + length, 0);
  const steps = [
    { retain: lengthOf(before.slice(0, start)) },
    { delete: lengthOf(before.slice(start, before.length - end)) },
  ].filter((step) => Object.values(step).every((length) => length > 0));
  const put = after
    .slice(start, after.length - end)
    .map(({ insert, attributes }) => (attributes === undefined ? { insert } : { insert, attributes }));
  return put.length === 0 && steps.every((step) => "retain" in step) ? [] : [...steps, ...put];
};
