/**
 * Filters: which rows of a type are wanted, as JSON.
 *
 * ```json
 * { "done": { "eq": false }, "place.city": { "in": ["Bern", "Chur"] }, "or": [{ "rank": { "gte": 3 } }, { "tags": { "eq": "craft" } }] }
 * ```
 *
 * All members of a filter must hold. A key is a dotted path with conditions, or `and`, `or` (lists of filters), `not` (one).
 *
 * Meaning: what is absent is null. Values of different types are never equal and have no order; `ne` and `not` are the
 * plain opposite of `eq` and of what they stand before, so they hold where a value is absent. Where a list or a set stands,
 * `eq` and `in` hold when they hold for an item. Strings compare exactly, by UTF-16 code units. Projected values are what is
 * compared: a string of more than `PROJECTION_LIMITS.string` code points is its beginning.
 */
import type { DocumentType } from "../slots.ts";
import type { Fields } from "../field-kinds.ts";
import { isPlainObject } from "../json.ts";
import { QueryInvalid, type QueryProblemCode } from "./query-errors.ts";
import {
  type Asked,
  type Ordered,
  type PathValues,
  type QueryPath,
  type RowValues,
  resolvePath,
  valueAt,
} from "./query-paths.ts";
import { type Scalar, isScalar, scalarName } from "./value-shape.ts";

/** Bounds of a query, which may come from outside. */
export const QUERY_LIMITS = {
  /** Filters inside filters. */
  depth: 8,
  /** Conditions in all. */
  conditions: 100,
  /** Values of one `in`. */
  values: 500,
  /** UTF-16 code units of a string. */
  string: 2_000,
  sortKeys: 5,
  /** Rows. */
  limit: 1_000_000,
  /** UTF-16 code units of a cursor. */
  cursor: 20_000,
} as const;

interface Equality<A> {
  /** Equal; of a list, that an item is. */
  readonly eq?: A;
  /** The opposite of `eq`. */
  readonly ne?: A;
  /** Equal to one of them. */
  readonly in?: ReadonlyArray<A>;
}
interface Order<A> {
  readonly gt?: A;
  readonly gte?: A;
  readonly lt?: A;
  readonly lte?: A;
}

/** What can be asked of a value; all conditions must hold. */
export type Conditions<V> = Equality<Asked<V>> & ([Ordered<V>] extends [never] ? {} : Order<Ordered<V>>);

type ConditionsByPath<E extends readonly [string, unknown]> = {
  readonly [Entry in E as Entry[0]]?: Conditions<Entry[1]>;
};

/** A filter over the rows of a type with these fields. JSON. */
export type FilterOf<Fs extends Fields> = ConditionsByPath<PathValues<Fs>> & {
  readonly and?: ReadonlyArray<FilterOf<Fs>>;
  readonly or?: ReadonlyArray<FilterOf<Fs>>;
  readonly not?: FilterOf<Fs>;
};

export type Operator = "eq" | "ne" | "gt" | "gte" | "lt" | "lte" | "in";
const OPERATORS: ReadonlySet<string> = new Set(["eq", "ne", "gt", "gte", "lt", "lte", "in"]);
const isOperator = (name: string): name is Operator => OPERATORS.has(name);

/** A checked filter, ready to be evaluated. */
export type Condition =
  | { readonly type: "all" | "any"; readonly parts: ReadonlyArray<Condition> }
  | { readonly type: "not"; readonly part: Condition }
  | { readonly type: "one-of"; readonly at: QueryPath; readonly values: ReadonlyArray<Scalar> }
  | {
      readonly type: "order";
      readonly at: QueryPath;
      readonly operator: "gt" | "gte" | "lt" | "lte";
      readonly value: number | string;
    };

export const ALL_ROWS: Condition = { type: "all", parts: [] };

type Where = ReadonlyArray<string | number>;

const fail = (code: QueryProblemCode, path: Where, reason: string): never => {
  throw new QueryInvalid({ code, path, reason });
};

/** Checks a filter against a type. Throws `QueryInvalid`. */
export const checkFilter = (type: DocumentType, filter: unknown, path: Where): Condition => {
  let conditions = 0;

  const filters = (given: unknown, here: Where, depth: number): ReadonlyArray<Condition> =>
    Array.isArray(given)
      ? given.map((part, index) => check(part, [...here, index], depth + 1))
      : fail("query/malformed", here, "a list of filters is expected");

  const check = (given: unknown, here: Where, depth: number): Condition => {
    if (depth > QUERY_LIMITS.depth)
      return fail("query/too-large", here, `filters nest at most ${QUERY_LIMITS.depth} deep`);
    if (!isPlainObject(given)) return fail("query/malformed", here, "a filter is an object");
    const parts: Array<Condition> = [];
    for (const [name, part] of Object.entries(given)) {
      if (part === undefined) continue;
      const below = [...here, name];
      conditions += 1;
      if (conditions > QUERY_LIMITS.conditions) {
        return fail("query/too-large", below, `a filter has at most ${QUERY_LIMITS.conditions} conditions`);
      }
      if (name === "and") parts.push({ type: "all", parts: filters(part, below, depth) });
      else if (name === "or") parts.push({ type: "any", parts: filters(part, below, depth) });
      else if (name === "not") parts.push({ type: "not", part: check(part, below, depth + 1) });
      else parts.push(...checkConditions(type, name, part, below));
    }
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : { type: "all", parts };
  };

  return check(filter, path, 1);
};

/** The place that a path names, or a failure that says why a query may not name it. */
export const requirePath = (type: DocumentType, path: string, where: Where): QueryPath => {
  const at = resolvePath(type, path);
  if (at === "unknown-field") return fail("query/unknown-field", where, `there is no field "${path.slice(0, 100)}"`);
  if (at === "not-filterable") return fail("query/not-filterable", where, `"${path}" is not declared filterable`);
  return at;
};

const checkConditions = (type: DocumentType, path: string, given: unknown, where: Where): ReadonlyArray<Condition> => {
  const at = requirePath(type, path, where);
  if (!isPlainObject(given)) return fail("query/malformed", where, 'conditions are an object, such as { "eq": … }');
  return Object.entries(given).flatMap(([name, value]) => {
    const here = [...where, name];
    if (value === undefined) return [];
    return isOperator(name)
      ? [checkCondition(at, name, value, here)]
      : fail("query/operator-not-allowed", here, `there is no operator "${name.slice(0, 100)}"`);
  });
};

const checkCondition = (at: QueryPath, operator: Operator, value: unknown, where: Where): Condition => {
  switch (operator) {
    case "eq":
      return { type: "one-of", at, values: [checkEqual(at, value, where)] };
    case "ne":
      return { type: "not", part: { type: "one-of", at, values: [checkEqual(at, value, where)] } };
    case "in": {
      if (!Array.isArray(value)) return fail("query/malformed", where, "a list of values is expected");
      if (value.length > QUERY_LIMITS.values) {
        return fail("query/too-large", where, `"in" takes at most ${QUERY_LIMITS.values} values`);
      }
      return { type: "one-of", at, values: value.map((item, index) => checkEqual(at, item, [...where, index])) };
    }
    case "gt":
    case "gte":
    case "lt":
    case "lte": {
      const { scalars } = at.shape;
      if (!scalars.has("number") && !scalars.has("string")) {
        return fail("query/operator-not-allowed", where, `"${at.path}" has no order`);
      }
      const wanted = checkScalar(value, where);
      if (typeof wanted !== "number" && typeof wanted !== "string") {
        return fail("query/type-mismatch", where, "only numbers and strings have an order");
      }
      if (!scalars.has(scalarName(wanted))) {
        return fail("query/type-mismatch", where, `"${at.path}" is never a ${scalarName(wanted)}`);
      }
      return { type: "order", at, operator, value: wanted };
    }
  }
};

const checkScalar = (value: unknown, where: Where): Scalar => {
  if (!isScalar(value)) return fail("query/type-mismatch", where, "a string, number, boolean or null is expected");
  if (typeof value === "number" && !Number.isFinite(value)) {
    return fail("query/type-mismatch", where, "the number is not finite");
  }
  if (typeof value === "string") {
    if (value.length > QUERY_LIMITS.string) {
      return fail("query/too-large", where, `a string has at most ${QUERY_LIMITS.string} characters`);
    }
    if (!value.isWellFormed()) return fail("query/type-mismatch", where, "the string holds a lone surrogate");
  }
  return value;
};

const checkEqual = (at: QueryPath, value: unknown, where: Where): Scalar => {
  const scalar = checkScalar(value, where);
  const name = scalarName(scalar);
  const { scalars, items } = at.shape;
  // Null is allowed everywhere: it asks for what is absent.
  if (name !== "null" && !scalars.has(name) && !items.has(name)) {
    const possible = [...scalars.union(items)].join(" or ");
    return fail(
      "query/type-mismatch",
      where,
      `"${at.path}" is ${possible === "" ? "an object" : possible}, not ${name}`,
    );
  }
  return scalar;
};

/** Whether a row fits. Pure and total. */
export const fits = (condition: Condition, row: RowValues): boolean => {
  switch (condition.type) {
    case "all":
      return condition.parts.every((part) => fits(part, row));
    case "any":
      return condition.parts.some((part) => fits(part, row));
    case "not":
      return !fits(condition.part, row);
    case "one-of": {
      const value = valueAt(row, condition.at);
      if (Array.isArray(value)) return value.some((item) => isOneOf(item, condition.values));
      return isOneOf(value, condition.values);
    }
    case "order": {
      const value = valueAt(row, condition.at);
      return (
        (typeof value === "number" &&
          typeof condition.value === "number" &&
          inOrder(condition.operator, value, condition.value)) ||
        (typeof value === "string" &&
          typeof condition.value === "string" &&
          inOrder(condition.operator, value, condition.value))
      );
    }
  }
};

const isOneOf = (value: unknown, values: ReadonlyArray<Scalar>): boolean => isScalar(value) && values.includes(value);

const inOrder = <A extends number | string>(operator: "gt" | "gte" | "lt" | "lte", left: A, right: A): boolean => {
  switch (operator) {
    case "gt":
      return left > right;
    case "gte":
      return left >= right;
    case "lt":
      return left < right;
    case "lte":
      return left <= right;
  }
};
