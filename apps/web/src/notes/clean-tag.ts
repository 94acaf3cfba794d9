/** A tag as it is stored: no leading `#`, single blanks, at most 40 characters. Empty if nothing is left. */
export const cleanTag = (input: string): string =>
  input
    .replaceAll(/[\s,]+/g, " ")
    .replace(/^[# ]+/, "")
    .slice(0, 40)
    .trim();
