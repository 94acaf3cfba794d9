/** What of a device's edits the server has as they are (rule 12). */
import type { LoroDoc, PeerID } from "loro-crdt";
import { digestAt, rangesOf, versionOf } from "./document-versions.ts";
import { joinRanges, type OperationRange } from "./update-ranges.ts";

interface Edits {
  /** Those of this device that no server acknowledged, as far as it knows. */
  readonly own: ReadonlyArray<TimedUpdate>;
  /** What the server has of this device and this store has not. */
  readonly elsewhere: ReadonlyArray<TimedUpdate>;
}

interface TimedUpdate {
  readonly update: Uint8Array;
  readonly time: number;
}

/**
 * How many of the own edits, from the first on, the server has: all their operations are there, they come to the same
 * content, and they are no younger than what is there. A copy of a profile shares its edits up to the moment of copying;
 * from the first one that differs on, nothing is shared.
 */
export const commonEdits = (ours: LoroDoc, theirs: LoroDoc, { own, elsewhere }: Edits): number => {
  const newest = Math.max(0, ...elsewhere.map(({ time }) => time));
  const there = versionOf(theirs);
  const candidates = own.findIndex(
    ({ update, time }) => time > newest || rangesOf(update).some(({ peer, end }) => (there.get(peer) ?? 0) < end),
  );
  const most = candidates < 0 ? own.length : candidates;
  const ranges = joinRanges(own.slice(0, most).flatMap(({ update }) => rangesOf(update)));
  if (ranges.length === 0) return 0;
  const same = (count: number): boolean => {
    const cut = cutBefore(ours, own, count);
    return digestAt(ours, cut) === digestAt(theirs, cut);
  };
  // Edits that are shared are shared from the first on, so that halving finds where they end.
  let [known, unknown] = [0, most + 1];
  while (unknown - known > 1) {
    const middle = (known + unknown) >> 1;
    if (same(middle)) known = middle;
    else unknown = middle;
  }
  return known;
};

/** The version of everything but the own edits from `count` on. */
const cutBefore = (doc: LoroDoc, own: Edits["own"], count: number): ReadonlyMap<PeerID, number> => {
  const cut = versionOf(doc);
  for (const { update } of own.slice(count)) {
    for (const { peer, start } of rangesOf(update)) cut.set(peer, Math.min(cut.get(peer) ?? 0, start));
  }
  return cut;
};

/** Where an edit that the server has begins. */
export const placeOf = (update: Uint8Array, elsewhere: Edits["elsewhere"]): number => {
  const [first] = rangesOf(update);
  const holds = ({ peer, start, end }: OperationRange): boolean =>
    first === undefined || (peer === first.peer && start <= first.start && first.start < end);
  return Math.max(
    0,
    elsewhere.findIndex((taken) => rangesOf(taken.update).some(holds)),
  );
};
