/** The smallest value near one that fails, which still fails: what a person wants to read. */
import { isPlainObject } from "../json.ts";

const MAX_TRIES = 4_000;

/** Values that are a little simpler, the simplest first. */
const simpler = function* (value: unknown): Generator {
  if (typeof value === "string") {
    if (value === "") return;
    yield "";
    const characters = Array.from(value);
    if (characters.length > 3) {
      yield characters.slice(0, characters.length >> 1).join("");
      yield characters.slice(characters.length >> 1).join("");
    }
    for (let at = 0; at < characters.length; at += 1) yield characters.toSpliced(at, 1).join("");
    for (let at = 0; at < characters.length; at += 1) {
      if (/[^a ]/u.test(characters[at] ?? "a")) yield characters.with(at, "a").join("");
    }
  } else if (typeof value === "number") {
    for (const next of [0, 1, -1, Math.trunc(value / 2), Math.trunc(value)]) {
      if (Math.abs(next) < Math.abs(value) || (next === -value && value < 0)) yield next;
    }
  } else if (value === true) {
    yield false;
  } else if (Array.isArray(value)) {
    const items: ReadonlyArray<unknown> = value;
    if (items.length > 0) yield [];
    for (let at = 0; at < items.length; at += 1) yield items.toSpliced(at, 1);
    for (let at = 0; at < items.length; at += 1) for (const item of simpler(items[at])) yield items.with(at, item);
  } else if (isPlainObject(value)) {
    for (const key of Object.keys(value)) {
      yield Object.fromEntries(Object.entries(value).filter(([other]) => other !== key));
    }
    for (const [key, member] of Object.entries(value))
      for (const next of simpler(member)) yield { ...value, [key]: next };
  }
};

/** The smallest value found that still fails. `fails` refuses what is no value of the fields. */
export const shrink = <A>(value: A, fails: (candidate: unknown) => candidate is A): A => {
  let smallest = value;
  let tries = 0;
  const next = (): A | undefined => {
    for (const candidate of simpler(smallest)) {
      tries += 1;
      if (tries > MAX_TRIES) return undefined;
      if (fails(candidate)) return candidate;
    }
    return undefined;
  };
  for (let found = next(); found !== undefined; found = next()) smallest = found;
  return smallest;
};
