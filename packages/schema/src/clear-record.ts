/**
 * Emptying a record, whatever it holds: a record that is removed is gone for apps of all versions, and one that is made again is
 * empty for all of them. So what newer apps store in it goes as well, and what this version does not show any more.
 *
 * Containers stay in place: deleting their keys and making them again would bring the old content back.
 */
import type { Container, LoroMap } from "loro-crdt";
import { isContainer } from "./container.ts";
import { COUNTER, LIST, MAP, MOVABLE_LIST, TEXT, TREE } from "./place.ts";
import { REMOVED_KEY } from "./read.ts";
import { clearTree } from "./tree-writer.ts";

/** Takes everything out of a record's map, but the mark that it was removed. */
export const clearRecord = (record: LoroMap): void => {
  for (const key of record.keys().map(String)) {
    if (key === REMOVED_KEY) continue;
    const value: unknown = record.get(key);
    if (isContainer(value)) clearContainer(value);
    else record.delete(key);
  }
};

const clearContainer = (container: Container): void => {
  if (TEXT.is(container)) container.delete(0, container.length);
  else if (LIST.is(container) || MOVABLE_LIST.is(container)) container.clear();
  else if (TREE.is(container)) clearTree(container);
  else if (COUNTER.is(container)) {
    if (container.value !== 0) container.decrement(container.value);
  } else if (MAP.is(container)) clearMap(container);
};

/** A field's map holds values by key, or records, or the successors of a change: what is a map in it is removed whole. */
const clearMap = (map: LoroMap): void => {
  for (const key of map.keys().map(String)) {
    const value: unknown = map.get(key);
    if (!isContainer(value)) map.delete(key);
    else if (MAP.is(value)) {
      clearRecord(value);
      value.set(REMOVED_KEY, true);
    } else clearContainer(value);
  }
};
