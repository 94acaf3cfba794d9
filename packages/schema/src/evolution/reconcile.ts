/**
 * Bringing fields to a given view with few operations, so that what others do at the same time keeps its place: texts by
 * their difference, lists by the items that stay, sets and maps by key.
 */
import { writerOf } from "../edit.ts";
import type { Fields } from "../field-kinds.ts";
import { type Json, canonicalJson, isJsonWithin, isPlainObject } from "../json.ts";
import {
  COUNTER,
  LIST,
  MAP,
  MOVABLE_LIST,
  type Place,
  TEXT,
  TREE,
  findContainer,
  openContainer,
  plainMap,
} from "../place.ts";
import { readField } from "../read.ts";
import { type Path, type Slot, slotsOf } from "../slots.ts";
import { type TreeNode, readableNodes } from "../tree.ts";
import { isKey } from "../write-checks.ts";
import { reconcileList } from "./reconcile-list.ts";
import { reconcileRichText, updateText } from "./reconcile-text.ts";

type View = Readonly<Record<string, unknown>>;

/** Units (`isJsonWithin`) of one item. */
const MAX_ITEM_UNITS = 4_000_000;

/**
 * Brings fields to a view. Total: what does not fit its field is left out. Members that the view does not have become what
 * was never written. Belongs to the document's current transaction.
 */
export const reconcileFields = (fields: Fields, place: Place, view: View): void => {
  for (const slot of slotsOf(fields)) reconcileField(slot, place, view[slot.name]);
};

const NO_PATH: Path = [];

const reconcileField = (slot: Slot, place: Place, wanted: unknown): void => {
  const { field, physical } = slot;
  switch (field.kind) {
    case "plain":
      return reconcilePlain(slot, field.accepts(wanted) ? wanted : field.default, place);
    case "text": {
      const text = typeof wanted === "string" ? wanted.toWellFormed() : "";
      if (readField(slot, place, NO_PATH, () => {}) !== text)
        updateText(openContainer(place, TEXT, physical, NO_PATH), text);
      return;
    }
    case "list":
      return reconcileList(openContainer(place, LIST, physical, NO_PATH), itemsOf(field, wanted));
    case "movableList":
      return reconcileList(openContainer(place, MOVABLE_LIST, physical, NO_PATH), itemsOf(field, wanted));
    case "set":
      return reconcileKeys(
        slot,
        place,
        new Map(itemsOf(field, wanted).flatMap((item) => (typeof item === "string" ? [[item, true] as const] : []))),
      );
    case "map":
    case "attachments":
      return reconcileKeys(slot, place, new Map(membersOf(field, wanted)));
    case "counter": {
      const value = typeof wanted === "number" && Number.isSafeInteger(wanted) ? wanted : 0;
      const counter = openContainer(place, COUNTER, physical, NO_PATH);
      if (value !== counter.value) counter.increment(value - counter.value);
      return;
    }
    case "richText":
      return reconcileRichText(field, openContainer(place, TEXT, physical, NO_PATH), wanted);
    case "tree":
      return reconcileTree(slot, place, wanted);
    case "records":
      return reconcileRecords(slot, place, isPlainObject(wanted) ? wanted : {});
  }
};

const reconcilePlain = (slot: Slot, value: Json, place: Place): void => {
  const present: unknown = plainMap(place).get(slot.physical);
  const isThere = isJsonWithin(present, MAX_ITEM_UNITS) && canonicalJson(present) === canonicalJson(value);
  const isDefault = slot.field.kind === "plain" && canonicalJson(slot.field.default) === canonicalJson(value);
  if (!isThere && !(present === undefined && isDefault)) plainMap(place).set(slot.physical, value);
};

const itemsOf = (
  field: { readonly accepts: (value: unknown) => value is Json },
  wanted: unknown,
): ReadonlyArray<Json> => (Array.isArray(wanted) ? wanted.filter(field.accepts) : []);

const membersOf = (
  field: { readonly accepts: (value: unknown) => value is Json },
  wanted: unknown,
): ReadonlyArray<readonly [string, Json]> =>
  isPlainObject(wanted)
    ? Object.entries(wanted).flatMap(([key, value]) => (field.accepts(value) ? [[key, value] as const] : []))
    : [];

const reconcileKeys = (slot: Slot, place: Place, wanted: ReadonlyMap<string, Json>): void => {
  const map = findContainer(place, MAP, slot.physical);
  const present = typeof map === "string" ? new Map<string, unknown>() : new Map(map.entries());
  // In order, as everything here: the same views give the same operations.
  for (const key of [...present.keys()].toSorted()) {
    if (!wanted.has(key) && typeof map !== "string") map.delete(key);
  }
  for (const [key, value] of wanted) {
    const before = present.get(key);
    if (isJsonWithin(before, MAX_ITEM_UNITS) && canonicalJson(before) === canonicalJson(value)) continue;
    openContainer(place, MAP, slot.physical, NO_PATH).set(key, value);
  }
};

interface RecordsAccess {
  readonly get: () => View;
  readonly ensure: (key: string) => unknown;
  readonly remove: (key: string) => void;
}

const reconcileRecords = (slot: Slot, place: Place, wanted: View): void => {
  const { field } = slot;
  if (field.kind !== "records") return;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the writer of records
  const writer = writerOf(slot, place, NO_PATH) as RecordsAccess;
  for (const key of Object.keys(writer.get())) if (!Object.hasOwn(wanted, key)) writer.remove(key);
  for (const [key, record] of Object.entries(wanted)) {
    if (!isPlainObject(record) || !isKey(key)) continue;
    writer.ensure(key);
    const records = openContainer(place, MAP, slot.physical, NO_PATH);
    const map = openContainer({ at: "record", doc: place.doc, map: records }, MAP, key, NO_PATH);
    reconcileFields(field.fields, { at: "record", doc: place.doc, map }, record);
  }
};

interface TreeAccess {
  readonly get: () => ReadonlyArray<TreeNode>;
  readonly create: (parent: string | undefined, position: number, options: { readonly key: string }) => string;
  readonly move: (id: string, parent: string | undefined, position: number) => void;
  readonly delete: (id: string) => void;
}

interface Wanted {
  readonly id: string;
  readonly node: View;
  readonly parent: string | undefined;
  readonly position: number;
}

const listed = (nodes: unknown, parent: string | undefined): ReadonlyArray<Wanted> =>
  Array.isArray(nodes)
    ? nodes.flatMap((node: unknown, position): ReadonlyArray<Wanted> => {
        if (!isPlainObject(node) || !isKey(node["id"])) return [];
        const { id } = node;
        return [{ id, node, parent, position }, ...listed(node["children"], id)];
      })
    : [];

/** Nodes are the same where they have the same id; one that is made gets it as its key. */
const reconcileTree = (slot: Slot, place: Place, wanted: unknown): void => {
  const { field } = slot;
  if (field.kind !== "tree") return;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the writer of a tree
  const writer = writerOf(slot, place, NO_PATH) as TreeAccess;
  const all = listed(wanted, undefined);
  const present = new Map(listed(writer.get(), undefined).map((found) => [found.id, found]));
  // Parents come before their children, so a node that moves finds its parent.
  for (const { id, parent, position } of all) {
    const before = present.get(id);
    if (before === undefined) writer.create(parent, position, { key: id });
    else if (before.parent !== parent || before.position !== position) writer.move(id, parent, position);
  }
  const kept = new Set(all.map(({ id }) => id));
  for (const id of [...present.keys()].toReversed()) if (!kept.has(id)) writer.delete(id);
  const tree = findContainer(place, TREE, slot.physical);
  if (typeof tree === "string") return;
  const maps = new Map(readableNodes(tree));
  for (const { id, node } of all) {
    const map = maps.get(id);
    if (map !== undefined) reconcileFields(field.fields, { at: "record", doc: place.doc, map }, node);
  }
};
