/**
 * Documents whose operations are written anew under other peers: copies, restored backups, edits of a retired identity.
 *
 * A successor names the versions that it came from. In such a document these do not exist, and what older apps write to the
 * older form from then on could not be told from what the successor has. So what is to be carried over is written down
 * before, where the type is known, and afterwards the successors name the version that has it all.
 */
import type { Container, LoroDoc, LoroMap } from "loro-crdt";
import { isContainer } from "../container.ts";
import type { Fields } from "../field-kinds.ts";
import { MAP, TREE } from "../place.ts";
import { isPlainObject } from "../json.ts";
import { type DocumentType, keysOf, type SettlingPurpose, slotsOf } from "../slots.ts";
import { placesWithin } from "./places-within.ts";
import { MADE, SEEN, WINNER } from "./successor.ts";
import { COVERS, CREATED, type Version, isStateKey, versionOf } from "./successor-state.ts";

/** Writes down what reading carries over. Commits. */
export const settleDocument = (type: DocumentType, doc: LoroDoc, purpose?: SettlingPurpose): void => {
  for (const { place, slots } of placesWithin(type.fields, { at: "document", doc })) {
    for (const { origin } of slots) origin?.settle(place, purpose);
  }
  doc.commit();
};

const mapsIn = (map: LoroMap): ReadonlyArray<LoroMap> =>
  map.values().filter((value): value is LoroMap => isContainer(value) && MAP.is(value));

/** Whether a successor names a version that the document does not have. Needs no type. */
export const hasLostSuccessors = (doc: LoroDoc): boolean => lostIn(doc).length > 0;

/** The versions that successors name. */
export const versionsOfSuccessors = (doc: LoroDoc): ReadonlyArray<Version> =>
  successorsIn(doc).flatMap((map) => [COVERS, CREATED].flatMap((key) => [versionOf(map.get(key)) ?? []]));

/**
 * The versions that carrying over may ask for, each after those that it knows. Needs no type: of a type's own successors, which
 * `settleDocument` settles, none.
 */
export const versionsCarriedFrom = (doc: LoroDoc, type?: DocumentType): ReadonlyArray<Version> => {
  const settled = new Set(type === undefined ? [] : settledKeys(type.fields));
  const named = new Map(
    statesIn(doc)
      .filter(({ key }) => !settled.has(key))
      .flatMap(({ state }) => carriedIn(state))
      .flatMap((map) => [COVERS, CREATED].flatMap((key) => [versionOf(map.get(key)) ?? []]))
      .map((version) => [JSON.stringify(version), version]),
  );
  return [...named.values()]
    .flatMap((version) => {
      const operations = operationsIn(doc, version);
      return operations === undefined ? [] : [{ version, operations }];
    })
    .toSorted((left, right) => left.operations - right.operations)
    .map(({ version }) => version);
};

/**
 * The successor that counts, and those of which another one that does not know them would carry something over: those that it
 * does not know itself, and those that were edited before it took them in.
 */
const carriedIn = (state: LoroMap): ReadonlyArray<LoroMap> => {
  const all = state
    .entries()
    .flatMap(([id, map]) => (isContainer(map) && MAP.is(map) ? [{ id, map }] : []))
    .toSorted((left, right) => (left.id < right.id ? -1 : 1));
  const winner = all.find(({ id }) => id === state.get(WINNER)) ?? all.at(-1);
  const seen: unknown = winner?.map.get(SEEN);
  const isUnedited = ({ id, map }: (typeof all)[number]): boolean =>
    isPlainObject(seen) && seen[id] !== undefined && seen[id] === map.get(MADE);
  return all.filter((successor) => !isUnedited(successor)).map(({ map }) => map);
};

/** How many operations a version knows; undefined where it is not here. */
const operationsIn = (doc: LoroDoc, version: Version): number | undefined => {
  try {
    const vector = doc.frontiersToVV(version);
    try {
      return [...vector.toJSON().values()].reduce((sum, end) => sum + end, 0);
    } finally {
      vector.free();
    }
  } catch {
    return undefined;
  }
};

/** The keys of the states that `settleDocument` settles. */
const settledKeys = (fields: Fields): ReadonlyArray<string> =>
  slotsOf(fields).flatMap((slot) => {
    const { origin, field } = slot;
    if (origin !== undefined) return keysOf(slot);
    return field.kind === "records" || field.kind === "tree" ? settledKeys(field.fields) : [];
  });

/** Successors name versions by their names in this document, where they have one. The caller commits. */
export const renameVersions = (doc: LoroDoc, nameOf: (version: Version) => Version | undefined): void => {
  for (const map of successorsIn(doc)) {
    for (const key of [COVERS, CREATED]) {
      const name = nameOf(versionOf(map.get(key)) ?? []);
      if (name !== undefined) map.set(key, name);
    }
  }
};

/**
 * Successors that name a version that the document does not have name its present one, or, where their author did not know all
 * of it, as what they come from, `known`. The caller commits.
 */
export const renewSuccessors = (doc: LoroDoc, known?: Version): void => {
  doc.commit();
  const lost = lostIn(doc);
  const now = doc.frontiers();
  for (const map of lost) {
    map.set(COVERS, known ?? now);
    map.set(CREATED, now);
  }
};

const lostIn = (doc: LoroDoc): ReadonlyArray<LoroMap> => {
  const version = doc.oplogVersion();
  try {
    const isHere = (named: Version): boolean => named.every(({ peer, counter }) => (version.get(peer) ?? 0) > counter);
    const isLost = (map: LoroMap): boolean => {
      const named = [COVERS, CREATED].map((key) => versionOf(map.get(key)));
      return named.every((one) => one !== undefined) && !named.every(isHere);
    };
    return successorsIn(doc).filter(isLost);
  } finally {
    version.free();
  }
};

const successorsIn = (doc: LoroDoc): ReadonlyArray<LoroMap> => statesIn(doc).flatMap(({ state }) => mapsIn(state));

/** What a step keeps in a place. */
interface State {
  readonly key: string;
  readonly state: LoroMap;
}

const statesIn = (doc: LoroDoc): ReadonlyArray<State> =>
  Object.entries(doc.getShallowValue()).flatMap(([name, id]) => {
    const root = doc.getContainerById(id);
    return root === undefined ? [] : statesWithin(name, root);
  });

const statesWithin = (key: string, container: Container): ReadonlyArray<State> => {
  if (TREE.is(container)) return container.getNodes().flatMap(({ data }) => statesWithin("", data));
  if (!MAP.is(container)) return [];
  const within = container.entries().flatMap(([name, value]) => (isContainer(value) ? statesWithin(name, value) : []));
  return isStateKey(key) ? [{ key, state: container }, ...within] : within;
};
