/**
 * What leads from one version of a document to another one, without what Loro (1.17) says too much of trees.
 *
 * Where one of the versions lacks operations of a tree that others made at the same time, Loro takes back what came later and makes
 * it again. So it says of nodes that are in both that they go and come back, with all that is in them: made in another document,
 * such a node would be another one. And where a node was moved below one that others put into a removed one, and moved out again, it does
 * not end where the document does. So where it says of a node more than once what was done to it, where nodes stand is taken from both
 * versions themselves.
 */
import type { Container, ContainerID, Diff, JsonDiff, LoroDoc, LoroMap, LoroTree, OpId, TreeID } from "loro-crdt";
import { isContainer } from "./container.ts";
import { jsonOfContainer, operationNaming } from "./container-names.ts";
import { COUNTER, LIST, MAP, MOVABLE_LIST, TEXT, TREE } from "./place.ts";
import { treeDifference } from "./tree-difference.ts";

/** What changed in one container. */
export type Change<D extends Diff | JsonDiff> = readonly [ContainerID, D];

type IsThere = (tree: ContainerID, node: TreeID) => boolean;

/**
 * As `LoroDoc.diff`, in the form that JSON can say.
 *
 * @param isThere says of nodes that are gone in `from` whether they are there where the difference will be applied: of what comes back
 *   only what is new is said
 */
export const jsonDifference = (
  doc: LoroDoc,
  from: OpId[],
  to: OpId[],
  isThere: IsThere = () => false,
): Array<[ContainerID, JsonDiff]> => withLessOfTrees(doc.diff(from, to, true), doc, from, to, isThere);

/** As `LoroDoc.diff`, in the form of events. */
export const difference = (doc: LoroDoc, from: OpId[], to: OpId[]): Array<[ContainerID, Diff]> =>
  withLessOfTrees(doc.diff(from, to, false), doc, from, to, () => false);

const withLessOfTrees = <D extends Diff | JsonDiff>(
  changes: Array<[ContainerID, D]>,
  doc: LoroDoc,
  from: OpId[],
  to: OpId[],
  isThere: IsThere,
): Array<[ContainerID, D]> => {
  // Where nothing was taken back and made again, Loro says of each node once what was done to it.
  const isSure = ([id, diff]: Change<D>): boolean =>
    diff.type !== "tree" ||
    (new Set(diff.diff.map(({ target }) => target)).size === diff.diff.length &&
      diff.diff.every(({ action, target }) => action !== "create" || !isThere(id, target)));
  if (changes.every(isSure)) return changes;
  const before = doc.forkAt(from);
  const after = doc.forkAt(to);
  try {
    const kept = keptNodes(changes, before, after, isThere);
    return [...changes, ...emptied(changes, before, kept)].flatMap(([id, diff]): Array<[ContainerID, D]> => {
      if (diff.type === "tree") {
        const items = treeDifference(treeIn(before, id, kept), treeIn(after, id, kept));
        return items.length === 0 ? [] : [[id, { ...diff, diff: items }]];
      }
      const container = before.getContainerById(id);
      const least = container !== undefined && isWithin(container, kept) ? lessContent(diff, container) : diff;
      return isNothing(least) ? [] : [[id, least]];
    });
  } finally {
    before.free();
    after.free();
  }
};

/** A tree that can be reached, or is in a node that is kept: what is in removed nodes and items goes on to exist. */
const treeIn = (doc: LoroDoc, id: ContainerID, kept: ReadonlySet<TreeID>): LoroTree | undefined => {
  const container = doc.getContainerById(id);
  if (container === undefined || !TREE.is(container)) return undefined;
  return !container.isDeleted() || isWithin(container, kept) ? container : undefined;
};

/** Nodes of which Loro says all that is in them, although they are there before and afterwards. */
const keptNodes = (
  changes: ReadonlyArray<Change<Diff | JsonDiff>>,
  before: LoroDoc,
  after: LoroDoc,
  isThere: IsThere,
): ReadonlySet<TreeID> => {
  const kept = new Set<TreeID>();
  // A tree's own changes come before those of what is in its nodes.
  for (const [id, diff] of changes) {
    if (diff.type !== "tree") continue;
    const [was, is] = [treeIn(before, id, kept), treeIn(after, id, kept)];
    if (was === undefined || is === undefined) continue;
    for (const { action, target } of diff.diff)
      if (action === "create" && !isGone(is, target) && (!isGone(was, target) || isThere(id, target))) kept.add(target);
  }
  return kept;
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
