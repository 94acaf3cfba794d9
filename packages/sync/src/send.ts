/** Sending: which edits leave PENDING now, and which frozen entries make up the next batch. Pure. */
import type { DocumentId } from "@cairn/protocol";

/**
 * The documents whose waiting edits become an entry now: those that have no unacknowledged entry (rule 6), oldest edit
 * first, so that a busy document never starves the others.
 */
export const documentsToFreeze = (
  pending: ReadonlyArray<{ readonly document: DocumentId; readonly oldest: number }>,
  unacknowledged: ReadonlySet<DocumentId>,
  limit: number,
): ReadonlyArray<DocumentId> =>
  pending
    .filter(({ document }) => !unacknowledged.has(document))
    .toSorted((left, right) => left.oldest - right.oldest)
    .slice(0, limit)
    .map(({ document }) => document);

/** The longest run from the front that fits a batch; never empty where there is an entry. */
export const takeBatch = <Item extends { readonly entry: Uint8Array }>(
  waiting: ReadonlyArray<Item>,
  limits: { readonly entries: number; readonly bytes: number },
): ReadonlyArray<Item> => {
  const batch: Array<Item> = [];
  let bytes = 16;
  for (const item of waiting) {
    bytes += item.entry.length + 4;
    if (batch.length > 0 && (batch.length >= limits.entries || bytes > limits.bytes)) break;
    batch.push(item);
  }
  return batch;
};

/**
 * Splits updates into runs that fit one entry each, in order; the caller seals each run as an entry of its own. A single
 * update above the limit is a run of its own, which the caller parks.
 */
export const splitUpdates = <Item extends { readonly update: Uint8Array }>(
  updates: ReadonlyArray<Item>,
  maxBytes: number,
): ReadonlyArray<ReadonlyArray<Item>> => {
  const runs: Array<Array<Item>> = [];
  let run: Array<Item> = [];
  let bytes = 0;
  for (const item of updates) {
    if (run.length > 0 && bytes + item.update.length > maxBytes) {
      runs.push(run);
      run = [];
      bytes = 0;
    }
    run.push(item);
    bytes += item.update.length;
  }
  if (run.length > 0) runs.push(run);
  return runs;
};
