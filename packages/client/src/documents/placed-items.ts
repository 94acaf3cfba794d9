/** Items of lists by what they are: changes of a list as steps know only where they stood. */
import { containerOfJson, jsonOfContainer, operationNaming } from "@cairn/schema";
import { type Container, type ContainerID, isContainer, type JsonDiff, LoroList, LoroMovableList } from "loro-crdt";
import { movedChange, type Steps, stepsOf } from "./moved-changes.ts";
import type { IsShared } from "./tree-changes.ts";

/** A change of a container, as one of the container that it is going to be applied to. */
export interface FittedChange {
  readonly diff: JsonDiff;
  /** Items that it moves: what they are there. */
  readonly moved: ReadonlyArray<ContainerID>;
  /** Items that it would move, and that are not there; for one that is no container, the list. */
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
 * A change of a list, or of a text, as one of `there`, with the items that it is about, wherever they stand by now: it takes away
 * those and moves those. An item that is moved and is not there would come into being, empty.
 *
 * @param change the change as it was made, of the list `before`
 * @param base leads from `before` to `there`
 */
export const placeItems = (
  change: JsonDiff,
  base: Steps | undefined,
  before: Container | undefined,
  there: Container | undefined,
  itemThere: ItemThere,
): FittedChange => {
  const fitted = movedChange(change, base);
  const [made, steps] = [stepsOf(change), stepsOf(fitted)];
  if (fitted.type !== "list" || made === undefined || steps === undefined) return asItIs(fitted);
  const [old, now] = [itemsIn(before), itemsIn(there)];
  const places = new Map(now.flatMap((id, index) => (id === undefined ? [] : [[id, index] as const])));
  const values = before instanceof LoroMovableList ? new ValuesThere(before, there, base) : undefined;
  const taken = takenBy(made).flatMap((index) => {
    const id = old[index];
    if (id === undefined) return values?.take(index) ?? [];
    const item = itemThere(id);
    return item === undefined ? [] : (places.get(item) ?? []);
  });
  const isOld = new Set(old);
  const [moved, lost]: [Array<ContainerID>, Array<ContainerID>] = [[], []];
  const put = (value: unknown): ReadonlyArray<unknown> => {
    const id = containerOfJson(value);
    if (id === undefined) {
      if (before === undefined || values?.put(value) !== false) return [value];
      lost.push(before.id);
      return [];
    }
    if (!isOld.has(id)) return [value];
    const item = itemThere(id);
    if (item === undefined || !places.has(item)) {
      lost.push(id);
      return [];
    }
    moved.push(item);
    return [jsonOfContainer(item)];
  };
  const placed = withTaken(steps, taken, (all) => all.flatMap(put));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the change's own items, by other names
  return { diff: { type: "list", diff: placed } as JsonDiff, moved, lost };
};

/** Items of a movable list that are no containers: one is as good as another one of the same value. */
class ValuesThere {
  readonly #before: ReadonlyArray<string>;
  readonly #kept: ReadonlyMap<number, number>;
  /** Places of what `base` has put into the list. */
  readonly #come = new Map<string, Array<number>>();
  /** Values that were taken: whether they were there. */
  readonly #taken = new Map<string, Array<boolean>>();

  constructor(before: LoroMovableList, there: Container | undefined, base: Steps | undefined) {
    this.#before = valuesIn(before);
    this.#kept = new Map(keptBy(base ?? [], before.length));
    const kept = new Set(this.#kept.values());
    for (const [index, value] of valuesIn(there).entries()) {
      if (!kept.has(index)) this.#come.set(value, [...(this.#come.get(value) ?? []), index]);
    }
  }

  /** Where the item that stood at a place before is now. */
  take(index: number): number | undefined {
    const value = this.#before[index] ?? "";
    const place = this.#kept.get(index) ?? this.#come.get(value)?.shift();
    this.#taken.set(value, [...(this.#taken.get(value) ?? []), place !== undefined]);
    return place;
  }

  /** Whether a value may be put in: it is new, or was taken from where it is. */
  put(value: unknown): boolean {
    return this.#taken.get(JSON.stringify(value) ?? "")?.shift() ?? true;
  }
}

const valuesIn = (container: Container | undefined): ReadonlyArray<string> =>
  isList(container) ? container.toArray().map((item) => (isContainer(item) ? "" : (JSON.stringify(item) ?? ""))) : [];

const isList = (container: Container | undefined): container is LoroList | LoroMovableList =>
  container instanceof LoroList || container instanceof LoroMovableList;

/** What each item of a list is; undefined for those that are no containers. */
const itemsIn = (container: Container | undefined): ReadonlyArray<ContainerID | undefined> =>
  isList(container) ? container.toArray().map((item) => (isContainer(item) ? item.id : undefined)) : [];

/** The places where steps take something away, also where they put it elsewhere. */
const takenBy = (steps: Steps): ReadonlyArray<number> => {
  let at = 0;
  return steps.flatMap((step) => {
    if ("insert" in step) return [];
    const begin = at;
    at += "retain" in step ? step.retain : step.delete;
    return "delete" in step ? Array.from({ length: step.delete }, (_, index) => begin + index) : [];
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
