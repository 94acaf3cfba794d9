import type { Unsynced } from "../sync-api.ts";

/** What is only on this device in several workspaces together. */
export const sumUnsynced = (each: ReadonlyArray<Unsynced>): Unsynced => {
  const sum = (key: "documents" | "edits" | "bytes" | "deadLetters"): number =>
    each.reduce((total, unsynced) => total + unsynced[key], 0);
  const oldest = Math.min(...each.map(({ oldestAt }) => oldestAt ?? Infinity));
  return {
    documents: sum("documents"),
    edits: sum("edits"),
    bytes: sum("bytes"),
    deadLetters: sum("deadLetters"),
    oldestAt: oldest === Infinity ? undefined : oldest,
  };
};
