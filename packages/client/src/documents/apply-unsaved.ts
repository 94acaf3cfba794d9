/** Edits that were made in one document and stored nowhere, as edits of another one that has all the rest (rule 12). */
import { type DocumentType, forgetPast, hasLostSuccessors, renewSuccessors, settleDocument } from "@cairn/schema";
import { Result } from "effect";
import { type Delta, type JsonDiff, type LoroDoc, type PeerID, VersionVector } from "loro-crdt";
import { applyChanges } from "./apply-changes.ts";
import { contentAt } from "./document-versions.ts";
import { formsOfUpdates, outsideForms } from "./edited-fields.ts";
import type { ContainerDiff } from "./tree-changes.ts";
import { rangesOfUpdate } from "./update-ranges.ts";

/**
 * Applies to `to` what the updates changed in `from`, which is not asked for its past afterwards. Where `to` has got shorter by
 * what others wrote meanwhile, an edit that would lie behind the end lies at the end. Returns the paths of what has no place in
 * `to` any more. The caller commits what is not committed: forms are made in commits of their own.
 */
export const applyUnsaved = (
  from: LoroDoc,
  updates: ReadonlyArray<Uint8Array>,
  to: LoroDoc,
  type: DocumentType | undefined,
): ReadonlyArray<string> => {
  const version = from.oplogVersion();
  const before = new Map<PeerID, number>(version.toJSON());
  version.free();
  for (const update of updates) {
    for (const { peer, start } of Result.getOrElse(rangesOfUpdate(update), () => [])) {
      before.set(peer, Math.min(before.get(peer) ?? 0, start));
    }
  }
  const begin = VersionVector.parseJSON(before);
  const reached = from.oplogFrontiers();
  const base = from.vvToFrontiers(begin);
  const allSince = (since: ReturnType<LoroDoc["frontiers"]>) => from.diff(since, from.oplogFrontiers(), true);
  const forms = formsOfUpdates(type, from, updates, to);
  const apply = (changes: ReadonlyArray<ContainerDiff>): ReadonlyArray<string> => {
    const difference = outsideForms(forms?.stored(), changes);
    forms?.open(new Set(difference.map(([id]) => id)));
    return applyChanges(from, to, difference, (id, diff) => fitting(diff, lengthOf(to, id)));
  };
  const received = to.oplogVersion();
  const hasMore = received.compare(begin) === 1;
  received.free();
  begin.free();
  const lost = [...apply(allSince(base))];
  to.commit();
  if (hasLostSuccessors(to)) {
    // A field's newer form that these edits made comes from a version that nobody will have.
    if (type !== undefined) {
      settleDocument(type, from);
      lost.push(...apply(allSince(reached)));
    }
    // What the edits did not know is still carried over. None of them is in an older form: all are one app's.
    const isKnown = hasMore && contentAt(from, base) === contentAt(to, base);
    renewSuccessors(to, isKnown ? base : undefined);
    to.commit();
  }
  lost.push(...(forms?.bring() ?? []));
  forgetPast(from);
  return [...new Set(lost)];
};

const lengthOf = (doc: LoroDoc, id: Parameters<LoroDoc["getContainerById"]>[0]): number => {
  const container = doc.getContainerById(id);
  return container !== undefined && "length" in container ? container.length : 0;
};

/** The same change, within a sequence of this length. */
const fitting = (diff: JsonDiff, length: number): JsonDiff =>
  diff.type === "text"
    ? { type: "text", diff: fittingParts(diff.diff, length) }
    : diff.type === "list"
      ? { type: "list", diff: fittingParts(diff.diff, length) }
      : diff;

const fittingParts = <T>(parts: ReadonlyArray<Delta<T>>, length: number): Array<Delta<T>> => {
  const fitted: Array<Delta<T>> = [];
  let left = length;
  for (const part of parts) {
    const wanted = part.retain ?? part.delete;
    if (wanted === undefined) {
      fitted.push(part);
      continue;
    }
    const taken = Math.min(wanted, left);
    left -= taken;
    if (taken > 0) fitted.push(part.retain === undefined ? { delete: taken } : { ...part, retain: taken });
  }
  return fitted;
};
