/** Whether a stored value fits what a schema declares. */
import { Schema } from "effect";

import { type Json, isJsonWithin } from "./json.ts";

/** Upper bound of one plain value, in the units of `isJsonWithin`. */
export const MAX_VALUE_UNITS = 4_000_000;

export type Accepts<A> = (value: unknown) => value is A;

/** The values that a plain field can hold: read as they are stored, so the schema transforms nothing. */
export type PlainSchema<A> = Schema.Codec<A, A>;

/** A predicate that never throws and admits only plain JSON of so many units, whatever the schema is. */
export const accepting = <A extends Json>(schema: PlainSchema<A>, units = MAX_VALUE_UNITS): Accepts<A> => {
  const is = Schema.is(schema);
  return (value): value is A => {
    try {
      return isJsonWithin(value, units) && is(value);
    } catch {
      return false;
    }
  };
};
