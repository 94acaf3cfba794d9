/**
 * The one order of values, everywhere: null (and what is absent), then false, true, numbers, strings.
 *
 * Numbers go by size, `-0` being 0; strings by their UTF-16 code units, as JavaScript and IndexedDB compare them. An order
 * key is a string whose order by code units is the order of the values, so that any ordered storage gives it.
 */
import type { Scalar } from "./value-shape.ts";

/** Greater than every order key. */
export const AFTER_ALL_KEYS = "5";

const bits = new DataView(new ArrayBuffer(8));

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, "0");

/** A scalar's place in the order. */
export const orderKey = (value: Scalar): string => {
  if (value === null) return "0";
  if (value === false) return "1";
  if (value === true) return "2";
  if (typeof value === "string") return `4${value}`;
  // IEEE 754: flipping the sign of what is positive, and all bits of what is negative, makes the order that of the bits.
  bits.setFloat64(0, value === 0 ? 0 : value);
  const high = bits.getInt32(0);
  const low = bits.getInt32(4);
  return high < 0 ? `3${hex(~high)}${hex(~low)}` : `3${hex(high ^ 0x80000000)}${hex(low)}`;
};

/** Compares texts by their UTF-16 code units. */
export const compareText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

/** The scalar of an order key. */
export const scalarOf = (key: string): Scalar => {
  const rest = key.slice(1);
  switch (key.charAt(0)) {
    case "1":
      return false;
    case "2":
      return true;
    case "3": {
      const high = Number.parseInt(rest.slice(0, 8), 16);
      const low = Number.parseInt(rest.slice(8), 16);
      const negative = high < 0x80000000;
      bits.setUint32(0, negative ? ~high : high ^ 0x80000000);
      bits.setUint32(4, negative ? ~low : low);
      return bits.getFloat64(0);
    }
    case "4":
      return rest;
    default:
      return null;
  }
};
