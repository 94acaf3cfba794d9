/** Changes of a text or a list, as changes of another state of it. */
import { operationNaming } from "@cairn/schema";
import { type Container, isContainer, type JsonDiff, LoroDoc, LoroList, LoroMovableList, LoroText } from "loro-crdt";
import { type Sequence, type Step, transformDelta } from "./transform-delta.ts";
import type { IsShared } from "./tree-changes.ts";

/** What leads from one state of a text or a list to another one. */
export type Steps = ReadonlyArray<Step<Sequence>>;

/** The steps of a text's or a list's change; undefined for other containers. */
export const stepsOf = (change: JsonDiff | undefined): Steps | undefined =>
  change?.type === "text" || change?.type === "list" ? change.diff : undefined;

/** `change` and `base` both lead away from the same state; the result does to the state behind `base` what `change` did. */
export const movedChange = (change: JsonDiff, base: Steps | undefined): JsonDiff => {
  const steps = stepsOf(change);
  if (steps === undefined || base === undefined) return change;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the change's own steps, with other lengths
  return { type: change.type, diff: [...transformDelta(steps, base)] } as JsonDiff;
};

/**
 * What leads from one state of a text or a list to another one, where nobody knows how it came about: as little as there can be, in
 * a text by whole words. Undefined for other containers.
 *
 * @param isShared says of which operations both documents have the same: items that these made are the same, whatever is in them
 */
export const stepsBetween = (
  before: Container | undefined,
  after: Container | undefined,
  isShared: IsShared,
): Steps | undefined => {
  if (before instanceof LoroText && after instanceof LoroText) {
    return replacing(partsOf(before), partsOf(after), ({ length }) => length);
  }
  if (!isList(before) || !isList(after)) return undefined;
  return replacing(itemsOf(before, isShared), itemsOf(after, isShared), () => 1);
};

/** Words, and what is between them character by character. */
const partsOf = (text: LoroText): ReadonlyArray<string> => text.toString().match(/[\p{L}\p{M}\p{N}]+|./gsu) ?? [];

const isList = (container: Container | undefined): container is LoroList | LoroMovableList =>
  container instanceof LoroList || container instanceof LoroMovableList;

/** Containers among them that are not shared are compared by what they hold: another document has them under other names. */
const itemsOf = (list: LoroList | LoroMovableList, isShared: IsShared): ReadonlyArray<string> =>
  list.toArray().map((item) => {
    const made = isContainer(item) ? operationNaming(item.id) : undefined;
    if (made !== undefined && isShared(made)) return made;
    return JSON.stringify(isContainer(item) ? item.toJSON() : item) ?? "";
  });

const replacing = (
  before: ReadonlyArray<string>,
  after: ReadonlyArray<string>,
  lengthOf: (part: string) => number,
): Steps => {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  const [taken, put] = [before.slice(start, before.length - end), after.slice(start, after.length - end)];
  const lengthOfAll = (parts: ReadonlyArray<string>): number => parts.reduce((sum, part) => sum + lengthOf(part), 0);
  let [gone, come] = [0, 0];
  const steps = differenceBetween(taken, put).map(({ kind, count }): Step<Sequence> => {
    if (kind === "insert") {
      come += count;
      // Only how much was put in is asked for.
      return { insert: " ".repeat(lengthOfAll(put.slice(come - count, come))) };
    }
    gone += count;
    if (kind === "retain") come += count;
    const length = lengthOfAll(taken.slice(gone - count, gone));
    return kind === "retain" ? { retain: length } : { delete: length };
  });
  return [{ retain: lengthOfAll(before.slice(0, start)) }, ...steps];
};

interface Run {
  readonly kind: "retain" | "insert" | "delete";
  /** Of parts. */
  readonly count: number;
}

/** Longer than this nobody looks for the least difference. */
const SEARCH_MILLIS = 500;
/** Behind the characters with one UTF-16 unit: those from here on have two. */
const FIRST_SYMBOL = 0x1_0000;
const SYMBOLS = 0x10_0000;

/** Loro finds the least difference of two texts: of these, in which one character stands for each different part. */
const differenceBetween = (before: ReadonlyArray<string>, after: ReadonlyArray<string>): ReadonlyArray<Run> => {
  const all: ReadonlyArray<Run> = [
    { kind: "delete", count: before.length },
    { kind: "insert", count: after.length },
  ];
  if (before.length === 0 || after.length === 0) return all;
  const symbols = new Map<string, string>();
  const written = (parts: ReadonlyArray<string>): string =>
    parts
      .map((part) => {
        const symbol = symbols.get(part) ?? String.fromCodePoint(FIRST_SYMBOL + (symbols.size % SYMBOLS));
        symbols.set(part, symbol);
        return symbol;
      })
      .join("");
  const doc = new LoroDoc();
  try {
    const text = doc.getText("parts");
    text.insert(0, written(before));
    doc.commit();
    const since = doc.frontiers();
    text.update(written(after), { timeoutMs: SEARCH_MILLIS });
    doc.commit();
    const [[, difference] = []] = doc.diff(since, doc.frontiers(), true);
    return (stepsOf(difference) ?? []).map((step): Run => {
      if ("insert" in step) return { kind: "insert", count: step.insert.length / 2 };
      return "delete" in step ? { kind: "delete", count: step.delete / 2 } : { kind: "retain", count: step.retain / 2 };
    });
  } catch {
    return all;
  } finally {
    doc.free();
  }
};
