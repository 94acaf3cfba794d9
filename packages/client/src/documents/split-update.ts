/**
 * One update as several smaller ones, by ranges of its operations (rule 13): a pasted book is one operation to its author,
 * and as many to Loro as it has characters. A single value of a map or a list cannot be cut.
 */
import { Result } from "effect";
import type { LoroDoc } from "loro-crdt";
import { type OperationRange, rangesOfUpdate } from "./update-ranges.ts";

const exportRange = (doc: LoroDoc, { peer, start, end }: OperationRange): Uint8Array =>
  doc.export({ mode: "updates-in-range", spans: [{ id: { peer, counter: start }, len: end - start }] });

const cut = (doc: LoroDoc, range: OperationRange, bytes: number): ReadonlyArray<Uint8Array> => {
  const whole = exportRange(doc, range);
  const length = range.end - range.start;
  if (whole.length <= bytes || length < 2) return [whole];
  // As many parts as should do, so that a large update is not exported once for each of its halves' halves.
  const parts = Math.min(length, Math.ceil((whole.length / bytes) * 1.1));
  const step = Math.ceil(length / parts);
  const pieces: Array<Uint8Array> = [];
  for (let start = range.start; start < range.end; start += step) {
    pieces.push(...cut(doc, { ...range, start, end: Math.min(range.end, start + step) }, bytes));
  }
  return pieces;
};

/**
 * Pieces with exactly the operations of `update`, in order, each of at most `bytes` unless it is a single operation.
 * `doc` has the update applied; an update that it lacks, or that is none, is left whole.
 */
export const splitUpdate = (doc: LoroDoc, update: Uint8Array, bytes: number): ReadonlyArray<Uint8Array> => {
  const ranges = rangesOfUpdate(update);
  if (Result.isFailure(ranges)) return [update];
  const version = doc.oplogVersion();
  try {
    if (ranges.success.some(({ peer, end }) => (version.get(peer) ?? 0) < end)) return [update];
  } finally {
    version.free();
  }
  return ranges.success.flatMap((range) => cut(doc, range, bytes));
};
