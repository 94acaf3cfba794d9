/** Bringing a text, and the marks in it, to a view. */
import type { LoroText } from "loro-crdt";
import type { RichTextField } from "../field-kinds.ts";
import { type Json, canonicalJson } from "../json.ts";
import { type RichText, isRichText, runsOf } from "../rich-text.ts";
import { differenceOf } from "./text-difference.ts";

/** Brings a text to another by their difference. */
export const updateText = (text: LoroText, wanted: string): void => {
  // From the end, so that positions before stay what they are.
  for (const { start, end, insert } of differenceOf(text.toString(), wanted).toReversed()) {
    if (end > start) text.delete(start, end - start);
    if (insert !== "") text.insert(start, insert);
  }
};

interface Piece {
  readonly start: number;
  readonly end: number;
  readonly value: Json | undefined;
}

/** Where one style has which value. */
const piecesOf = (runs: RichText, name: string): ReadonlyArray<Piece> => {
  let start = 0;
  return runs.map(({ insert, attributes }) => {
    const piece = { start, end: start + insert.length, value: attributes?.[name] };
    start = piece.end;
    return piece;
  });
};

const textOf = (value: Json | undefined): string => (value === undefined ? "" : canonicalJson(value));

/** Brings a rich text to a view: its letters by their difference, then the declared marks that differ. */
export const reconcileRichText = (field: RichTextField, text: LoroText, wanted: unknown): void => {
  const runs = isRichText(field.styles, wanted) ? wanted : [];
  const letters = runs.map(({ insert }) => insert).join("");
  if (text.toString() !== letters) updateText(text, letters);
  const before = runsOf(field.styles, text, [], () => {});
  for (const name of Object.keys(field.styles)) {
    const present = piecesOf(before, name);
    for (const piece of piecesOf(runs, name)) {
      for (const other of present) {
        const start = Math.max(piece.start, other.start);
        const end = Math.min(piece.end, other.end);
        if (start >= end || textOf(piece.value) === textOf(other.value)) continue;
        if (piece.value === undefined) text.unmark({ start, end }, name);
        else text.mark({ start, end }, name, piece.value);
      }
    }
  }
};
