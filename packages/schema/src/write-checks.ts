/** What every writer refuses before anything changes. */
import { SchemaWriteError } from "./errors.ts";
import type { Path } from "./slots.ts";

const MAX_KEY_LENGTH = 200;

/** Whether a value can be the key of a map's entry, of a record, or of a tree's node. */
export const isKey = (key: unknown): key is string =>
  typeof key === "string" && key !== "" && key.length <= MAX_KEY_LENGTH && key.isWellFormed();

export const requireKey = (key: string, path: Path): void => {
  if (isKey(key)) return;
  throw new SchemaWriteError({
    code: "schema/invalid-value",
    path,
    reason: `a key is a text of 1 to ${MAX_KEY_LENGTH} characters`,
  });
};

export const requireFit = (fits: boolean, path: Path, reason = "the value does not fit the field"): void => {
  if (!fits) throw new SchemaWriteError({ code: "schema/invalid-value", path, reason });
};

export const requirePosition = (position: number, maximum: number, path: Path): void => {
  if (Number.isInteger(position) && position >= 0 && position <= maximum) return;
  throw new SchemaWriteError({
    code: "schema/out-of-range",
    path,
    reason: `${position} is not a position from 0 to ${maximum}`,
  });
};
