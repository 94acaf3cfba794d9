/**
 * Applying patches, whose positions count code points, to a `LoroText`, whose positions count UTF-16 code units.
 *
 * `LoroText.convertPos` looks the position up in the text's own tree (about half a microsecond, where an edit costs fifty
 * to a hundred), so positions are always converted; a shortcut for texts without characters beyond U+FFFF would have to
 * watch every import for one.
 */
import type { LoroText } from "loro-crdt";

import { InvalidTrace, type Patch } from "./trace.ts";

/** Apply one transaction's patches in order. The caller commits. Throws `InvalidTrace` for a position outside the text. */
export const applyTransaction = (text: LoroText, transaction: { readonly patches: ReadonlyArray<Patch> }): void => {
  for (const [position, deleted, inserted] of transaction.patches) {
    const start = utf16Position(text, position);
    if (deleted > 0) text.delete(start, utf16Position(text, position + deleted) - start);
    if (inserted !== "") text.insert(start, inserted);
  }
};

const utf16Position = (text: LoroText, position: number): number => {
  const converted: unknown = text.convertPos(position, "unicode", "utf16");
  if (typeof converted !== "number") throw new InvalidTrace({ reason: `position ${position} is outside the text` });
  return converted;
};

/**
 * The same on an array of code points: slow, obvious, and without Loro, to check the other against. Changes `codePoints`.
 */
export const applyToCodePoints = (codePoints: Array<string>, patches: ReadonlyArray<Patch>): void => {
  for (const [position, deleted, inserted] of patches) {
    if (position + deleted > codePoints.length) {
      throw new InvalidTrace({ reason: `position ${position + deleted} is outside the text` });
    }
    codePoints.splice(position, deleted, ...Array.from(inserted));
  }
};
