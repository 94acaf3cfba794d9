/**
 * Edits of fields whose form changed between versions, made again in a document that lacks some of what they were made on.
 *
 * A successor holds all of its field, whoever wrote which part. As operations, the edits of one that was made on top of something
 * would bring that back, or would be lost with it. So what was done is read as a difference of views, and written as an
 * edit of the other document's own newer form.
 */
import type { Container, ContainerID, LoroDoc, LoroMap } from "loro-crdt";
import { isContainer } from "../container.ts";
import type { Fields } from "../field-kinds.ts";
import { emptyDocumentLike } from "../empty-document.ts";
import { SchemaWriteError } from "../errors.ts";
import {
  type ContainerKind,
  COUNTER,
  findContainer,
  LIST,
  MAP,
  MOVABLE_LIST,
  openContainer,
  type Place,
  plainMap,
  TEXT,
  TREE,
} from "../place.ts";
import { bringForms, type DocumentType, type Forms, formsOf, keysOf, type Path, type Slot, slotsOf } from "../slots.ts";
import { canonicalJson } from "../json.ts";
import { PLAIN_ROOT } from "../roots.ts";
import { readPast } from "./past-versions.ts";
import { type PlaceWithin, placesWithin } from "./places-within.ts";
import { type Version, isStateKey } from "./successor-state.ts";

export interface EditedForms {
  /** Where forms are stored that were edited in places which the target has: what must not be applied to it as operations. */
  readonly stored: () => StoredForms;
  /**
   * Opens the containers of fields, of those that changed, which the target lacks in places that it has: before operations are
   * applied to it, which would find nothing to be applied to. Commits.
   */
  readonly open: (changed: ReadonlySet<ContainerID>) => void;
  /** Makes the edits again in the target. Returns where there is no place for them any more. Commits. */
  readonly bring: () => ReadonlyArray<string>;
}

export interface StoredForms {
  /** Newer forms of fields whose container changed. */
  readonly containers: ReadonlySet<ContainerID>;
  /** Keys of all forms of plain fields that are converted, by the map that has them. */
  readonly registers: ReadonlyMap<ContainerID, ReadonlySet<string>>;
}

type FormsByKey = ReadonlyMap<string, Forms>;

/**
 * What was done to forms between two versions of a document, for a target that lacks them: those that its authors knew, since
 * what others wrote meanwhile is none of it. Throws Loro's error where a version is not here.
 */
export const editedForms = (
  type: DocumentType,
  doc: LoroDoc,
  known: { readonly before: Version; readonly after: Version },
  target: LoroDoc,
): EditedForms => {
  const formsIn = (from: LoroDoc): ReadonlyMap<string, FormsByKey> =>
    new Map(placesIn(type, from).map(({ name, place, slots }) => [name, formsOf(slots, place)]));
  // The past costs a copy of the document, which only types that have changed are worth.
  const read = isEvolved(type.fields) ? readPast : readNothing;
  const before = read(doc, known.before, (past) => ({
    forms: formsIn(past),
    containers: containersIn(placesIn(type, past)),
  }));
  const after = read(doc, known.after, (past) =>
    placesIn(type, past).map(({ path, name, place, slots }) => ({
      path,
      slots,
      name,
      now: formsOf(slots, place),
      // Somebody else may have made the same record meanwhile.
      earlier: before.forms.get(name) ?? formsOfNothing(slots, past),
    })),
  );
  const there = new Set([...before.forms.keys(), ...placesByName(type, target).keys()]);
  return {
    stored: () => {
      const places = placesIn(type, doc).filter(({ name }) => there.has(name));
      return {
        containers: new Set([...before.containers, ...containersIn(places)]),
        registers: new Map(places.map((found) => [plainMap(found.place).id, registersIn(found)])),
      };
    },
    open: (changed) => {
      const places = placesByName(type, target);
      for (const { name, place, slots } of placesIn(type, doc)) {
        const same = places.get(name)?.place;
        if (place.at === "record" && same?.at === "record") openChildren(place.map, same, slots, changed);
      }
      target.commit();
    },
    bring: () => {
      const places = placesByName(type, target);
      return after
        .filter(({ name }) => there.has(name))
        .flatMap(({ name, path, slots, earlier, now }) =>
          oneOfEachStep(slots)
            .filter((slot) => isEdited(slot, earlier, now))
            .flatMap((slot) => unplacedOf(slot, slots, places.get(name)?.place, earlier, now))
            .map((unplaced) => [...path, ...unplaced].join(".")),
        );
    },
  };
};

const isEvolved = (fields: Fields): boolean =>
  slotsOf(fields).some(
    ({ origin, field }) =>
      origin !== undefined || ((field.kind === "records" || field.kind === "tree") && isEvolved(field.fields)),
  );

/** As `readPast`, of a document that never had anything. */
const readNothing: typeof readPast = (doc, _, read) => {
  const empty = emptyDocumentLike(doc);
  try {
    return read(empty);
  } finally {
    empty.free();
  }
};

const formsOfNothing = (slots: ReadonlyArray<Slot>, like: LoroDoc): FormsByKey => {
  const doc = emptyDocumentLike(like);
  try {
    return formsOf(slots, { at: "record", doc, map: doc.getMap(PLAIN_ROOT) });
  } finally {
    doc.free();
  }
};

/** Several fields may come from one step, whose edits are made again once. */
const oneOfEachStep = (slots: ReadonlyArray<Slot>): ReadonlyArray<Slot> => [
  ...new Map(slots.flatMap((slot) => (slot.origin === undefined ? [] : [[slot.origin.key, slot] as const]))).values(),
];

const isEdited = ({ origin }: Slot, earlier: FormsByKey, now: FormsByKey): boolean => {
  const textOf = (forms: Forms | undefined): string =>
    forms === undefined
      ? ""
      : canonicalJson([forms.older, forms.newer, [...forms.within.values()].map((within) => textOf(within))]);
  return origin !== undefined && textOf(earlier.get(origin.key)) !== textOf(now.get(origin.key));
};

/** Brings what a step made. Returns where there is no place for it: paths that begin with a field's present name. */
const unplacedOf = (
  slot: Slot,
  slots: ReadonlyArray<Slot>,
  place: Place | undefined,
  earlier: FormsByKey,
  now: FormsByKey,
): ReadonlyArray<Path> => {
  if (place === undefined) return [[slot.name]];
  try {
    return bringForms([slot], place, earlier, now).map(([member, ...within]) => {
      const made = slots.find(({ origin }) => origin?.key === slot.origin?.key && origin?.member === member);
      return [made?.name ?? slot.name, ...within];
    });
  } catch (error) {
    if (error instanceof SchemaWriteError) return [[slot.name]];
    throw error;
  }
};

const placesIn = (type: DocumentType, doc: LoroDoc): ReadonlyArray<PlaceWithin> => [
  ...placesWithin(type.fields, { at: "document", doc }),
];

const placesByName = (type: DocumentType, doc: LoroDoc): ReadonlyMap<string, PlaceWithin> =>
  new Map(placesIn(type, doc).map((found) => [found.name, found]));

const KINDS: ReadonlyArray<ContainerKind<Container>> = [TEXT, LIST, MOVABLE_LIST, MAP, COUNTER, TREE];

/** A mergeable child goes by its name, and is found only where its parent says that it has it. */
const openChildren = (
  from: LoroMap,
  there: Place,
  slots: ReadonlyArray<Slot>,
  changed: ReadonlySet<ContainerID>,
): void => {
  const keys = new Set(slots.flatMap(keysOf).filter((key) => !isStateKey(key)));
  for (const [key, child] of from.entries()) {
    if (!keys.has(key) || !isContainer(child) || !changed.has(child.id)) continue;
    const kind = KINDS.find((one) => one.is(child));
    if (kind !== undefined && findContainer(there, kind, key) === "absent") openContainer(there, kind, key, []);
  }
};

/** The containers in which steps store newer forms in some places. */
const containersIn = (places: ReadonlyArray<PlaceWithin>): ReadonlyArray<ContainerID> =>
  places.flatMap(({ place, slots }) =>
    slots.flatMap((slot) =>
      keysOf(slot).flatMap((key) => {
        const state = isStateKey(key) ? findContainer(place, MAP, key) : "absent";
        return typeof state === "string" ? [] : [...idsWithin(state)];
      }),
    ),
  );

const registersIn = ({ slots }: PlaceWithin): ReadonlySet<string> => new Set(slots.flatMap(registersOf));

const registersOf = (slot: Slot): ReadonlyArray<string> =>
  slot.origin?.kind === "conversion" ? keysOf(slot) : (slot.origin?.older ?? []).flatMap(registersOf);

function* idsWithin(container: Container): Generator<ContainerID, void, undefined> {
  yield container.id;
  const values: ReadonlyArray<unknown> = MAP.is(container)
    ? container.values()
    : LIST.is(container) || MOVABLE_LIST.is(container)
      ? container.toArray()
      : TREE.is(container)
        ? container.getNodes().map(({ data }) => data)
        : [];
  for (const value of values) if (isContainer(value)) yield* idsWithin(value);
}
