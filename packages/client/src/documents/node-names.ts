/** Names of trees' nodes in changes that are made in another document than the one that they were made in. */
import {
  type ContainerID,
  type Diff,
  type JsonDiff,
  type LoroDoc,
  LoroTree,
  type PeerID,
  type TreeID,
} from "loro-crdt";
import { versionOf } from "./document-versions.ts";
import { operationNaming, renameOperation } from "./operation-names.ts";

/** What changed in one container. */
export type Change<D extends Diff | JsonDiff> = readonly [ContainerID, D];

/** Other names of nodes. */
export type NodeNames = ReadonlyMap<TreeID, TreeID>;

/** The changes with other names for nodes, and for the containers in them. */
export const renameNodes = <D extends Diff | JsonDiff>(
  changes: ReadonlyArray<Change<D>>,
  names: NodeNames,
): Array<[ContainerID, D]> => changes.map(([id, diff]) => [renameWithin(id, names), renameInTree(diff, names)]);

/** A container by the other name of the node that it is in. */
export const renameWithin = (id: ContainerID, names: NodeNames): ContainerID => {
  const operation = operationNaming(id);
  const name = operation === undefined ? undefined : names.get(operation);
  return name === undefined ? id : renameOperation(id, name);
};

export const renameInTree = <D extends Diff | JsonDiff>(diff: D, names: NodeNames): D => {
  if (diff.type !== "tree" || names.size === 0) return diff;
  const nameOf = (node: TreeID): TreeID => names.get(node) ?? node;
  return {
    ...diff,
    diff: diff.diff.map((item) =>
      "parent" in item && item.parent !== undefined
        ? { ...item, target: nameOf(item.target), parent: nameOf(item.parent) }
        : { ...item, target: nameOf(item.target) },
    ),
  };
};

/**
 * New names for nodes that the changes create under names which other nodes of `to` have, since Loro would take those for them,
 * or may get, since Loro (1.17) looks for ever for a node that it has made under the very name that the changes have for it.
 *
 * @param isKnown says which of them are the very nodes that `to` has
 */
export const namesForNew = (
  changes: ReadonlyArray<Change<Diff | JsonDiff>>,
  from: LoroDoc,
  to: LoroDoc,
  isKnown: (node: TreeID) => boolean,
): NodeNames => {
  const names = new Map<TreeID, TreeID>();
  let unused: PeerID | undefined;
  for (const [id, diff] of changes) {
    if (diff.type !== "tree") continue;
    const tree = to.getContainerById(id);
    if (!(tree instanceof LoroTree)) continue;
    for (const { action, target } of diff.diff) {
      const isThere = tree.getNodeByID(target) !== undefined;
      const isTaken = isThere ? !isKnown(target) : target.endsWith(`@${to.peerIdStr}`);
      if (action !== "create" || !isTaken) continue;
      unused ??= unusedPeer(from, to);
      const [counter] = target.split("@");
      names.set(target, `${Number(counter)}@${unused}`);
    }
  }
  return names;
};

/** A peer under which neither document has anything. */
const unusedPeer = (from: LoroDoc, to: LoroDoc): PeerID => {
  const used = new Set<PeerID>([...versionOf(from).keys(), ...versionOf(to).keys(), to.peerIdStr]);
  for (let peer = 1; ; peer += 1) if (!used.has(`${peer}`)) return `${peer}`;
};
