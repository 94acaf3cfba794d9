/** Where a document stands, by counters and by frontiers, and what it says there. */
import { canonicalContent, operationOf, stateDigestInput } from "@cairn/schema";
import { Result } from "effect";
import { type LoroDoc, type OpId, type PeerID, VersionVector } from "loro-crdt";
import type { IsShared } from "./tree-changes.ts";
import { type OperationRange, rangesOfUpdate } from "./update-ranges.ts";

/** How many operations of each peer there are. */
export type Counters = ReadonlyMap<PeerID, number>;

export const versionOf = (doc: LoroDoc): Map<PeerID, number> => {
  const version = doc.oplogVersion();
  const counters = version.toJSON();
  version.free();
  return counters;
};

export const frontiersAt = (doc: LoroDoc, counters: ReadonlyMap<PeerID, number>): OpId[] => {
  const version = VersionVector.parseJSON(new Map(counters));
  const frontiers = doc.vvToFrontiers(version);
  version.free();
  return frontiers;
};

export const rangesOf = (update: Uint8Array): ReadonlyArray<OperationRange> =>
  Result.getOrElse(rangesOfUpdate(update), (refused) => {
    throw refused;
  });

/** How far the document is after the base and the first, second, … own edit. */
export const countersAfter = (
  base: LoroDoc,
  own: ReadonlyArray<{ readonly update: Uint8Array }>,
): ReadonlyArray<Counters> => {
  const reached = versionOf(base);
  const all: Array<Counters> = [new Map(reached)];
  for (const { update } of own) {
    for (const { peer, end } of rangesOf(update)) reached.set(peer, Math.max(reached.get(peer) ?? 0, end));
    all.push(new Map(reached));
  }
  return all;
};

/** What the digest of the state there is made of. */
export const digestAt = (doc: LoroDoc, version: ReadonlyMap<PeerID, number>): string =>
  readAt(doc, frontiersAt(doc, version), (fork) => new TextDecoder().decode(stateDigestInput(fork)));

export const contentAt = (doc: LoroDoc, frontiers: OpId[]): string => readAt(doc, frontiers, canonicalContent);

const readAt = (doc: LoroDoc, frontiers: OpId[], read: (fork: LoroDoc) => string): string => {
  const fork = doc.forkAt(frontiers);
  try {
    return read(fork);
  } finally {
    fork.free();
  }
};

/** What the authors of some edits knew: without these edits, and with them. */
export interface Known {
  readonly before: OpId[];
  readonly after: OpId[];
}

/** What the authors of these updates of a document knew; undefined where the document has nothing of the updates. */
export const knownToAuthors = (doc: LoroDoc, updates: ReadonlyArray<Uint8Array>): Known | undefined => {
  const reached = versionOf(doc);
  const ranges = updates
    .flatMap((update) => Result.getOrElse(rangesOfUpdate(update), (): ReadonlyArray<OperationRange> => []))
    .filter(({ peer, end }) => (reached.get(peer) ?? 0) >= end);
  if (ranges.length === 0) return undefined;
  const after = new Map<PeerID, number>();
  for (const { peer, end } of ranges) {
    const version = doc.frontiersToVV([{ peer, counter: end - 1 }]);
    for (const [each, counter] of version.toJSON()) after.set(each, Math.max(after.get(each) ?? 0, counter));
    version.free();
  }
  const before = new Map(after);
  for (const { peer, start } of ranges) before.set(peer, Math.min(before.get(peer) ?? 0, start));
  return { before: frontiersAt(doc, before), after: frontiersAt(doc, after) };
};

/** What is named by an operation of a document. */
export const isIn = (doc: LoroDoc): IsShared => {
  const version = versionOf(doc);
  return (operation) => {
    const { peer, counter } = operationOf(operation);
    return counter < (version.get(peer) ?? 0);
  };
};
