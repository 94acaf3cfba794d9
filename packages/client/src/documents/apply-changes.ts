/** Changes of one document, made in another one that lacks some of what they were made on. */
import { type ContainerID, type JsonDiff, type LoroDoc } from "loro-crdt";
import { madeAbove, possibleTreeChanges } from "./tree-changes.ts";

export type ContainerDiff = readonly [ContainerID, JsonDiff];

/**
 * Applies what can be applied, and returns the paths of what cannot.
 *
 * @param fit makes a container's change one of the container as it is in `to`
 */
export const applyChanges = (
  from: LoroDoc,
  to: LoroDoc,
  changes: ReadonlyArray<ContainerDiff>,
  fit: (id: ContainerID, diff: JsonDiff) => JsonDiff,
): ReadonlyArray<string> => {
  const made = JSON.stringify(changes);
  const trees = possibleTreeChanges(changes, from, to);
  const possible: Array<[ContainerID, JsonDiff]> = [];
  const lost = trees.lost.map((id) => pathOf(from, id));
  for (const [id, diff] of trees.possible) {
    const here = id.startsWith("cid:root-") || to.getContainerById(id) !== undefined;
    // A container that the changes make themselves is made again with its content; so are the nodes of trees.
    if (!here && !made.includes(`🦜:${id}`) && !isNodeMade(changes, id)) lost.push(pathOf(from, id));
    else possible.push([id, fit(id, diff)]);
  }
  // A mergeable child goes by its name whether or not its parent has it: without it nobody finds what is in it. In what the
  // changes make, it gets another name.
  const isMade = (id: ContainerID): boolean => {
    const above = madeAbove(id);
    return above !== undefined && (made.includes(`🦜:cid:${above}:`) || isNodeMade(changes, `cid:${above}:Map`));
  };
  const isUnfound = (id: ContainerID): boolean =>
    id.startsWith("cid:root-") && !isMade(id) && to.getPathToContainer(id) === undefined;
  try {
    to.applyDiff(possible);
    return [...lost, ...possible.flatMap(([id]) => (isUnfound(id) ? [pathOf(from, id)] : []))];
  } catch {
    // One of them does not fit; the others still may, one by one.
  }
  for (const entry of possible) {
    try {
      to.applyDiff([entry]);
    } catch {
      lost.push(pathOf(from, entry[0]));
    }
  }
  return lost;
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
