/** Bringing a list to a view: items that stay keep their elements, so that what others do to them keeps its place. */
import type { LoroList, LoroMovableList } from "loro-crdt";
import { type Json, canonicalJson, isJsonWithin, isPlainObject } from "../json.ts";

/** Units (`isJsonWithin`) of one item. */
const MAX_ITEM_UNITS = 4_000_000;

/**
 * What makes two items the same item: the text or number under its `id` where it has one, else all of it. An item with an id
 * that changed is replaced in place; any other that changed is another item.
 */
const identityOf = (item: unknown): string => {
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
  for (const [oldIndex, newIndex] of [...kept, [-1, -1] as const]) {
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

/** Items keep their containers' elements where they stay the same item: those that others move or replace meanwhile. */
const reconcileMovable = (
  list: LoroMovableList,
  present: ReadonlyArray<string>,
  wanted: ReadonlyArray<Json>,
  target: ReadonlyArray<string>,
): void => {
  // Which present item becomes which wanted one: those in the same order first, then those that moved.
  const source = new Map(commonItems(present, target).map(([before, after]) => [after, before]));
  const free = new Map<string, Array<number>>();
  const taken = new Set(source.values());
  for (const [index, identity] of present.entries()) {
    if (!taken.has(index)) free.set(identity, [...(free.get(identity) ?? []), index]);
  }
  for (const [index, identity] of target.entries()) {
    const moved = source.has(index) ? undefined : free.get(identity)?.shift();
    if (moved === undefined) continue;
    source.set(index, moved);
    taken.add(moved);
  }
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

/** Above this many comparisons only a common beginning and end are looked for. */
const MAX_COMPARISONS = 4_000_000;

/** A longest common subsequence, as pairs of positions, the last first. */
const commonItems = (
  before: ReadonlyArray<string>,
  after: ReadonlyArray<string>,
): ReadonlyArray<readonly [number, number]> => {
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < most - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  const pairs: Array<readonly [number, number]> = [];
  for (let index = 1; index <= end; index += 1) pairs.push([before.length - index, after.length - index]);
  pairs.push(...middle(before.slice(start, before.length - end), after.slice(start, after.length - end), start));
  for (let index = start - 1; index >= 0; index -= 1) pairs.push([index, index]);
  return pairs;
};

const middle = (
  before: ReadonlyArray<string>,
  after: ReadonlyArray<string>,
  offset: number,
): ReadonlyArray<readonly [number, number]> => {
  if (before.length === 0 || after.length === 0 || before.length * after.length > MAX_COMPARISONS) return [];
  const width = after.length + 1;
  const lengths = new Uint32Array((before.length + 1) * width);
  for (let row = 1; row <= before.length; row += 1) {
    for (let column = 1; column <= after.length; column += 1) {
      lengths[row * width + column] =
        before[row - 1] === after[column - 1]
          ? (lengths[(row - 1) * width + column - 1] ?? 0) + 1
          : Math.max(lengths[(row - 1) * width + column] ?? 0, lengths[row * width + column - 1] ?? 0);
    }
  }
  const pairs: Array<readonly [number, number]> = [];
  let [row, column] = [before.length, after.length];
  while (row > 0 && column > 0) {
    if (before[row - 1] === after[column - 1]) {
      pairs.push([row - 1 + offset, column - 1 + offset]);
      row -= 1;
      column -= 1;
    } else if ((lengths[(row - 1) * width + column] ?? 0) >= (lengths[row * width + column - 1] ?? 0)) row -= 1;
    else column -= 1;
  }
  return pairs;
};
