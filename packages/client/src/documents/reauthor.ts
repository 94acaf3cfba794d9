/**
 * Edits made under peer ids that somebody else used too, as new operations under a new peer id (rule 12, hazard L4).
 *
 * After a profile was cloned, the same peer and counter may name one operation here and another one at the server. Two
 * replicas with such a pair have equal versions and different texts, with no error. So what the server has acknowledged is
 * taken as it is, and what it has not is made anew: as the difference that it makes, applied where it was made.
 */
import { Result } from "effect";
import { LoroDoc, type OpId, type PeerID, VersionVector } from "loro-crdt";
import {
  configureStyles,
  type DocumentSchema,
  type DocumentType,
  hasLostSuccessors,
  renewSuccessors,
  settleDocument,
  stateDigestInput,
} from "@cairn/schema";
import { documentTypeOf } from "../engine/engine-schema.ts";
import { importUpdates } from "./import-updates.ts";
import { joinRanges, type OperationRange, rangesOfUpdate } from "./update-ranges.ts";

export interface ReauthorRequest {
  /** What the log has of the document, without what the server does not have. */
  readonly acknowledged: ReadonlyArray<Uint8Array>;
  /** What the server has of this device and this store has not: a clone wrote it, or this very store before it was restored. */
  readonly elsewhere: ReadonlyArray<{ readonly update: Uint8Array; readonly time: number }>;
  /** Edits that no server acknowledged, in the order in which they were stored. */
  readonly own: ReadonlyArray<{ readonly id: number; readonly update: Uint8Array; readonly time: number }>;
  /** Ids after which a new update begins; the others are joined. */
  readonly ends: ReadonlySet<number>;
  /** The document's type, empty where nobody has named it. */
  readonly type: string;
  /** Nobody has written the document under this peer. */
  readonly peer: PeerID;
}

/** What becomes of each own edit: other bytes under its id, or nothing, because the server or a later id has it. */
export type Reauthored = ReadonlyArray<{
  readonly id: number;
  readonly update: Uint8Array | undefined;
  /** The server has the edit as it is, and others may build on it: it begins in this one of `elsewhere`. */
  readonly elsewhere: number | undefined;
}>;

/**
 * Makes own edits anew; the schema says how marks grow, and what versions of the app carry over. Throws what Loro throws about
 * bytes that it refuses.
 */
export const reauthor = (request: ReauthorRequest, schema?: DocumentSchema): Reauthored => {
  const type = schema === undefined ? undefined : documentTypeOf(schema, request.type);
  const documents: Array<LoroDoc> = [];
  const make: Make = (updates) => {
    const doc = new LoroDoc();
    documents.push(doc);
    importUpdates(doc, updates);
    // Marks that are made anew grow as before.
    configureStyles(type, doc);
    return doc;
  };
  try {
    // What builds on the clone's operations waits for them, and a snapshot leaves it out: none of it is ours to make anew.
    const base = make(request.acknowledged).export({ mode: "snapshot" });
    const ours = make([base, ...request.own.map(({ update }) => update)]);
    const theirs = make([base, ...request.elsewhere.map(({ update }) => update)]);
    const known = commonEdits(ours, theirs, request);
    try {
      return makeAnew(type, request, make, base, ours, known);
    } catch (error) {
      if (request.ends.size === 0) throw error;
      // A later part that changes a container which an earlier one made cannot be told apart from it.
      return makeAnew(type, { ...request, ends: new Set() }, make, base, ours, known);
    }
  } finally {
    // Hazard L9.
    for (const doc of documents) doc.free();
  }
};

type Make = (updates: ReadonlyArray<Uint8Array>) => LoroDoc;

const makeAnew = (
  type: DocumentType | undefined,
  { own, ends, peer, elsewhere }: ReauthorRequest,
  make: Make,
  base: Uint8Array,
  ours: LoroDoc,
  known: number,
): Reauthored => {
  const versions = versionsAfter(ours, make([base]), own);
  const target = make([base, ...own.slice(0, known).map(({ update }) => update)]);
  target.setPeerId(peer);
  let from = versions[known] ?? [];
  let written = 0;
  return own.map(({ id, update }, index) => {
    if (index < known) return { id, update: undefined, elsewhere: placeOf(update, elsewhere) };
    const nothing = { id, update: undefined, elsewhere: undefined };
    const isLast = index === own.length - 1;
    if (!isLast && !ends.has(id)) return nothing;
    const to = versions[index + 1] ?? from;
    target.applyDiff(ours.diff(from, to, false));
    target.commit();
    if (isLast) remakeSuccessors(type, ours, to, target);
    from = to;
    const begin = written;
    written = versionOf(target).get(peer) ?? 0;
    if (written === begin) return nothing;
    const spans = [{ id: { peer, counter: begin }, len: written - begin }];
    return { ...nothing, update: target.export({ mode: "updates-in-range", spans }) };
  });
};

/** A field's newer form, made by edits that are made anew, comes from versions that nobody will have. */
const remakeSuccessors = (type: DocumentType | undefined, ours: LoroDoc, reached: OpId[], target: LoroDoc): void => {
  if (!hasLostSuccessors(target)) return;
  if (type !== undefined) {
    settleDocument(type, ours);
    target.applyDiff(ours.diff(reached, ours.frontiers(), false));
  }
  renewSuccessors(target);
  target.commit();
};

/** Where an edit that the server has begins. */
const placeOf = (update: Uint8Array, elsewhere: ReauthorRequest["elsewhere"]): number => {
  const [first] = rangesOf(update);
  const holds = ({ peer, start, end }: OperationRange): boolean =>
    first === undefined || (peer === first.peer && start <= first.start && first.start < end);
  return Math.max(
    0,
    elsewhere.findIndex((taken) => rangesOf(taken.update).some(holds)),
  );
};

const versionOf = (doc: LoroDoc): Map<PeerID, number> => {
  const version = doc.oplogVersion();
  const counters = version.toJSON();
  version.free();
  return counters;
};

const frontiersAt = (doc: LoroDoc, counters: ReadonlyMap<PeerID, number>): OpId[] => {
  const version = VersionVector.parseJSON(new Map(counters));
  const frontiers = doc.vvToFrontiers(version);
  version.free();
  return frontiers;
};

const rangesOf = (update: Uint8Array): ReadonlyArray<OperationRange> =>
  Result.getOrElse(rangesOfUpdate(update), (refused) => {
    throw refused;
  });

/** Where the document stands after the base and the first, second, … own edit. */
const versionsAfter = (doc: LoroDoc, base: LoroDoc, own: ReauthorRequest["own"]): ReadonlyArray<OpId[]> => {
  const reached = versionOf(base);
  const versions = [frontiersAt(doc, reached)];
  for (const { update } of own) {
    for (const { peer, end } of rangesOf(update)) reached.set(peer, Math.max(reached.get(peer) ?? 0, end));
    versions.push(frontiersAt(doc, reached));
  }
  return versions;
};

/**
 * How many of the own edits, from the first on, the server has: all their operations are there, they come to the same
 * content, and they are no younger than what is there. A copy of a profile shares its edits up to the moment of copying;
 * from the first one that differs on, nothing is shared.
 */
const commonEdits = (ours: LoroDoc, theirs: LoroDoc, { elsewhere, own }: ReauthorRequest): number => {
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
const cutBefore = (doc: LoroDoc, own: ReauthorRequest["own"], count: number): ReadonlyMap<PeerID, number> => {
  const cut = versionOf(doc);
  for (const { update } of own.slice(count)) {
    for (const { peer, start } of rangesOf(update)) cut.set(peer, Math.min(cut.get(peer) ?? 0, start));
  }
  return cut;
};

const digestAt = (doc: LoroDoc, version: ReadonlyMap<PeerID, number>): string => {
  const fork = doc.forkAt(frontiersAt(doc, version));
  try {
    return new TextDecoder().decode(stateDigestInput(fork));
  } finally {
    fork.free();
  }
};
