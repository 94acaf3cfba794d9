/** What happened to a rich text, as operations of a patch. */
import type { RichTextField } from "../field-kinds.ts";
import { type Json, isPlainObject } from "../json.ts";
import type { RichText } from "../rich-text.ts";
import type { PatchOperation } from "./patch.ts";

interface Delta {
  readonly insert?: string | undefined;
  readonly delete?: number | undefined;
  readonly retain?: number | undefined;
  readonly attributes?: unknown;
}

/**
 * `now` is the text at the end: what is inserted would take on the marks around it, and says where it has none. Marks that
 * the field does not declare are left out.
 */
export const richTextOperations = (
  field: RichTextField,
  path: PatchOperation["path"],
  deltas: ReadonlyArray<Delta>,
  now: RichText,
): ReadonlyArray<PatchOperation> => {
  const named = new Set(deltas.flatMap(({ attributes }) => Object.keys(isPlainObject(attributes) ? attributes : {})));
  const marksAt = attributesIn(now);
  const found: Array<PatchOperation> = [];
  let at = 0;
  for (const delta of deltas) {
    const count = delta.insert?.length ?? delta.retain ?? 0;
    if (delta.insert !== undefined) found.push({ op: "splice", path, at, insert: delta.insert });
    else if (delta.delete !== undefined) found.push({ op: "splice", path, at, delete: delta.delete });
    const given: Readonly<Record<string, unknown>> = isPlainObject(delta.attributes) ? delta.attributes : {};
    for (const [name, style] of Object.entries(field.styles)) {
      const value = Object.hasOwn(given, name) ? given[name] : undefined;
      if (value !== undefined && value !== null) {
        if (style.accepts(value)) found.push({ op: "mark", path, at, count, name, value });
      } else {
        const takesOn =
          named.has(name) || marksAt(at - 1)?.[name] !== undefined || marksAt(at + count)?.[name] !== undefined;
        const isGone = delta.insert === undefined ? value === null : takesOn;
        if (isGone) found.push({ op: "mark", path, at, count, name, value: null });
      }
    }
    at += count;
  }
  return found;
};

/** The marks of the character at a position. */
const attributesIn = (text: RichText): ((at: number) => Readonly<Record<string, Json | undefined>> | undefined) => {
  let end = 0;
  const ends = text.map(({ insert }) => (end += insert.length));
  return (at) => {
    if (at < 0) return undefined;
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ends[middle] ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    return text[low]?.attributes;
  };
};
