/**
 * Plain JSON: what plain fields hold, what projections are made of, and its one canonical text (RFC 8785).
 */

/** A JSON value. Numbers are finite. */
export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json };

/** Nesting beyond this is refused, so that no walk over a value can exhaust the stack. */
export const MAX_JSON_DEPTH = 64;

/**
 * The canonical JSON text of a value (RFC 8785): keys sorted by UTF-16 code units, no white space, ECMAScript numbers
 * (`-0` is `0`). Throws `TypeError` for what JSON cannot say: `undefined`, functions, bigints, NaN, infinities, lone
 * surrogates, objects that are not plain (bytes, dates), and nesting beyond `MAX_JSON_DEPTH * 8`.
 */
export const canonicalJson = (value: unknown): string => canonicalText(value, 0);

const CANONICAL_DEPTH = MAX_JSON_DEPTH * 8;

const canonicalText = (value: unknown, depth: number): string => {
  if (depth > CANONICAL_DEPTH) throw new TypeError("canonical JSON: nested too deeply");
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError(`canonical JSON: ${value} is not a JSON number`);
    return JSON.stringify(value);
  }
  if (typeof value === "string") {
    // RFC 8785, section 3.2.2.2: a lone surrogate is an error, because it has no UTF-8 form.
    if (!value.isWellFormed()) throw new TypeError("canonical JSON: a string holds a lone surrogate");
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${Array.from(value, (item) => canonicalText(item, depth + 1)).join(",")}]`;
  if (isPlainObject(value)) {
    const members = Object.keys(value)
      .toSorted()
      .map((key) => `${canonicalText(key, depth)}:${canonicalText(value[key], depth + 1)}`);
    return `{${members.join(",")}}`;
  }
  throw new TypeError(`canonical JSON: ${typeof value} is not a JSON value`);
};

/** Whether a value is an object made of its own keys alone: no array, no bytes, no instance of a class. */
export const isPlainObject = (value: unknown): value is Readonly<Record<string, unknown>> => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Another window's `Object.prototype` is as good as this one's.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
};

/**
 * Whether a value is plain JSON of at most `budget` units and bounded depth. A unit is one value or one UTF-16 code unit
 * of a string or key. Never throws, and never looks at more than the budget.
 */
export const isJsonWithin = (value: unknown, budget: number): value is Json => {
  let left = budget;
  const fits = (part: unknown, depth: number): boolean => {
    left -= 1;
    if (left < 0 || depth > MAX_JSON_DEPTH) return false;
    if (part === null || typeof part === "boolean") return true;
    if (typeof part === "number") return Number.isFinite(part);
    if (typeof part === "string") {
      left -= part.length;
      return left >= 0 && part.isWellFormed();
    }
    if (Array.isArray(part)) return part.length <= left && part.every((item) => fits(item, depth + 1));
    if (!isPlainObject(part)) return false;
    for (const key of Object.keys(part)) {
      left -= key.length;
      if (left < 0 || !key.isWellFormed() || !fits(part[key], depth + 1)) return false;
    }
    return true;
  };
  return fits(value, 0);
};

/** The first `limit` code points of a text. */
export const cutCodePoints = (text: string, limit: number): string => {
  if (text.length <= limit) return text;
  let end = 0;
  for (let count = 0; count < limit && end < text.length; count += 1) {
    end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  }
  return text.slice(0, end);
};

/** A path as a JSON Pointer (RFC 6901). */
export const jsonPointer = (path: ReadonlyArray<string | number>): string =>
  path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
