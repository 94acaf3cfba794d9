/** Changes of one document, made in another one that lacks some of what they were made on. */
import { jsonOfContainer, madeAbove, operationNaming, REMOVED_KEY } from "@cairn/schema";
import { type ContainerID, type JsonDiff, type LoroDoc, LoroMap } from "loro-crdt";
import { namesForNew, renameNodes } from "./node-names.ts";
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
  const fitted = trees.possible.map(([id, diff]) => [id, fit(id, diff)] as const);
  const fitting = fitted.map(([id, { diff }]): ContainerDiff => [id, diff]);
  const moved = new Set(fitted.flatMap(([, change]) => change.moved.map(operationNaming)));
  const made = JSON.stringify(fitting);
  const possible: Array<[ContainerID, JsonDiff]> = [];
  const lost = trees.lost.map((id) => pathOf(from, id));
  // A container that the changes make themselves is made again with its content; so are the nodes of trees.
  const isMade = (id: ContainerID): boolean => {
    const above = madeAbove(id);
    const isWithin =
      above !== undefined &&
      (made.includes(jsonOfContainer(`cid:${above}:Map`)) || isNodeMade(fitting, `cid:${above}:Map`));
    return isWithin || made.includes(jsonOfContainer(id)) || isNodeMade(fitting, id);
  };
  // A mergeable child goes by its name whether or not its parent has it: without it nobody finds what is in it.
  const isUnfound = (id: ContainerID): boolean =>
    id.startsWith("cid:root-") && to.getPathToContainer(id) === undefined && !isInRemovedRecord(from, id);
  for (const [id, { diff, lost: items }] of fitted) {
    const here = id.startsWith("cid:root-") || to.getContainerById(id) !== undefined;
    const operation = operationNaming(id);
    const isKnown = operation === undefined || isShared(operation);
    if ((here && isKnown) || isMade(id)) {
      possible.push([id, diff]);
      lost.push(...items.map((item) => pathOf(from, item)));
    } else lost.push(pathOf(from, id));
  }
  const names = namesForNew(possible, from, to, (operation) => moved.has(operation) || isShared(operation));
  try {
    to.applyDiff(renameNodes(possible, names));
    // What the changes make has another name there.
    return [...lost, ...possible.flatMap(([id]) => (!isMade(id) && isUnfound(id) ? [pathOf(from, id)] : []))];
  } catch {
    // One of them does not fit; the others still may, one by one, but for those that belong together.
  }
  const applyAlone = (id: ContainerID, diff: JsonDiff): boolean => {
    if (isMade(id)) return false;
    try {
      to.applyDiff(renameNodes([[id, diff]], names));
      return !isUnfound(id);
    } catch {
      return false;
    }
  };
  for (const [id, diff] of possible) if (!applyAlone(id, diff)) lost.push(pathOf(from, id));
  return lost;
};

/** Removing a record empties it: that there is nothing to empty is no loss. */
export const isInRemovedRecord = (doc: LoroDoc, id: ContainerID): boolean => {
  for (let container = doc.getContainerById(id); container !== undefined; container = container.parent()) {
    if (container instanceof LoroMap && container.get(REMOVED_KEY) === true) return true;
  }
  return false;
};

const isNodeMade = (changes: ReadonlyArray<ContainerDiff>, id: ContainerID): boolean =>
  changes.some(
    ([, diff]) =>
      diff.type === "tree" && diff.diff.some(({ action, target }) => action === "create" && id === `cid:${target}:Map`),
  );

const pathOf = (doc: LoroDoc, id: ContainerID): string => {
  const path = doc.getPathToContainer(id);
  return path === undefined ? "a part that is gone" : path.join(".");
};
