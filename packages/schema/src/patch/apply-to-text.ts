/** Operations on texts, plain and rich. */
import type { LoroText } from "loro-crdt";

import type { RichTextField } from "../field-kinds.ts";
import { type Json, canonicalJson } from "../json.ts";
import { type RichText, type RichTextWriter, type Styles, isRichText } from "../rich-text.ts";
import type { PatchOperation } from "./patch.ts";
import { notAllowed, refuse, whole } from "./refused.ts";

const isInsidePair = (text: string, at: number): boolean =>
  /[\ud800-\udbff]/.test(text.charAt(at - 1)) && /[\udc00-\udfff]/.test(text.charAt(at));

export const applyToText = (text: LoroText, operation: PatchOperation): void => {
  const before = text.toString();
  const splice = (at: number, count: number, insert: string): void => {
    if (at + count > before.length) refuse("patch/out-of-range", `the text has ${before.length} characters`);
    if (isInsidePair(before, at) || isInsidePair(before, at + count))
      refuse("patch/out-of-range", "inside a character");
    if (!insert.isWellFormed()) refuse("patch/invalid-value", "the text holds a lone surrogate");
    if (count > 0) text.delete(at, count);
    if (insert !== "") text.insert(at, insert);
  };
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- all others are not allowed here
  switch (operation.op) {
    case "unset":
      return splice(0, before.length, "");
    case "splice": {
      const { insert = "" } = operation;
      if (typeof insert !== "string") return refuse("patch/malformed", '"insert" is a text');
      return splice(whole(operation.at, "at"), whole(operation.delete ?? 0, "delete"), insert);
    }
    case "set": {
      const { value } = operation;
      if (typeof value !== "string") return refuse("patch/invalid-value", "a text is expected");
      let start = 0;
      while (start < before.length && before[start] === value[start]) start += 1;
      if (isInsidePair(before, start) || isInsidePair(value, start)) start -= 1;
      let end = 0;
      const most = Math.min(before.length, value.length) - start;
      while (end < most && before[before.length - 1 - end] === value[value.length - 1 - end]) end += 1;
      if (isInsidePair(before, before.length - end) || isInsidePair(value, value.length - end)) end -= 1;
      return splice(start, before.length - end - start, value.slice(start, value.length - end));
    }
    default:
      return notAllowed(operation, "a text");
  }
};

/** Like a text, with the marks of what is set, and `mark`. */
export const applyToRichText = (
  field: RichTextField,
  writer: RichTextWriter<Styles>,
  operation: PatchOperation,
): void => {
  if (operation.op === "mark") {
    const { name, value } = operation;
    if (typeof name !== "string") return refuse("patch/malformed", '"name" is a text');
    const start = whole(operation.at, "at");
    const range = { start, end: start + whole(operation.count, "count") };
    return value === null ? writer.unmark(range, name) : writer.mark(range, name, value);
  }
  if (operation.op !== "set") return applyToText(writer.text, operation);
  const wanted: unknown = operation.value;
  if (!isRichText(field.styles, wanted)) return refuse("patch/invalid-value", "runs of text are expected");
  const value = wanted.map(({ insert }) => insert).join("");
  applyToText(writer.text, { op: "set", path: operation.path, value });
  for (const name of Object.keys(field.styles)) {
    for (const [start, end, mark] of changedRanges(markedRanges(writer.get(), name), markedRanges(wanted, name))) {
      if (mark === undefined) writer.unmark({ start, end }, name);
      else writer.mark({ start, end }, name, mark);
    }
  }
};

/** From, to before, and the value of the mark there. */
type Range = readonly [number, number, Json | undefined];

/** What one style says, from the beginning to the end of a text. */
const markedRanges = (text: RichText, name: string): ReadonlyArray<Range> => {
  let at = 0;
  return text.flatMap(({ insert, attributes }): ReadonlyArray<Range> => {
    const start = at;
    at += insert.length;
    return insert === "" ? [] : [[start, at, attributes?.[name]]];
  });
};

/** Where the second says something else about the same characters than the first, with what it says. */
const changedRanges = (from: ReadonlyArray<Range>, to: ReadonlyArray<Range>): ReadonlyArray<Range> => {
  const changed: Array<Range> = [];
  let [left, right] = [0, 0];
  for (;;) {
    const [before, after] = [from[left], to[right]];
    if (before === undefined || after === undefined) return changed;
    const start = Math.max(before[0], after[0]);
    const end = Math.min(before[1], after[1]);
    if (!same(before[2], after[2])) {
      const last = changed.at(-1);
      if (last !== undefined && last[1] === start && same(last[2], after[2]))
        changed.splice(-1, 1, [last[0], end, after[2]]);
      else changed.push([start, end, after[2]]);
    }
    if (before[1] === end) left += 1;
    if (after[1] === end) right += 1;
  }
};

const same = (left: Json | undefined, right: Json | undefined): boolean =>
  left === undefined || right === undefined ? left === right : canonicalJson(left) === canonicalJson(right);
