/**
 * Reading a document through its type: total, and it writes nothing.
 *
 * What was never written reads as its default. What does not fit (a bug, a hostile peer, a newer app) reads as its
 * default too, is reported with its path, and stays in the document as it is. What the type does not declare is left
 * alone and can be seen as unknown.
 */
import type { Container, LoroDoc, LoroMap } from "loro-crdt";
import { isContainer } from "./container.ts";

import type { Field, Fields, RecordsField, TreeField } from "./field-kinds.ts";
import type { ViewOf } from "./view-of.ts";
import {
  COUNTER,
  LIST,
  MAP,
  MOVABLE_LIST,
  type Place,
  TEXT,
  TREE,
  findContainer,
  plainValue,
  readAndFree,
} from "./place.ts";
import { runsOf, unknownStyles } from "./rich-text.ts";
import { PLAIN_ROOT, STATE_ROOT } from "./roots.ts";
import { type DocumentType, type InvalidValue, type Path, type Report, type Slot, keysOf, slotsOf } from "./slots.ts";
import { NODE_KEY, readTree, readableNodes } from "./tree.ts";

export type { InvalidValue, Report } from "./slots.ts";

/** The register of a record's map that hides the record. No physical name can begin with `$`. */
export const REMOVED_KEY = "$removed";

/** A document as its type sees it, and what the type could not make sense of. */
export interface Inspection<Fs extends Fields> {
  readonly view: ViewOf<Fs>;
  readonly invalid: ReadonlyArray<InvalidValue>;
  /** Physical paths that hold something the type does not declare: fields of newer apps, mostly. */
  readonly unknown: ReadonlyArray<ReadonlyArray<string>>;
}

/** The typed plain view of a document. */
export const readDocument = <Fs extends Fields>(type: DocumentType<Fs>, doc: LoroDoc): ViewOf<Fs> =>
  readFields(type.fields, { at: "document", doc }, [], discard);

/** The view with everything that did not fit and everything that is unknown to the type. */
export const inspectDocument = <Fs extends Fields>(type: DocumentType<Fs>, doc: LoroDoc): Inspection<Fs> => {
  const invalid: Array<InvalidValue> = [];
  const view = readFields(type.fields, { at: "document", doc }, [], (value) => invalid.push(value));
  return { view, invalid, unknown: unknownInDocument(type, doc) };
};

const discard: Report = () => {};

export const readFields = <Fs extends Fields>(fields: Fs, place: Place, path: Path, report: Report): ViewOf<Fs> =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each value comes from its field's own branch
  Object.fromEntries(
    slotsOf(fields).map((slot) => [slot.name, readField(slot, place, [...path, slot.name], report)]),
  ) as ViewOf<Fs>;

/** One field's value. Always of the field's view type. */
export const readField = (slot: Slot, place: Place, path: Path, report: Report): unknown =>
  slot.origin === undefined ? readStored(slot, place, path, report) : slot.origin.read(place, path, report);

const readStored = (slot: Slot, place: Place, path: Path, report: Report): unknown => {
  const { field, physical } = slot;
  switch (field.kind) {
    case "plain": {
      const value = plainValue(place, physical);
      if (value === undefined) return field.default;
      return fit(field, value, path, report) ? value : field.default;
    }
    case "text":
      return read(place, TEXT, physical, path, report, "", (text) => text.toString());
    case "richText":
      return read(place, TEXT, physical, path, report, [], (text) => runsOf(field.styles, text, path, report));
    case "tree":
      return read(place, TREE, physical, path, report, [], (tree) =>
        readTree(tree, path, report, (map, at, found) =>
          readFields(field.fields, { at: "record", doc: place.doc, map }, at, found),
        ),
      );
    case "list":
      return read(place, LIST, physical, path, report, [], (list) =>
        fittingItems(field, list.toArray(), path, report).map(([, item]) => item),
      );
    case "movableList":
      return read(place, MOVABLE_LIST, physical, path, report, [], (list) =>
        fittingItems(field, list.toArray(), path, report).map(([, item]) => item),
      );
    case "set":
      return read(place, MAP, physical, path, report, [], (map) => setItems(field, map, path, report));
    case "map":
    case "attachments":
      return read(place, MAP, physical, path, report, {}, (map) =>
        Object.fromEntries(entriesInOrder(map).filter(([key, value]) => fit(field, value, [...path, key], report))),
      );
    case "counter": {
      const value = read(place, COUNTER, physical, path, report, 0, (counter) => counter.value);
      if (Number.isSafeInteger(value)) return value;
      report({ path, reason: "misfit" });
      return 0;
    }
    case "records":
      return read(place, MAP, physical, path, report, {}, (map) =>
        Object.fromEntries(
          recordsIn(map, path, report).map(([key, record]) => [
            key,
            readFields(field.fields, { at: "record", doc: place.doc, map: record }, [...path, key], report),
          ]),
        ),
      );
  }
};

interface Accepting {
  readonly accepts: (value: unknown) => boolean;
}

const fit = (field: Accepting, value: unknown, path: Path, report: Report): boolean => {
  if (!isContainer(value) && field.accepts(value)) return true;
  report({ path, reason: isContainer(value) ? "wrong-kind" : "misfit" });
  return false;
};

/** What a container holds; `otherwise` where there is none that fits. */
const read = <C extends Container, A>(
  place: Place,
  kind: Parameters<typeof findContainer<C>>[1],
  physical: string,
  path: Path,
  report: Report,
  otherwise: A,
  holds: (container: C) => A,
): A => {
  const found = findContainer(place, kind, physical);
  if (found === "misfit") report({ path, reason: "wrong-kind" });
  return found === "misfit" || found === "absent" ? otherwise : readAndFree(found, holds);
};

/** The items that fit, each with its position in the container. */
export const fittingItems = (
  field: Accepting,
  items: ReadonlyArray<unknown>,
  path: Path,
  report: Report,
): ReadonlyArray<readonly [number, unknown]> =>
  [...items.entries()].filter(([position, item]) => fit(field, item, [...path, position], report));

/** A map's entries by key, so that a view does not depend on the order in which a replica came to know them. */
const entriesInOrder = (map: LoroMap): ReadonlyArray<readonly [string, unknown]> =>
  map.entries().toSorted(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));

const setItems = (field: Accepting, map: LoroMap, path: Path, report: Report): ReadonlyArray<string> =>
  entriesInOrder(map)
    .filter(([key, value]) => {
      if (value === true && field.accepts(key)) return true;
      // `false` is a member that was taken out by a program that does not delete keys.
      if (value !== false) report({ path: [...path, key], reason: isContainer(value) ? "wrong-kind" : "misfit" });
      return false;
    })
    .map(([key]) => key);

const recordsIn = (map: LoroMap, path: Path, report: Report): ReadonlyArray<readonly [string, LoroMap]> =>
  entriesInOrder(map).flatMap(([key, value]): ReadonlyArray<readonly [string, LoroMap]> => {
    if (!isContainer(value) || !MAP.is(value)) {
      report({ path: [...path, key], reason: "wrong-kind" });
      return [];
    }
    return value.get(REMOVED_KEY) === true ? [] : [[key, value]];
  });

const unknownInDocument = (type: DocumentType, doc: LoroDoc): ReadonlyArray<ReadonlyArray<string>> => {
  const slots = slotsOf(type.fields);
  const known = new Set([STATE_ROOT, PLAIN_ROOT, ...[...slots, ...(type.retired ?? [])].flatMap(keysOf)]);
  return [
    ...Object.keys(doc.toContainerTree({ roots: unknownRoots(doc, known) }))
      .toSorted()
      .map((name) => [name]),
    ...readAndFree(doc.getMap(PLAIN_ROOT), (plain) => plain.keys().map(String))
      .filter((key) => !known.has(key))
      .toSorted()
      .map((key) => [PLAIN_ROOT, key]),
    ...slots.flatMap((slot) => unknownInField(slot, { at: "document", doc }, [slot.physical])),
  ];
};

const unknownRoots = (doc: LoroDoc, known: ReadonlySet<string>): Array<string> =>
  Object.entries(doc.getShallowValue())
    .filter(([name, id]) => !known.has(name) && !isEmptyRoot(doc.getContainerById(id)))
    .map(([name]) => name);

/** Loro lists a root as soon as somebody asked for it; only its content says that it exists. */
export const isEmptyRoot = (root: Container | undefined): boolean => {
  if (root === undefined) return true;
  switch (root.kind()) {
    case "Text":
      return TEXT.is(root) && root.length === 0;
    case "List":
      return LIST.is(root) && root.length === 0;
    case "MovableList":
      return MOVABLE_LIST.is(root) && root.length === 0;
    case "Map":
      return MAP.is(root) && root.size === 0;
    case "Counter":
      return COUNTER.is(root) && root.value === 0;
    case "Tree":
      return "getNodes" in root && root.getNodes().length === 0;
  }
};

const unknownInField = (
  slot: Slot,
  place: Place,
  path: ReadonlyArray<string>,
): ReadonlyArray<ReadonlyArray<string>> => {
  const field: Field = slot.field;
  if (slot.origin !== undefined) return [];
  if (field.kind === "richText") {
    const text = findContainer(place, TEXT, slot.physical);
    return typeof text === "string" ? [] : unknownStyles(field.styles, text).map((name) => [...path, name]);
  }
  if (field.kind === "tree") {
    const tree = findContainer(place, TREE, slot.physical);
    return typeof tree === "string" ? [] : unknownInMaps(field, NODE_KEY, readableNodes(tree), place, path);
  }
  if (field.kind !== "records") return [];
  const map = findContainer(place, MAP, slot.physical);
  if (map === "absent" || map === "misfit") return [];
  return unknownInMaps(field, REMOVED_KEY, recordsIn(map, [], discard), place, path);
};

const unknownInMaps = (
  field: RecordsField | TreeField,
  ownKey: string,
  maps: ReadonlyArray<readonly [string, LoroMap]>,
  place: Place,
  path: ReadonlyArray<string>,
): ReadonlyArray<ReadonlyArray<string>> => {
  const nested = slotsOf(field.fields);
  const known = new Set([ownKey, ...[...nested, ...(field.retired ?? [])].flatMap(keysOf)]);
  return maps.flatMap(([key, map]) => [
    ...map
      .keys()
      .map(String)
      .filter((name) => !known.has(name))
      .toSorted()
      .map((name) => [...path, key, name]),
    ...nested.flatMap((inner) =>
      unknownInField(inner, { at: "record", doc: place.doc, map }, [...path, key, inner.physical]),
    ),
  ]);
};
