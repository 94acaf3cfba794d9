/**
 * Edits made under peer ids that somebody else used too, as new operations under a new peer id (rule 12, hazard L4).
 *
 * After a profile was cloned, the same peer and counter may name one operation here and another one at the server. Two
 * replicas with such a pair have equal versions and different texts, with no error. So what the server has acknowledged is
 * taken as it is, and what it has not is made anew: as the difference that it makes, applied where it was made.
 *
 * A copy of a store may be used more than once, and each use makes the same edits anew. So an edit keeps a name, its first
 * form, and what others have made anew of the same edits is taken as it is, too.
 */
import { LoroDoc, type PeerID } from "loro-crdt";
import {
  canonicalContent,
  configureStyles,
  difference,
  type DocumentSchema,
  type DocumentType,
  forgetReaches,
  hasLostSuccessors,
  type NameOfSuccessor,
  renameSuccessors,
  renewSuccessors,
  settleDocument,
  versionsOfSuccessors,
} from "@cairn/schema";
import { documentTypeOf } from "../engine/engine-schema.ts";
import { commonEdits, placeOf } from "./common-edits.ts";
import {
  contentAt,
  type Counters,
  countersAfter,
  frontiersAt,
  isIn,
  rangesOf,
  versionOf,
} from "./document-versions.ts";
import type { OwnEdit, Reauthored, ReauthorRequest } from "./own-edits.ts";
import { isSameDevice } from "./peer-ids.ts";
import { importUpdates } from "./import-updates.ts";
import {
  type Difference,
  Follower,
  type Moment,
  nameOf,
  type Names,
  type Part,
  partsOf,
  remakeParts,
  remakeStepwise,
  type Versions,
} from "./remake-edits.ts";
import { renameInContent, successorNames } from "./successor-names.ts";
import { newestShared, placesOf, type Shared } from "./shared-edits.ts";
import { isInRange } from "./update-ranges.ts";

/** The newest edits are made anew one by one, so that another copy that has some of them can build on these. */
const SINGLE_EDITS = 256;

/**
 * Makes own edits anew; the schema says how marks grow, and what versions of the app carry over. Throws what Loro throws about
 * bytes that it refuses.
 */
export const reauthor = (request: ReauthorRequest, schema?: DocumentSchema): Reauthored => {
  const type = schema === undefined ? undefined : documentTypeOf(schema, request.type);
  // Loro mixes up containers whose names in a difference are names that the document itself gives.
  if (request.own.some(({ update }) => rangesOf(update).some(({ peer }) => peer === request.peer))) {
    throw new Error("edits cannot be made anew under a peer of theirs");
  }
  const { make, free } = documentsOf(type);
  try {
    // What builds on the clone's operations waits for them, and a snapshot leaves it out: none of it is ours to make anew.
    const base = make(request.acknowledged).export({ mode: "snapshot" });
    const ours = make([base, ...request.own.map(({ update }) => update)]);
    const theirs = make([base, ...request.elsewhere.map(({ update }) => update)]);
    const known = commonEdits(ours, theirs, request);
    const reached = countersAfter(make([base]), request.own);
    const history: History = {
      base,
      ours,
      known,
      versions: reached.map((counters) => frontiersAt(ours, counters)),
      moments: momentsIn(ours, request.own, reached),
      successorName: successorNames(request.own.slice(known)),
    };
    const places = placesOf(request.madeAnew);
    const shared = newestShared(request.own, known, places, (found) =>
      isSame(standingAt(found, request, make, history), found, history),
    );
    const there = Math.max(known, (shared?.index ?? -1) + 1);
    const untouched: Reauthored = request.own.map(({ id, update }, index) => ({
      id,
      update: undefined,
      elsewhere: index < known ? placeOf(update, request.elsewhere) : undefined,
      isThere: index < there,
    }));
    if (there === request.own.length) return untouched;
    // Edits that others have made anew, and that are not taken from them, are there twice from here on, or are others of the same
    // update. Under a name that others know they would be taken for the same ones again and again, and so would the newer
    // forms that they made.
    const isTaken = ({ firstForm }: OwnEdit): boolean => places.has(firstForm);
    const renamed = (isOther: (edit: OwnEdit, index: number) => boolean): History => {
      const marked = request.own.map((edit, index) => (isOther(edit, index) ? { ...edit, mark: request.peer } : edit));
      return { ...history, successorName: successorNames(marked.slice(known)) };
    };
    const behind = renamed((edit, index) => index >= there && isTaken(edit));
    const unshared = shared === undefined ? behind : renamed(() => true);
    const attempts = [
      ...(shared === undefined ? [] : [() => continueFrom(shared, type, request, make, behind)]),
      () => makeStepwise(type, request, make, unshared, SINGLE_EDITS),
      () => makeStepwise(type, request, make, unshared, 1),
      () => makeTogether(type, request, make, unshared),
      // A later part that changes a container which an earlier one made cannot be told apart from it.
      () => makeTogether(type, { ...request, ends: new Set() }, make, unshared),
    ];
    const [first] = attempts;
    const made = firstThatSucceeds(attempts);
    const isContinued = shared !== undefined && made.attempt === first;
    return untouched.map((edit, index) => {
      const update = made.edits.get(index);
      const own = request.own[index];
      const isNamed = own !== undefined && (shared === undefined || isContinued) && !isTaken(own);
      const isThere = index < known || (isContinued && index < there);
      return update === undefined
        ? { ...edit, isThere }
        : { ...edit, isThere, update, firstForm: isNamed ? own.firstForm : undefined };
    });
  } finally {
    free();
  }
};

type Make = (updates: ReadonlyArray<Uint8Array>) => LoroDoc;

/** Makes documents of updates, until all of them are freed. */
export const documentsOf = (type: DocumentType | undefined): { readonly make: Make; readonly free: () => void } => {
  const documents: Array<LoroDoc> = [];
  const make: Make = (updates) => {
    const doc = new LoroDoc();
    documents.push(doc);
    importUpdates(doc, updates);
    // Marks that are made anew grow as before.
    configureStyles(type, doc);
    return doc;
  };
  // Hazard L9.
  return { make, free: () => documents.forEach((doc) => doc.free()) };
};

interface History {
  /** A snapshot of what is acknowledged. */
  readonly base: Uint8Array;
  /** The base and all own edits. */
  readonly ours: LoroDoc;
  /** How many own edits the server has as they are. */
  readonly known: number;
  readonly versions: Versions;
  /** In their order. */
  readonly moments: ReadonlyArray<Moment>;
  /** What the newer forms of fields are called that own edits have made. */
  readonly successorName: NameOfSuccessor;
}

const differencesIn =
  ({ ours, successorName }: History): Difference =>
  (before, after) =>
    renameSuccessors(difference(ours, before, after), successorName);

/** New updates, by the last of the own edits that each of them holds. */
type Remade = ReadonlyMap<number, Uint8Array>;

const firstThatSucceeds = <A>(
  attempts: ReadonlyArray<() => A>,
): { readonly edits: A; readonly attempt: (() => A) | undefined } => {
  let reason: unknown;
  for (const attempt of attempts) {
    try {
      return { edits: attempt(), attempt };
    } catch (error) {
      reason = error;
    }
  }
  throw reason;
};

/** Makes the edits anew that come behind those which others have made anew: where these end, nowhere else. */
const continueFrom = (
  shared: Shared,
  type: DocumentType | undefined,
  request: ReauthorRequest,
  make: Make,
  history: History,
): Remade => {
  const target = standingAt(shared, request, make, history);
  if (!isSame(target, shared, history)) throw new Error("what others made is another content");
  return stepwise(type, request, make, history, SINGLE_EDITS, shared.index + 1, target);
};

/** The document where an edit ends that others have made anew, with all that is known here, and without what they wrote later. */
const standingAt = ({ at }: Shared, { own, madeAnew }: ReauthorRequest, make: Make, history: History): LoroDoc => {
  const known = own.slice(0, history.known).map(({ update }) => update);
  const all = make([history.base, ...known, ...madeAnew.flatMap(({ updates }) => updates)]);
  const version = all.frontiersToVV([at]);
  const reached = versionOf(make([history.base, ...known]));
  for (const [peer, counter] of version.toJSON()) reached.set(peer, Math.max(reached.get(peer) ?? 0, counter));
  version.free();
  const fork = all.forkAt(frontiersAt(all, reached));
  try {
    return make([fork.export({ mode: "snapshot" })]);
  } finally {
    fork.free();
  }
};

const isSame = (there: LoroDoc, { index }: Shared, { ours, versions, successorName }: History): boolean =>
  canonicalContent(there) === renameInContent(contentAt(ours, versions[index + 1] ?? []), successorName);

/** One edit after the other, so that other copies can take any of them from here; `single` says how many of the last. */
const makeStepwise = (
  type: DocumentType | undefined,
  request: ReauthorRequest,
  make: Make,
  history: History,
  single: number,
): Remade => {
  const known = request.own.slice(0, history.known).map(({ update }) => update);
  return stepwise(type, request, make, history, single, history.known, make([history.base, ...known]));
};

const stepwise = (
  type: DocumentType | undefined,
  { own, ends, peer }: ReauthorRequest,
  make: Make,
  history: History,
  single: number,
  begin: number,
  target: LoroDoc,
): Remade => {
  const { base, ours, known, versions, moments, successorName } = history;
  const updates = own.map(({ update }) => update);
  const parts = partsOf(own, begin, ends, single);
  const written = newUpdates(target, peer);
  const follower = new Follower(
    differencesIn(history),
    target,
    make([base, ...updates.slice(0, begin)]),
    isIn(make([base, ...updates.slice(0, known)])),
  );
  // What comes next builds on the edits before, which others may have made anew.
  const begun = (versions[begin] ?? []).map(nameOf).join();
  const earlier = moments.filter(({ version }) => begin > known && version.map(nameOf).join() === begun);
  const names: Names = new Map(earlier.map(({ at }) => [nameOf(at), target.frontiers()]));
  remakeStepwise(follower, versions, moments, parts, target, updates, names, (part) => {
    if (part.last === own.length - 1) {
      if (hasLostSuccessors(target)) throw new Error("a successor names a version that is not one of its own edit");
      const wanted = renameInContent(canonicalContent(ours), successorName);
      if (canonicalContent(target) !== wanted) throw new Error("the edits come to another content");
      if (names.size > 0 && type !== undefined) settleInto(type, ours, target, follower);
      forgetOwnReaches(own, make([base]), target);
    }
    written.take(part);
  });
  return written.updates;
};

/**
 * A version of the new operations has the whole base before it, also what an author of a successor did not know: that is
 * written down, as by an edit.
 */
const settleInto = (type: DocumentType, ours: LoroDoc, target: LoroDoc, follower: Follower): void => {
  const reached = ours.frontiers();
  settleDocument(type, ours);
  follower.follow(reached, ours.frontiers(), []);
  renewSuccessors(target);
  target.commit();
};

/** As few differences as the ends allow. */
const makeTogether = (
  type: DocumentType | undefined,
  { own, ends, peer }: ReauthorRequest,
  make: Make,
  history: History,
): Remade => {
  const { base, known, versions } = history;
  const target = make([base, ...own.slice(0, known).map(({ update }) => update)]);
  const written = newUpdates(target, peer);
  remakeParts(differencesIn(history), versions, partsOf(own, known, ends, 1), target, (part) => {
    if (part.last === own.length - 1) {
      // All of it as one difference is what is left to do: that is taken as it comes.
      if (part.first > known) {
        const wanted = renameInContent(canonicalContent(history.ours), history.successorName);
        if (canonicalContent(target) !== wanted) throw new Error("the edits come to another content");
      }
      remakeSuccessors(type, history, target);
      forgetOwnReaches(own, make([base]), target);
    }
    written.take(part);
  });
  return written.updates;
};

/** What is written under a peer from here on, part by part. */
export const newUpdates = (target: LoroDoc, peer: PeerID) => {
  target.setPeerId(peer);
  const updates = new Map<number, Uint8Array>();
  let written = versionOf(target).get(peer) ?? 0;
  const take = ({ last }: Part): void => {
    const begin = written;
    written = versionOf(target).get(peer) ?? 0;
    if (written === begin) return;
    const spans = [{ id: { peer, counter: begin }, len: written - begin }];
    updates.set(last, target.export({ mode: "updates-in-range", spans }));
  };
  return { updates, take };
};

/** What own edits wrote down of sources names versions that nobody will have: the sources' own edits are made anew as well. */
export const forgetOwnReaches = (own: ReadonlyArray<Pick<OwnEdit, "update">>, base: LoroDoc, target: LoroDoc): void => {
  const peers = new Set(own.flatMap(({ update }) => rangesOf(update).map(({ peer }) => peer)));
  const isPeer = (peer: string): boolean =>
    /^\d{1,20}$/.test(peer) && [...peers].some((other) => isSameDevice(other, peer));
  forgetReaches(target, { isPeer, since: base });
  target.commit();
};

/** A field's newer form, made by edits that are made anew, comes from versions that nobody will have. */
const remakeSuccessors = (type: DocumentType | undefined, history: History, target: LoroDoc): void => {
  if (!hasLostSuccessors(target)) return;
  if (type !== undefined) {
    const { ours, versions } = history;
    settleDocument(type, ours);
    target.applyDiff(differencesIn(history)(versions.at(-1) ?? [], ours.frontiers()));
  }
  renewSuccessors(target);
  target.commit();
};

/** The moments within own edits that successors name. */
const momentsIn = (
  doc: LoroDoc,
  own: ReauthorRequest["own"],
  reached: ReadonlyArray<Counters>,
): ReadonlyArray<Moment> => {
  const found = new Map<string, Moment>();
  const ranges = own.map(({ update }) => rangesOf(update));
  for (const at of versionsOfSuccessors(doc).flat()) {
    const edit = ranges.findIndex(
      ([range, ...more]) => more.length === 0 && range !== undefined && isInRange(at, range),
    );
    const [range] = ranges[edit] ?? [];
    if (range === undefined) continue;
    const spans = [{ id: { peer: at.peer, counter: range.start }, len: at.counter + 1 - range.start }];
    const counters = new Map(reached[edit]).set(at.peer, at.counter + 1);
    const update = doc.export({ mode: "updates-in-range", spans });
    found.set(nameOf(at), { edit, at, version: frontiersAt(doc, counters), update });
  }
  return [...found.values()].toSorted((left, right) => left.edit - right.edit || left.at.counter - right.at.counter);
};
