/** Bringing a list to a view: items that stay keep their elements, so that what others do to them keeps its place. */
import type { LoroList, LoroMovableList } from "loro-crdt";
import { type Json, canonicalJson, isJsonWithin, isPlainObject } from "../json.ts";
import { commonItems } from "./common-items.ts";

/** Units (`isJsonWithin`) of one item. */
const MAX_ITEM_UNITS = 4_000_000;

/**
 * What makes two items the same item: the text or number under its `id` where it has one, else all of it. An item with an id
 * that changed is replaced in place; any other that changed is another item.
 */
export const identityOf = (item: unknown): string => {
  if (isPlainObject(item)) {
    const id = item["id"];
    if (typeof id === "string" || typeof id === "number") return `id ${id}`;
  }
  return isJsonWithin(item, MAX_ITEM_UNITS) ? `is ${canonicalJson(item)}` : "other";
};

/** Brings a list to these items. */
export const reconcileList = (list: LoroList | LoroMovableList, wanted: ReadonlyArray<Json>): void => {
  const present = list.toArray().map(identityOf);
  const target = wanted.map(identityOf);
  if (list.kind() === "MovableList" && "move" in list) return reconcileMovable(list, present, wanted, target);
  const kept = commonItems(present, target);
  // From the end, so that positions before stay what they are.
  let [from, to] = [present.length, target.length];
  for (const [oldIndex, newIndex] of [...kept.toReversed(), [-1, -1] as const]) {
    if (from - oldIndex - 1 > 0) list.delete(oldIndex + 1, from - oldIndex - 1);
    for (let index = to - 1; index > newIndex; index -= 1) insert(list, oldIndex + 1, wanted[index]);
    if (oldIndex >= 0) replaceChanged(list, oldIndex, wanted[newIndex]);
    [from, to] = [oldIndex, newIndex];
  }
};

const insert = (list: LoroList | LoroMovableList, position: number, item: Json | undefined): void => {
  if (item !== undefined) list.insert(position, item);
};

const isSame = (present: unknown, wanted: Json): boolean =>
  isJsonWithin(present, MAX_ITEM_UNITS) && canonicalJson(present) === canonicalJson(wanted);

const replaceChanged = (list: LoroList | LoroMovableList, position: number, item: Json | undefined): void => {
  if (item === undefined || isSame(list.get(position), item)) return;
  if ("set" in list) list.set(position, item);
  else {
    list.delete(position, 1);
    list.insert(position, item);
  }
};

/**
 * Which position of the items before each position after comes from: those in the same order first, then those that moved.
 * Positions of items that are new are left out.
 */
export const sourcesOf = (before: ReadonlyArray<string>, after: ReadonlyArray<string>): ReadonlyMap<number, number> => {
  const source = new Map(commonItems(before, after).map(([from, to]) => [to, from]));
  const taken = new Set(source.values());
  const free = new Map<string, Array<number>>();
  // The first of several comes last, where it is taken from.
  for (let index = before.length - 1; index >= 0; index -= 1) {
    const identity = before[index] ?? "";
    if (taken.has(index)) continue;
    const known = free.get(identity);
    if (known === undefined) free.set(identity, [index]);
    else known.push(index);
  }
  for (const [index, identity] of after.entries()) {
    const moved = source.has(index) ? undefined : free.get(identity)?.pop();
    if (moved !== undefined) source.set(index, moved);
  }
  return source;
};

/** Items keep their containers' elements where they stay the same item: those that others move or replace meanwhile. */
const reconcileMovable = (
  list: LoroMovableList,
  present: ReadonlyArray<string>,
  wanted: ReadonlyArray<Json>,
  target: ReadonlyArray<string>,
): void => {
  const source = sourcesOf(present, target);
  const taken = new Set(source.values());
  for (let index = present.length - 1; index >= 0; index -= 1) if (!taken.has(index)) list.delete(index, 1);
  const order = [...taken].toSorted((left, right) => left - right);
  for (const [index, item] of wanted.entries()) {
    const from = source.get(index);
    if (from === undefined) {
      list.insert(index, item);
      order.splice(index, 0, -1);
      continue;
    }
    const at = order.indexOf(from, index);
    if (at !== index) {
      list.move(at, index);
      order.splice(at, 1);
      order.splice(index, 0, from);
    }
    replaceChanged(list, index, item);
  }
};
