/** What Loro (1.17) calls containers: by the operations that made them, and in differences as JSON. */
import type { ContainerID, OpId, PeerID, TreeID } from "loro-crdt";
import { isTreeId } from "./tree.ts";

/** Before a container's id, where a difference as JSON puts it somewhere. */
const SIGN = "🦜:";

/** How a difference as JSON says that a container is put somewhere. */
export const jsonOfContainer = (id: ContainerID): string => `${SIGN}${id}`;

/** The container that a value of a difference as JSON stands for. */
export const containerOfJson = (value: unknown): ContainerID | undefined => {
  const id = typeof value === "string" && value.startsWith(SIGN) ? value.slice(SIGN.length) : undefined;
  return id !== undefined && isContainerId(id) ? id : undefined;
};

const CONTAINER = /^cid:(\d+@\d+):/;
/** A mergeable child at any depth below a container that is no root, whose peer and counter are written to base 36. */
const MERGEABLE_IN = /^cid:root-🤝:@([0-9a-z]+):([0-9a-z]+)>/u;

/** The operation that made the container, no root, that a mergeable child is in. */
export const madeAbove = (id: ContainerID): TreeID | undefined => {
  const [, peer, counter] = MERGEABLE_IN.exec(id) ?? [];
  if (peer === undefined || counter === undefined) return undefined;
  const operation = `${fromBase36(counter)}@${fromBase36(peer)}`;
  return isTreeId(operation) ? operation : undefined;
};

const fromBase36 = (digits: string): bigint =>
  Array.from(digits).reduce((sum, digit) => sum * 36n + BigInt(Number.parseInt(digit, 36)), 0n);

/** The operation by which a container is named: its own, or that of the one that it is in; undefined for what goes by its name. */
export const operationNaming = (id: ContainerID): TreeID | undefined => {
  const operation = madeAbove(id) ?? CONTAINER.exec(id)?.[1];
  return operation !== undefined && isTreeId(operation) ? operation : undefined;
};

/** The operation of a name. */
export const operationOf = (name: TreeID): OpId => {
  const [counter, peer] = name.split("@");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Loro's own form of a peer
  return { peer: peer as PeerID, counter: Number(counter) };
};

/** The id of the same container by another operation. */
export const renameOperation = (id: ContainerID, operation: TreeID): ContainerID => {
  const { peer, counter } = operationOf(operation);
  const above = `@${BigInt(peer).toString(36)}:${BigInt(counter).toString(36)}`;
  const prefix = MERGEABLE_IN.exec(id)?.[0];
  const renamed =
    prefix === undefined
      ? id.replace(CONTAINER, `cid:${operation}:`)
      : `cid:root-🤝:${above}>${id.slice(prefix.length)}`;
  if (!isContainerId(renamed)) throw new Error("a container is called by something else than an operation");
  return renamed;
};

const isContainerId = (id: string): id is ContainerID => id.startsWith("cid:");
