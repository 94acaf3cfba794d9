/** Changes of one document, made in another one that lacks some of what they were made on. */
import { madeAbove, operationNaming, REMOVED_KEY } from "@cairn/schema";
import { type ContainerID, type JsonDiff, type LoroDoc, LoroMap } from "loro-crdt";
import { containersIn, namesForNew, renameNodes } from "./node-names.ts";
import type { FittedChange } from "./placed-items.ts";
import { type ContainerDiff, type IsShared, possibleTreeChanges } from "./tree-changes.ts";

/**
 * Applies what can be applied, and returns the paths of what cannot.
 *
 * @param fit makes a container's change one of the container as it is in `to`
 * @param isShared says whether what has the same name in both is the same
 */
export const applyChanges = (
  from: LoroDoc,
  to: LoroDoc,
  changes: ReadonlyArray<ContainerDiff>,
  fit: (id: ContainerID, diff: JsonDiff) => FittedChange,
  isShared: IsShared = () => true,
): ReadonlyArray<string> => {
  const trees = possibleTreeChanges(changes, from, to, isShared);
  const fitted = trees.possible.map(([id, diff]): Fitted => ({ id, ...fit(id, diff) }));
  const moved = new Set(fitted.flatMap((change) => change.moved.map(operationNaming)));
  const lost = trees.lost.map((id) => pathOf(from, id));
  const isHere = ({ id }: Fitted): boolean => {
    const operation = operationNaming(id);
    const isKnown = operation === undefined || isShared(operation);
    return isKnown && (id.startsWith("cid:root-") || to.getContainerById(id) !== undefined);
  };
  // A mergeable child goes by its name whether or not its parent has it: without it nobody finds what is in it.
  const isUnfound = (id: ContainerID): boolean =>
    id.startsWith("cid:root-") && to.getPathToContainer(id) === undefined && !isInRemovedRecord(from, id);
  const parts = partsOf(fitted, isHere);
  const possible = fitted.filter((change) => parts.has(change));
  for (const change of fitted) {
    if (parts.has(change)) lost.push(...change.lost.map((item) => pathOf(from, item)));
    else lost.push(pathOf(from, change.id));
  }
  const isOld: IsShared = (operation) => moved.has(operation) || isShared(operation);
  const names = namesForNew(toChanges(possible), from, to, isOld);
  const apply = (all: ReadonlyArray<Fitted>): boolean => {
    try {
      to.applyDiff(renameNodes(toChanges(all), names));
      return true;
    } catch {
      return false;
    }
  };
  const isAlone = (change: Fitted): boolean => parts.get(change) === change;
  const applied = apply(possible)
    ? possible
    : // One of them does not fit; the others still may, one by one, each with what it makes.
      possible.filter(isAlone).flatMap((part) => {
        const all = possible.filter((change) => parts.get(change) === part);
        if (apply(all)) return all;
        lost.push(...all.map(({ id }) => pathOf(from, id)));
        return [];
      });
  // What the changes make has another name there.
  lost.push(...applied.flatMap((change) => (isAlone(change) && isUnfound(change.id) ? [pathOf(from, change.id)] : [])));
  return lost;
};

interface Fitted extends FittedChange {
  readonly id: ContainerID;
}

const toChanges = (all: ReadonlyArray<Fitted>): ReadonlyArray<ContainerDiff> => all.map(({ id, diff }) => [id, diff]);

/**
 * The changes that can be applied, each with the one of a container that is here by which it comes to be: a container that the
 * changes make themselves is made again with its content; so are the nodes of trees.
 */
const partsOf = (changes: ReadonlyArray<Fitted>, isHere: (change: Fitted) => boolean): ReadonlyMap<Fitted, Fitted> => {
  const parts = new Map<Fitted, Fitted>();
  const makers = new Map<ContainerID, Fitted>();
  for (const change of changes) for (const id of madeBy(change)) makers.set(id, change);
  const makerOf = (id: ContainerID): Fitted | undefined => {
    const above = madeAbove(id);
    return makers.get(id) ?? (above === undefined ? undefined : makers.get(`cid:${above}:Map`));
  };
  const partOf = (change: Fitted): Fitted | undefined => {
    const maker = makerOf(change.id);
    if (maker !== undefined && maker !== change) return parts.get(maker) ?? partOf(maker);
    return isHere(change) ? change : undefined;
  };
  for (const change of changes) {
    const part = partOf(change);
    if (part !== undefined) parts.set(change, part);
  }
  return parts;
};

/** The containers that a change puts somewhere, and the data of nodes that it makes. */
const madeBy = ({ diff, moved }: Fitted): ReadonlyArray<ContainerID> => {
  if (diff.type === "tree")
    return diff.diff.flatMap(({ action, target }) => (action === "create" ? [`cid:${target}:Map` as const] : []));
  const isMoved = new Set(moved);
  return containersIn(diff).filter((id) => !isMoved.has(id));
};

/** Removing a record empties it: that there is nothing to empty is no loss. */
export const isInRemovedRecord = (doc: LoroDoc, id: ContainerID): boolean => {
  for (let container = doc.getContainerById(id); container !== undefined; container = container.parent()) {
    if (container instanceof LoroMap && container.get(REMOVED_KEY) === true) return true;
  }
  return false;
};

const pathOf = (doc: LoroDoc, id: ContainerID): string => {
  const path = doc.getPathToContainer(id);
  return path === undefined ? "a part that is gone" : path.join(".");
};
