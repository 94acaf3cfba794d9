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
 * The updates that go into the next entry: the longest run from the front that fits one, in bytes and in the attachment
 * chunks that it refers to. Never empty where there is an update; one that is too large alone is the server's to refuse.
 */
export const takeUpdates = <Item extends { readonly update: Uint8Array; readonly refs: ReadonlyArray<unknown> }>(
  updates: ReadonlyArray<Item>,
  limits: { readonly bytes: number; readonly refs: number },
): ReadonlyArray<Item> => {
  let bytes = 0;
  let refs = 0;
  const end = updates.findIndex((item, index) => {
    bytes += item.update.length;
    refs += item.refs.length;
    return index > 0 && (bytes > limits.bytes || refs > limits.refs);
  });
  return end < 0 ? updates : updates.slice(0, end);
};
