/** Names of trees' nodes in changes that are made in another document than the one that they were made in. */
import {
  type Change,
  containerOfJson,
  jsonOfContainer,
  madeAbove,
  operationNaming,
  operationOf,
  renameOperation,
} from "@cairn/schema";
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

/** Other names of nodes. */
export type NodeNames = ReadonlyMap<TreeID, TreeID>;

/** The changes with other names for nodes, and for the containers in them. */
export const renameNodes = <D extends Diff | JsonDiff>(
  changes: ReadonlyArray<Change<D>>,
  names: NodeNames,
): Array<[ContainerID, D]> => changes.map(([id, diff]) => [renameWithin(id, names), renameInChange(diff, names)]);

/** A container by the other name of the node that it is in. */
export const renameWithin = (id: ContainerID, names: NodeNames): ContainerID => {
  const operation = operationNaming(id);
  const name = operation === undefined ? undefined : names.get(operation);
  return name === undefined ? id : renameOperation(id, name);
};

export const renameInChange = <D extends Diff | JsonDiff>(diff: D, names: NodeNames): D => {
  if (names.size === 0) return diff;
  if (diff.type !== "tree") return withValues(diff, (value) => renameValue(value, (id) => renameWithin(id, names)));
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

/** A container that a difference as JSON puts somewhere, by another name; any other value as it is. */
export const renameValue = (value: unknown, nameOf: (id: ContainerID) => ContainerID): unknown => {
  const id = containerOfJson(value);
  return id === undefined ? value : jsonOfContainer(nameOf(id));
};

/** The same change of a map or a list with other values. */
export const withValues = <D extends Diff | JsonDiff>(diff: D, other: (value: unknown) => unknown): D => {
  if (diff.type === "map") {
    const updated = Object.entries<unknown>(diff.updated).map(([key, value]): [string, unknown] => [key, other(value)]);
    return { ...diff, updated: Object.fromEntries(updated) };
  }
  if (diff.type !== "list") return diff;
  const steps = stepsIn(diff).map((step) =>
    isArray(step.insert) ? { ...step, insert: step.insert.map(other) } : step,
  );
  return { ...diff, diff: steps };
};

const isArray = (value: unknown): value is ReadonlyArray<unknown> => Array.isArray(value);

const stepsIn = (diff: { readonly diff: ReadonlyArray<{ readonly insert?: unknown }> }) => diff.diff;

/**
 * New names for nodes that the changes create under names which other nodes of `to` have, since Loro would take those for them;
 * and for nodes and other containers under names that `to` itself may give: where Loro (1.17) makes a container under the name that
 * the changes have for another one, it mixes them up, and looks for ever for a node of that name.
 *
 * @param isKnown says what is not new, whatever the changes say
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
    // Containers in lists, whose names `to` may get, as well.
    for (const made of madeIn(diff)) {
      if (isKnown(made) || !made.endsWith(`@${to.peerIdStr}`)) continue;
      unused ??= unusedPeer(from, to);
      names.set(made, `${operationOf(made).counter}@${unused}`);
    }
    if (diff.type !== "tree") continue;
    const tree = to.getContainerById(id);
    for (const { action, target } of diff.diff) {
      const isThere = tree instanceof LoroTree && tree.getNodeByID(target) !== undefined;
      const isTaken = isThere ? !isKnown(target) : target.endsWith(`@${to.peerIdStr}`);
      if (action !== "create" || !isTaken) continue;
      unused ??= unusedPeer(from, to);
      names.set(target, `${operationOf(target).counter}@${unused}`);
    }
  }
  return names;
};

/** The containers that a change as JSON puts somewhere. */
export const containersIn = (diff: Diff | JsonDiff): ReadonlyArray<ContainerID> => {
  const found: Array<ContainerID> = [];
  withValues(diff, (value) =>
    renameValue(value, (id) => {
      found.push(id);
      return id;
    }),
  );
  return found;
};

/** The operations of those that go by these. */
const madeIn = (diff: Diff | JsonDiff): ReadonlyArray<TreeID> =>
  containersIn(diff).flatMap((id) => (madeAbove(id) === undefined ? (operationNaming(id) ?? []) : []));

/** A peer under which neither document has anything. */
const unusedPeer = (from: LoroDoc, to: LoroDoc): PeerID => {
  const used = new Set<PeerID>([...versionOf(from).keys(), ...versionOf(to).keys(), to.peerIdStr]);
  for (let peer = 1; ; peer += 1) if (!used.has(`${peer}`)) return `${peer}`;
};
