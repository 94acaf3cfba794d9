/** Loro versions as plain data: per peer, how many operations a document holds. */
import type { LoroDoc, PeerID } from "loro-crdt";

export type Version = ReadonlyMap<PeerID, number>;

/** What a document holds, operations that wait for others left out. */
export const versionOf = (doc: LoroDoc): Version => {
  const version = doc.oplogVersion();
  try {
    return version.toJSON();
  } finally {
    version.free();
  }
};

export const includes = (version: Version, other: Version): boolean =>
  [...other].every(([peer, counter]) => (version.get(peer) ?? 0) >= counter);

export const sameVersion = (left: Version, right: Version): boolean => includes(left, right) && includes(right, left);

export const operationCount = (version: Version): number =>
  [...version.values()].reduce((sum, counter) => sum + counter, 0);

export const describeVersion = (version: Version): string =>
  `{ ${[...version].map(([peer, counter]) => `${peer}: ${counter}`).join(", ")} }`;
