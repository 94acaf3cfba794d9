/** Edits of an open document that wait for the store. */
import type { LoroDoc } from "loro-crdt";
import { mergeCommits } from "../documents/merge-commits.ts";
import type { NewEdit } from "../engine/EngineApi.ts";

/** An edit whose row is made when it is handed over. */
export type QueuedEdit = Omit<NewEdit, "row">;

/**
 * What is queued, as few edits as can be: commits that were made while the store was busy are stored as one update, since
 * what an update costs to store, to send and to import is nearly all for its being one.
 */
export const fewestEdits = (queue: ReadonlyArray<QueuedEdit>, loro: LoroDoc): ReadonlyArray<QueuedEdit> => {
  const edits: Array<QueuedEdit> = [];
  let run: Array<Uint8Array> = [];
  for (const [index, edit] of queue.entries()) {
    // An edit that refers to chunks stays one of its own: an entry refers to no more of them than its header holds.
    if (edit.refs.length > 0) edits.push(edit);
    else run.push(edit.update);
    const next = queue[index + 1];
    if (run.length === 0 || (next !== undefined && next.refs.length === 0)) continue;
    edits.push(...mergeCommits(loro, run).map((update) => ({ ...edit, update })));
    run = [];
  }
  return edits;
};
