/** Commits of one writer, one after the other, as one update. */
import { Result } from "effect";
import type { LoroDoc } from "loro-crdt";
import { joinUpdates } from "./join-updates.ts";
import { type OperationRange, rangesOfUpdate } from "./update-ranges.ts";

/** So many commits are written anew; fewer are joined as they are, which is quicker. */
const WRITTEN_ANEW = 4;

/**
 * The same operations as these local updates of a document, which has them, in as few updates as can be. Loro writes a
 * run of commits in little more bytes than one of them takes (hazard L6), and imports it as quickly as one.
 */
export const mergeCommits = (doc: LoroDoc, updates: ReadonlyArray<Uint8Array>): ReadonlyArray<Uint8Array> => {
  const [first] = updates;
  const last = updates.at(-1);
  if (first === undefined || last === undefined || updates.length < WRITTEN_ANEW) return joinUpdates(updates);
  const start = onlyRange(first);
  const end = onlyRange(last);
  // Exporting would commit what somebody is in the middle of writing.
  if (start === undefined || start.peer !== end?.peer || doc.getPendingTxnLength() > 0) return joinUpdates(updates);
  const span = { id: { peer: start.peer, counter: start.start }, len: end.end - start.start };
  return [doc.export({ mode: "updates-in-range", spans: [span] })];
};

const onlyRange = (update: Uint8Array): OperationRange | undefined => {
  const ranges = rangesOfUpdate(update);
  return Result.isSuccess(ranges) && ranges.success.length === 1 ? ranges.success[0] : undefined;
};
