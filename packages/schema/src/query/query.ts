/**
 * Queries: which rows of a type, in which order, from where on, and how many. Plain JSON, so that they can be stored and
 * sent; checked against the type before anything is read; and with one meaning, of which `runQuery` is the definition.
 *
 * Rows are sorted by the given keys in turn (`order.ts`), and by id where all are equal, in the direction of the last key.
 * A page goes on after a cursor, which says where the last page ended and not how many rows that was: rows that come, go or
 * change meanwhile neither shift it nor make it skip what stays.
 */
import type { DocumentType } from "../slots.ts";
import type { Fields } from "../field-kinds.ts";
import { isPlainObject } from "../json.ts";
import { ALL_ROWS, type Condition, type FilterOf, QUERY_LIMITS, checkFilter, fits, requirePath } from "./filter.ts";
import { compareText, orderKey } from "./order.ts";
import { QueryInvalid, type QueryProblemCode } from "./query-errors.ts";
import { type QueryPath, type RowValues, type SortPath, UPDATED_PATH, sortValueAt, valueAt } from "./query-paths.ts";
import { type SearchTerm, SEARCH_LIMITS, holdsTerms, searchTerms } from "./search-words.ts";
import { isScalar, isSortable, type Scalar } from "./value-shape.ts";

export interface SortKeyOf<Fs extends Fields> {
  /** A dotted path, `$created`, `$updated` or `$id`. */
  readonly by: SortPath<Fs>;
  /** Default: ascending. */
  readonly descending?: boolean | undefined;
}

/** A query over the rows of a type with these fields. JSON. */
export interface QueryOf<Fs extends Fields> {
  readonly where?: FilterOf<Fs> | undefined;
  /** Words that must all occur in the searchable fields, in any case and with any accents; the last one may go on. */
  readonly search?: string | undefined;
  /** Documents in the bin. Default `exclude`. */
  readonly deleted?: "exclude" | "only" | "include" | undefined;
  /** Default: the newest change first. */
  readonly sort?: SortKeyOf<Fs> | ReadonlyArray<SortKeyOf<Fs>> | undefined;
  readonly limit?: number | undefined;
  /** A page's `next`: only rows that come later. The sorting must be the same. */
  readonly after?: string | undefined;
}

/** A row that queries look at. */
export interface QueryRow extends RowValues {
  readonly deleted: boolean;
}

export interface SortKey {
  readonly at: QueryPath;
  readonly descending: boolean;
}

/** Where a row stands in the order of a query. */
export interface Position {
  readonly keys: ReadonlyArray<string>;
  readonly id: string;
}

/** A checked query, ready to be run. */
export interface CheckedQuery {
  readonly where: Condition;
  readonly terms: ReadonlyArray<SearchTerm>;
  readonly deleted: "exclude" | "only" | "include";
  /** Never empty. */
  readonly sort: ReadonlyArray<SortKey>;
  readonly limit: number;
  readonly after: Position | undefined;
}

export interface Page<R> {
  readonly rows: ReadonlyArray<R>;
  /** Where the next page begins; undefined where there is none. */
  readonly next: string | undefined;
}

const fail = (code: QueryProblemCode, path: ReadonlyArray<string | number>, reason: string): never => {
  throw new QueryInvalid({ code, path, reason });
};

const MEMBERS: ReadonlySet<string> = new Set(["where", "search", "deleted", "sort", "limit", "after"]);

/** Checks a query against a type, wherever it comes from. Throws `QueryInvalid`. */
export const checkQuery = (type: DocumentType, query: unknown): CheckedQuery => {
  if (!isPlainObject(query)) return fail("query/malformed", [], "a query is an object");
  for (const name of Object.keys(query)) {
    if (!MEMBERS.has(name)) return fail("query/malformed", [name.slice(0, 100)], "a query has no such member");
  }
  const { where, search, deleted, limit, after } = query;
  const sort = checkSort(type, query["sort"]);
  return {
    where: where === undefined ? ALL_ROWS : checkFilter(type, where, ["where"]),
    terms: search === undefined ? [] : checkSearch(search),
    deleted:
      deleted === undefined
        ? "exclude"
        : deleted === "exclude" || deleted === "only" || deleted === "include"
          ? deleted
          : fail("query/malformed", ["deleted"], '"exclude", "only" or "include" is expected'),
    sort,
    limit: limit === undefined ? Infinity : checkLimit(limit),
    after: after === undefined ? undefined : parseCursor(after, sort),
  };
};

/** A query from outside, such as a stored or a received one, as a typed one. Throws `QueryInvalid`. */
export const parseQuery = <Fs extends Fields>(type: DocumentType<Fs>, query: unknown): QueryOf<Fs> => {
  checkQuery(type, query);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it was checked against this type
  return query as QueryOf<Fs>;
};

const checkSearch = (search: unknown): ReadonlyArray<SearchTerm> => {
  if (typeof search !== "string") return fail("query/malformed", ["search"], "a text is expected");
  if (search.length > SEARCH_LIMITS.searchLength) {
    return fail("query/too-large", ["search"], `a search has at most ${SEARCH_LIMITS.searchLength} characters`);
  }
  return searchTerms(search);
};

const checkLimit = (limit: unknown): number =>
  typeof limit === "number" && Number.isInteger(limit) && limit >= 0 && limit <= QUERY_LIMITS.limit
    ? limit
    : fail("query/malformed", ["limit"], `a whole number up to ${QUERY_LIMITS.limit} is expected`);

const checkSort = (type: DocumentType, sort: unknown): ReadonlyArray<SortKey> => {
  const given: ReadonlyArray<unknown> =
    sort === undefined ? [{ by: UPDATED_PATH, descending: true }] : Array.isArray(sort) ? sort : [sort];
  if (given.length === 0) return fail("query/malformed", ["sort"], "at least one key is expected");
  if (given.length > QUERY_LIMITS.sortKeys) {
    return fail("query/too-large", ["sort"], `rows are sorted by at most ${QUERY_LIMITS.sortKeys} keys`);
  }
  return given.map((key, index): SortKey => {
    const where = Array.isArray(sort) ? ["sort", index] : ["sort"];
    if (!isPlainObject(key)) return fail("query/malformed", where, 'a key is an object, such as { "by": "$created" }');
    const { by, descending = false } = key;
    if (typeof by !== "string") return fail("query/malformed", [...where, "by"], "a path is expected");
    if (typeof descending !== "boolean")
      return fail("query/malformed", [...where, "descending"], "true or false is expected");
    const at = requirePath(type, by, [...where, "by"]);
    if (!isSortable(at.shape)) return fail("query/not-sortable", [...where, "by"], `rows cannot be sorted by "${by}"`);
    return { at, descending };
  });
};

/** Where a row stands. */
export const positionOf = (sort: ReadonlyArray<SortKey>, row: RowValues): Position => ({
  keys: sort.map(({ at }) => orderKey(sortValueAt(row, at))),
  id: row.id,
});

/** Which of two positions comes first in a sorting. */
export const comparePositions = (sort: ReadonlyArray<SortKey>, left: Position, right: Position): number => {
  for (const [index, { descending }] of sort.entries()) {
    const order = compareText(left.keys[index] ?? "", right.keys[index] ?? "");
    if (order !== 0) return descending ? -order : order;
  }
  const order = compareText(left.id, right.id);
  return sort.at(-1)?.descending === true ? -order : order;
};

const CURSOR_FORMAT = 1;

const signatureOf = (sort: ReadonlyArray<SortKey>): string =>
  sort.map(({ at, descending }) => `${descending ? "-" : "+"}${at.path}`).join(",");

/** A position as a text that apps keep and hand back without looking inside. */
export const cursorOf = (sort: ReadonlyArray<SortKey>, { keys, id }: Position): string =>
  JSON.stringify([CURSOR_FORMAT, signatureOf(sort), keys, id]);

const parseCursor = (cursor: unknown, sort: ReadonlyArray<SortKey>): Position => {
  if (typeof cursor !== "string" || cursor.length > QUERY_LIMITS.cursor) {
    return fail("query/invalid-cursor", ["after"], "the `next` of a page is expected");
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(cursor);
  } catch {
    return fail("query/invalid-cursor", ["after"], "the cursor is damaged");
  }
  const parts: ReadonlyArray<unknown> = Array.isArray(parsed) ? parsed : [];
  const [format, signature, keys, id] = parts;
  const isText = (value: unknown): value is string => typeof value === "string";
  if (format !== CURSOR_FORMAT || !isText(id) || !Array.isArray(keys) || !keys.every(isText)) {
    return fail("query/invalid-cursor", ["after"], "the cursor is damaged");
  }
  if (signature !== signatureOf(sort) || keys.length !== sort.length) {
    return fail("query/invalid-cursor", ["after"], "the cursor belongs to another sorting");
  }
  return { keys, id };
};

/** Whether a row is wanted, but for its words and its place. */
export const isWanted = ({ where, deleted }: CheckedQuery, row: QueryRow): boolean =>
  (deleted === "include" || row.deleted === (deleted === "only")) && fits(where, row);

/** A row in its place. */
interface Placed<R> {
  readonly row: R;
  readonly position: Position;
}

/** Rows that are wanted and come after the cursor, in order and up to the limit, with where the next page begins. */
export const pageOf = <R extends QueryRow>(query: CheckedQuery, wanted: Iterable<R>): Page<R> => {
  const placed: Array<Placed<R>> = [];
  for (const row of wanted) {
    const position = positionOf(query.sort, row);
    if (query.after === undefined || comparePositions(query.sort, position, query.after) > 0) {
      placed.push({ row, position });
    }
  }
  placed.sort((left, right) => comparePositions(query.sort, left.position, right.position));
  const shown = placed.slice(0, query.limit);
  const last = shown.at(-1);
  return {
    rows: shown.map(({ row }) => row),
    next: placed.length > shown.length && last !== undefined ? cursorOf(query.sort, last.position) : undefined,
  };
};

/** Runs a query over rows in memory: what every store gives for the same rows. `wordsOfRow` is only asked in a search. */
export const runQuery = <R extends QueryRow>(
  query: CheckedQuery,
  rows: Iterable<R>,
  wordsOfRow: (row: R) => ReadonlySet<string>,
): Page<R> => {
  const wanted: Array<R> = [];
  for (const row of rows) {
    if (isWanted(query, row) && (query.terms.length === 0 || holdsTerms(wordsOfRow(row), query.terms)))
      wanted.push(row);
  }
  return pageOf(query, wanted);
};

/** How many rows have a value; of a list or a set, how many have it as an item. */
export interface ValueCount<A extends Scalar = Scalar> {
  readonly value: A;
  readonly count: number;
}

/** The most frequent values first, and where that is equal, in the order of values. */
export const sortCounts = (counts: ReadonlyMap<string, ValueCount>): ReadonlyArray<ValueCount> =>
  [...counts]
    .toSorted(([leftKey, left], [rightKey, right]) => right.count - left.count || compareText(leftKey, rightKey))
    .map(([, count]) => count);

/** Counts what stands at a path of rows. */
export const countValues = (rows: Iterable<RowValues>, at: QueryPath): ReadonlyArray<ValueCount> => {
  const counts = new Map<string, ValueCount>();
  for (const row of rows) {
    const value = valueAt(row, at);
    const items = new Set<unknown>(Array.isArray(value) ? value : [value]);
    for (const item of items) {
      if (!isScalar(item)) continue;
      const key = orderKey(item);
      counts.set(key, { value: item, count: (counts.get(key)?.count ?? 0) + 1 });
    }
  }
  return sortCounts(counts);
};
