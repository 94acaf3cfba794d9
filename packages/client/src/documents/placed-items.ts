/** Items of lists by what they are: changes of a list as steps know only where they stood. */
import { containerOfJson, jsonOfContainer, operationNaming } from "@cairn/schema";
import { type Container, type ContainerID, isContainer, type JsonDiff, LoroList, LoroMovableList } from "loro-crdt";
import { type Steps, stepsOf } from "./moved-changes.ts";
import type { IsShared } from "./tree-changes.ts";

/** A change of a container, as one of the container that it is going to be applied to. */
export interface FittedChange {
  readonly diff: JsonDiff;
  /** Items that it moves: what they are there. */
  readonly moved: ReadonlyArray<ContainerID>;
  /** Items that it would move, and that are not there. */
  readonly lost: ReadonlyArray<ContainerID>;
}

/** A change that is about the same items there. */
export const asItIs = (diff: JsonDiff): FittedChange => ({ diff, moved: [], lost: [] });

/** The item of the list as it is that an item of the list before is, if there is one. */
export type ItemThere = (item: ContainerID) => ContainerID | undefined;

/**
 * Items that both lists have from the same operation, and others by the places that `base`, which leads from one to the other, keeps.
 *
 * @param isShared says of which operations both documents have the same
 * @param isTaken says which names are those of other containers where the changes come from (hazard L4)
 */
export const itemThereBy = (
  before: Container | undefined,
  there: Container | undefined,
  base: Steps | undefined,
  isShared: IsShared,
  isTaken: (name: ContainerID) => boolean,
): ItemThere => {
  const [old, now] = [itemsIn(before), itemsIn(there)];
  const found = new Map<ContainerID, ContainerID>();
  for (const [from, to] of keptBy(base ?? [], old.length)) {
    const [was, is] = [old[from], now[to]];
    if (was !== undefined && is !== undefined && !isTaken(is)) found.set(was, is);
  }
  return (item) => {
    const made = operationNaming(item);
    return made !== undefined && isShared(made) ? item : found.get(item);
  };
};

/** The places, before and after, of what steps keep of so many items. */
const keptBy = (steps: Steps, items: number): ReadonlyArray<readonly [before: number, after: number]> => {
  const kept: Array<readonly [number, number]> = [];
  let [before, after] = [0, 0];
  const keepTo = (end: number): void => {
    for (; before < end; before += 1, after += 1) kept.push([before, after]);
  };
  for (const step of steps) {
    if ("insert" in step) after += step.insert.length;
    else if ("delete" in step) before += step.delete;
    else keepTo(before + step.retain);
  }
  keepTo(items);
  return kept;
};

/**
 * Gives a change of a list, whose steps fit the list `there`, the items that it is about, wherever they stand by now: it takes away
 * those and moves those. An item that is moved and is not there would come into being, empty.
 *
 * @param change the change as it was made, of the list `before`
 * @param fitted the same with steps that fit `there`
 */
export const placeItems = (
  change: JsonDiff,
  fitted: JsonDiff,
  before: Container | undefined,
  there: Container | undefined,
  itemThere: ItemThere,
): FittedChange => {
  const [made, steps] = [stepsOf(change), stepsOf(fitted)];
  if (fitted.type !== "list" || made === undefined || steps === undefined) return asItIs(fitted);
  const [old, now] = [itemsIn(before), itemsIn(there)];
  const places = new Map(now.flatMap((id, index) => (id === undefined ? [] : [[id, index] as const])));
  const isOld = new Set(old);
  const [moved, lost]: [Array<ContainerID>, Array<ContainerID>] = [[], []];
  const placeOf = (id: ContainerID | undefined): number | undefined => {
    const item = id === undefined ? undefined : itemThere(id);
    return item === undefined ? undefined : places.get(item);
  };
  const put = (values: ReadonlyArray<unknown>): ReadonlyArray<unknown> =>
    values.flatMap((value): ReadonlyArray<unknown> => {
      const id = containerOfJson(value);
      if (id === undefined || !isOld.has(id)) return [value];
      const item = itemThere(id);
      if (item === undefined || !places.has(item)) {
        lost.push(id);
        return [];
      }
      moved.push(item);
      return [jsonOfContainer(item)];
    });
  const taken = takenBy(made, old).flatMap((id) => placeOf(id) ?? []);
  const placed = withTaken(steps, taken, put);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the change's own items, by other names
  return { diff: { type: "list", diff: placed } as JsonDiff, moved, lost };
};

const isList = (container: Container | undefined): container is LoroList | LoroMovableList =>
  container instanceof LoroList || container instanceof LoroMovableList;

/** What each item of a list is; undefined for those that are no containers. */
const itemsIn = (container: Container | undefined): ReadonlyArray<ContainerID | undefined> =>
  isList(container) ? container.toArray().map((item) => (isContainer(item) ? item.id : undefined)) : [];

/** What stood where steps take something away, also where they put it elsewhere. */
const takenBy = (
  steps: Steps,
  items: ReadonlyArray<ContainerID | undefined>,
): ReadonlyArray<ContainerID | undefined> => {
  let at = 0;
  return steps.flatMap((step) => {
    if ("insert" in step) return [];
    const begin = at;
    at += "retain" in step ? step.retain : step.delete;
    return "delete" in step ? items.slice(begin, at) : [];
  });
};

/** The steps, which also take away what stands at these places. */
const withTaken = (
  steps: Steps,
  places: ReadonlyArray<number>,
  put: (values: ReadonlyArray<unknown>) => ReadonlyArray<unknown>,
): Steps => {
  const taken = [...new Set(places)].toSorted((left, right) => left - right);
  const result: Array<Steps[number]> = [];
  let at = 0;
  const passTo = (end: number): void => {
    for (const place of taken) {
      if (place < at || place >= end) continue;
      result.push({ retain: place - at }, { delete: 1 });
      at = place + 1;
    }
    result.push({ retain: end - at });
    at = end;
  };
  for (const step of steps) {
    if ("retain" in step) passTo(at + step.retain);
    else if ("delete" in step) {
      result.push(step);
      at += step.delete;
    } else if (typeof step.insert !== "string") result.push({ insert: put(step.insert) });
  }
  passTo(Math.max(at, (taken.at(-1) ?? -1) + 1));
  return result.filter(
    (step) => !("retain" in step && step.retain === 0) && !("insert" in step && step.insert.length === 0),
  );
};
