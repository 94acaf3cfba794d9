/**
 * Fields whose containers changed between two versions: successors.
 *
 * Until somebody edits the newer form it is computed from the older one, and nothing is written. The first edit makes a
 * successor: a map of its own in the same document, under a name that no other device can choose, with the content in the
 * newer form. A register names the one that counts; where two devices make one at the same moment, Loro decides, and every
 * device sees the same decision.
 *
 * What the successor that counts does not know yet is carried over when it is read, as if its author had done it there: the
 * edits that an older app made to the older form afterwards, and those made to successors that did not win. That carrying
 * is a pure function of the document, so it doubles nothing, whoever does it and however often. The next edit writes the
 * result down as a successor of its own.
 *
 * The predecessor stays as it is. Older apps read and edit it, and everything else in the document, together with newer apps.
 */
import type { LoroDoc, LoroMap } from "loro-crdt";
import { isContainer } from "../container.ts";
import { digestText } from "../digest.ts";
import type { Fields } from "../field-kinds.ts";
import { isPlainObject } from "../json.ts";
import { MAP, type Place, findContainer, openContainer, readAndFree, samePlaceIn } from "../place.ts";
import { REMOVED_KEY, readField, readFields } from "../read.ts";
import type { InvalidValue, Path, Report, SettlingPurpose, Slot } from "../slots.ts";
import { originalOf, readPast } from "./past-versions.ts";
import { fitViews } from "./fit-view.ts";
import { type View, mergeViews, viewText } from "./merge-views.ts";
import { reconcileFields } from "./reconcile.ts";
import { COVERS, CREATED, type Version, versionOf } from "./successor-state.ts";

/** One step from some fields to others, of which some are containers. */
export interface Change {
  readonly version: number;
  /** Where its successors are stored. */
  readonly key: string;
  readonly older: ReadonlyArray<Slot>;
  /** The fields that the step makes, by the names they had when it was declared. */
  readonly newer: Fields;
  readonly up: (older: View) => unknown;
}

/** The origin of commits by which a successor comes into being: no edit of a person's, and not to be undone by one. */
export const SUCCESSOR_ORIGIN = "cairn/successor";

interface Successor {
  readonly id: string;
  readonly place: Place;
  /** What its author knew when making it. */
  readonly covers: Version;
  /** The version at which it was made and not edited yet. */
  readonly created: Version;
  /** Digest of the older form, as it was then. */
  readonly base: string;
  /** Digest of its own view, as it was made. */
  readonly made: string;
  /** Digests of the other successors' views, as far as they are covered. */
  readonly seen: Readonly<Record<string, unknown>>;
  /** It was emptied together with its record, and counts no more. Whoever has its items from it does not have them either. */
  readonly isRemoved: boolean;
}

/** The newer form of a place. */
interface Current {
  readonly view: View;
  /** The successor that counts, where it says all there is. */
  readonly settled: Place | undefined;
}

const BASE = "$base";
export const MADE = "$made";
export const SEEN = "$seen";
export const WINNER = "$winner";

export const ignore: Report = () => {};
const digestOf = (view: View): string => digestText(viewText(view));

export const readOlder = ({ older }: Change, place: Place, report: Report): View =>
  Object.fromEntries(older.map((slot) => [slot.name, readField(slot, place, [slot.name], report)]));

const readNewer = ({ newer }: Change, place: Place, path: Path = [], report: Report = ignore): View =>
  readFields(newer, place, path, report);

/** The older form in the newer one. Total: what the step cannot convert is left out. */
export const convert = (change: Change, older: View, report: Report): View => {
  let made: unknown;
  try {
    made = change.up(older);
  } catch {
    made = undefined;
  }
  return fitViews(change.newer, isPlainObject(made) ? made : {}, [], report);
};

const textOf = (map: LoroMap, key: string): string => {
  const value: unknown = map.get(key);
  return typeof value === "string" ? value : "";
};

/**
 * In the order of causes: who knew another one comes after it, so that what it did to the other's items finds them. Its author
 * names all it knew, and whoever knew that author's knew those as well, so it names more. By id where neither knew the other.
 */
const byCause = (left: Successor, right: Successor): number => {
  const more = Object.keys(left.seen).length - Object.keys(right.seen).length;
  return more !== 0 ? more : left.id < right.id ? -1 : 1;
};

const successorsIn = (
  change: Change,
  place: Place,
): { readonly all: ReadonlyArray<Successor>; readonly winner: Successor | undefined } => {
  const root = findContainer(place, MAP, change.key);
  if (typeof root === "string") return { all: [], winner: undefined };
  const [entries, named] = readAndFree(root, () => [root.entries(), root.get(WINNER)]);
  const all = entries.flatMap(([id, map]): ReadonlyArray<Successor> => {
    if (!isContainer(map) || !MAP.is(map)) return [];
    const covers = versionOf(map.get(COVERS));
    const created = versionOf(map.get(CREATED));
    const isRemoved = covers === undefined && map.get(REMOVED_KEY) === true;
    // Half of one, or nobody's: as if it were not there.
    if (!isRemoved && (covers === undefined || created === undefined)) return [];
    const seen: unknown = map.get(SEEN);
    return [
      {
        id,
        place: { at: "record", doc: place.doc, map },
        covers: covers ?? [],
        created: created ?? [],
        base: textOf(map, BASE),
        made: textOf(map, MADE),
        seen: isPlainObject(seen) ? seen : {},
        isRemoved,
      },
    ];
  });
  all.sort(byCause);
  const counting = all.filter((successor) => !successor.isRemoved);
  return { all, winner: counting.find(({ id }) => id === named) ?? counting.at(-1) };
};

/** Views at versions of a document, which never change. */
const histories = new WeakMap<LoroDoc, History>();

type Views = Map<string, View | undefined>;
type History = WeakMap<Change, Views>;

/** Of one change in one document. */
const MAX_REMEMBERED = 64;

const viewsOf = (change: Change, { doc }: Place): Views => {
  const original = originalOf(doc);
  const history: History = histories.get(original) ?? new WeakMap<Change, Views>();
  histories.set(original, history);
  const views: Views = history.get(change) ?? new Map<string, View | undefined>();
  history.set(change, views);
  return views;
};

const nameOf = (version: Version): string =>
  version
    .map(({ peer, counter }) => `${peer}:${counter}`)
    .toSorted()
    .join(" ");

type Form = "older" | "newer";

const nameAt = (form: Form, version: Version, place: Place): string =>
  `${form} ${place.at === "record" ? place.map.id : ""} ${nameOf(version)}`;

const remember = (change: Change, form: Form, version: Version, place: Place, view: View | undefined): void => {
  const views = viewsOf(change, place);
  const [oldest] = views.keys();
  if (views.size >= MAX_REMEMBERED && oldest !== undefined) views.delete(oldest);
  views.set(nameAt(form, version, place), view);
};

/** What a form was at a version of the document; undefined where that version is not here any more. */
const readAt = (change: Change, form: Form, version: Version, place: Place): View | undefined => {
  const views = viewsOf(change, place);
  const name = nameAt(form, version, place);
  if (views.has(name)) return views.get(name);
  const view = computeAt(change, form, version, place);
  remember(change, form, version, place, view);
  return view;
};

const computeAt = (change: Change, form: Form, version: Version, place: Place): View | undefined => {
  try {
    return readPast(place.doc, version, (past) => {
      const then = samePlaceIn(past, place);
      return form === "older" ? readOlder(change, then, ignore) : readNewer(change, then);
    });
  } catch {
    return undefined;
  }
};

const compute = (change: Change, place: Place, report: Report): Current => {
  const older = readOlder(change, place, report);
  const { all, winner } = successorsIn(change, place);
  if (winner === undefined) return { view: convert(change, older, report), settled: undefined };
  let view = readNewer(change, winner.place, [], report);
  let isSettled = true;
  if (digestOf(older) !== winner.base) {
    isSettled = false;
    // Edits to the older form that the successor does not know.
    const before = readAt(change, "older", winner.covers, place);
    const then = convert(change, before ?? older, ignore);
    view = mergeViews(change.newer, then, convert(change, older, report), view, place.doc);
  }
  for (const other of all) {
    if (other === winner) continue;
    const edited = readNewer(change, other.place);
    const seen = winner.seen[other.id];
    if (other.isRemoved && seen === undefined) continue;
    if (digestOf(edited) === (seen ?? other.made)) continue;
    isSettled = false;
    // Edits to one that did not win.
    const before =
      seen === undefined ? asMade(change, place, other) : readAt(change, "newer", winner.covers, other.place);
    if (before !== undefined) view = mergeViews(change.newer, before, view, edited, place.doc);
  }
  return { view, settled: isSettled ? winner.place : undefined };
};

/**
 * What a successor was before it was edited. One whose edits were written anew together with it names a version that has
 * them: what it was is what the step makes of the older form then, where that is what its author says it made.
 */
const asMade = (change: Change, place: Place, { created, covers, made, place: at }: Successor): View | undefined => {
  const view = readAt(change, "newer", created, at);
  if (view === undefined || digestOf(view) === made) return view;
  const older = readAt(change, "older", covers, place);
  const converted = older === undefined ? undefined : convert(change, older, ignore);
  return converted !== undefined && digestOf(converted) === made ? converted : view;
};

interface Computed {
  readonly change: Change;
  /** Operations of the document when it was computed. */
  readonly operations: number;
  readonly current: Current;
  readonly invalid: ReadonlyArray<InvalidValue>;
}

/** Where something is carried over, computing costs copies of the document: the last result of each place. */
const computed = new WeakMap<LoroDoc, Map<string, Computed>>();

const MAX_KEPT = 64;

const current = (change: Change, place: Place, report: Report): Current => {
  const root = findContainer(place, MAP, change.key);
  const id = typeof root === "string" ? undefined : readAndFree(root, () => (root.size === 0 ? undefined : root.id));
  if (id === undefined || place.doc.isDetached()) return compute(change, place, report);
  const operations = place.doc.opCount();
  const kept = computed.get(place.doc) ?? new Map<string, Computed>();
  computed.set(place.doc, kept);
  let known = kept.get(id);
  if (known?.operations !== operations || known.change !== change) {
    const invalid: Array<InvalidValue> = [];
    known = { change, operations, current: compute(change, place, (found) => invalid.push(found)), invalid };
    if (kept.size >= MAX_KEPT) kept.clear();
    kept.set(id, known);
  }
  known.invalid.forEach(report);
  return known.current;
};

/** The newer form of a place, everything carried over. Total, and writes nothing. */
export const readSuccessor = (change: Change, place: Place, path: Path, report: Report): View =>
  current(change, place, (found) => report({ ...found, path: [...path, ...found.path] })).view;

/** Whether the newer form is written down, and says all there is. */
export const isSettled = (change: Change, place: Place): boolean =>
  current(change, place, ignore).settled !== undefined;

/**
 * The place where the newer form is edited: made here if nobody made it yet, or if there is something to carry over. What was
 * edited before in the same transaction is committed first, and making it is a commit of its own.
 */
export const openSuccessor = (change: Change, place: Place): Place => {
  const { view, settled } = current(change, place, ignore);
  if (settled !== undefined) return settled;
  const { doc } = place;
  doc.commit();
  const covers = doc.frontiers();
  const root = openContainer(place, MAP, change.key, []);
  // Of all devices only this one writes as this peer, and it has not written at this position before.
  const id = `${doc.peerIdStr}.${doc.version().get(doc.peerIdStr) ?? 0}`;
  const seen = successorsIn(change, place).all.map((other) => [other.id, digestOf(readNewer(change, other.place))]);
  const older = readOlder(change, place, ignore);
  const map = root.ensureMergeableMap(id);
  const made: Place = { at: "record", doc, map };
  reconcileFields(change.newer, made, view);
  map.set(COVERS, covers);
  map.set(BASE, digestOf(older));
  const newer = readNewer(change, made);
  map.set(MADE, digestOf(newer));
  map.set(SEEN, Object.fromEntries(seen));
  doc.commit({ origin: SUCCESSOR_ORIGIN });
  const created = doc.frontiers();
  map.set(CREATED, created);
  root.set(WINNER, id);
  doc.commit({ origin: SUCCESSOR_ORIGIN });
  remember(change, "older", covers, place, older);
  remember(change, "newer", created, made, newer);
  return made;
};

/**
 * Writes down what reading carries over, where somebody has made a successor.
 *
 * A copy has nothing of the history in which successors became one another. So it gets the one that says all, as if its author
 * had made it of the older form alone: where another device's successor wins that knows of none, all of this one counts as an edit.
 */
export const settleSuccessor = (change: Change, place: Place, purpose?: SettlingPurpose): void => {
  for (const { origin } of change.older) origin?.settle(place, purpose);
  const root = findContainer(place, MAP, change.key);
  if (typeof root === "string" || root.size === 0) return;
  const settled = openSuccessor(change, place);
  if (purpose !== "copy" || settled.at !== "record") return;
  settled.map.set(MADE, digestOf(convert(change, readOlder(change, place, ignore), ignore)));
  for (const { id, place: other } of successorsIn(change, place).all) {
    if (other.at === "record" && other.map.id !== settled.map.id) root.delete(id);
  }
  place.doc.commit({ origin: SUCCESSOR_ORIGIN });
};
