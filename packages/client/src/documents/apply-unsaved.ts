/** Edits that were made in one document and stored nowhere, as edits of another one that has all the rest (rule 12). */
import {
  canonicalContent,
  type DocumentType,
  forgetPast,
  hasLostSuccessors,
  jsonDifference,
  operationOf,
  renewSuccessors,
  settleDocument,
} from "@cairn/schema";
import { Result } from "effect";
import {
  type ContainerID,
  type JsonDiff,
  type LoroDoc,
  type OpId,
  type PeerID,
  type TreeID,
  VersionVector,
} from "loro-crdt";
import { applyChanges } from "./apply-changes.ts";
import { contentAt } from "./document-versions.ts";
import { formsOfUpdates, outsideForms } from "./edited-fields.ts";
import { stepsBetween } from "./moved-changes.ts";
import { Counterparts } from "./counterparts.ts";
import { standingOf } from "./node-standing.ts";
import { asItIs, type FittedChange, itemThereBy, placeItems } from "./placed-items.ts";
import { type ContainerDiff, type IsShared } from "./tree-changes.ts";
import { isInRange, rangesOfUpdate } from "./update-ranges.ts";

/**
 * Applies to `to` what the updates changed in `from`, which is not asked for its past afterwards. Where a text or a list is another
 * one in `to`, by what others wrote meanwhile, an edit lies behind what comes before it in both, and takes away nothing but
 * what is in both. `isKnown` says what has the same name in both and is the same. Returns the paths of what has no place in `to` any more. The caller commits what is not committed: forms are
 * made in commits of their own.
 */
export const applyUnsaved = (
  from: LoroDoc,
  updates: ReadonlyArray<Uint8Array>,
  to: LoroDoc,
  type: DocumentType | undefined,
  isKnown: IsShared = () => true,
): ReadonlyArray<string> => {
  const version = from.oplogVersion();
  const before = new Map<PeerID, number>(version.toJSON());
  version.free();
  const ranges = updates.flatMap((update) => Result.getOrElse(rangesOfUpdate(update), () => []));
  for (const { peer, start } of ranges) before.set(peer, Math.min(before.get(peer) ?? 0, start));
  // Nobody else has what these updates made, whatever goes by its name in `to`.
  const isShared: IsShared = (operation) =>
    !ranges.some((range) => isInRange(operationOf(operation), range)) && isKnown(operation);
  const begin = VersionVector.parseJSON(before);
  const reached = from.oplogFrontiers();
  const base = from.vvToFrontiers(begin);
  const forms = formsOfUpdates(type, from, updates, to);
  const applySince = (since: OpId[]): ReadonlyArray<string> => {
    const isThere = (tree: ContainerID, node: TreeID): boolean =>
      isShared(node) && standingOf(to, tree, node) === "alive";
    const difference = outsideForms(forms?.stored(), jsonDifference(from, since, from.oplogFrontiers(), isThere));
    forms?.open(new Set(difference.map(([id]) => id)));
    const before = from.forkAt(since);
    try {
      return applyFrom(before, from, to, difference, isShared);
    } finally {
      before.free();
    }
  };
  const received = to.oplogVersion();
  const hasMore = received.compare(begin) === 1;
  received.free();
  begin.free();
  const lost = [...applySince(base)];
  to.commit();
  if (hasLostSuccessors(to)) {
    // A field's newer form that these edits made comes from a version that nobody will have.
    if (type !== undefined) {
      settleDocument(type, from);
      lost.push(...applySince(reached));
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

/** Applies changes that begin at `before`, a state of `from`. */
const applyFrom = (
  before: LoroDoc,
  from: LoroDoc,
  to: LoroDoc,
  changes: ReadonlyArray<ContainerDiff>,
  isShared: IsShared,
): ReadonlyArray<string> => {
  // A container that was made anew has another name there, and the same place.
  const counterparts = new Counterparts(before, to, isShared);
  const placed = canonicalContent(before) === canonicalContent(to) ? placeAll(counterparts, changes) : undefined;
  if (placed !== undefined) {
    const isKnown: IsShared = (operation) => counterparts.isFound(operation) || isShared(operation);
    return applyChanges(from, to, placed, (_, diff) => asItIs(diff), isKnown);
  }
  const fit = (id: ContainerID, diff: JsonDiff): FittedChange => {
    const [was, is] = [before.getContainerById(id), to.getContainerById(id)];
    const base = stepsBetween(was, is, isShared);
    const isTaken = (name: ContainerID): boolean => from.getContainerById(name) !== undefined;
    return placeItems(diff, base, was, is, itemThereBy(was, is, base, isShared, isTaken));
  };
  return applyChanges(from, to, changes, fit, isShared);
};

/** Undefined where something has no place that is its own. */
const placeAll = (
  counterparts: Counterparts,
  changes: ReadonlyArray<ContainerDiff>,
): ReadonlyArray<ContainerDiff> | undefined => {
  try {
    return counterparts.place(changes);
  } catch {
    return undefined;
  }
};
