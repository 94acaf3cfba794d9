/**
 * What a store keeps beside a row so that queries read only what they need: one text for each indexed value, whose order is
 * the order of the rows.
 *
 * ```
 * entry = workspace "/" deleted(0|1) "/" type "/" path "/" order key
 * ```
 */
import { type DocumentType, slotsOf } from "../slots.ts";
import { digestText } from "../digest.ts";
import { canonicalJson } from "../json.ts";
import { AFTER_ALL_KEYS, orderKey } from "./order.ts";
import {
  CREATED_PATH,
  type QueryPath,
  type RowValues,
  UPDATED_PATH,
  filterablePaths,
  resolvePath,
  valueAt,
} from "./query-paths.ts";
import { isScalar } from "./value-shape.ts";

/** Of the rules by which rows, entries and words are made. Raised when they change, so that rows are made again. */
const PROJECTION_VERSION = 2;

/** The values of a row under one path, as an index holds them. */
export interface IndexedValues {
  readonly path: string;
  readonly keys: ReadonlyArray<string>;
}

/** The values of all declared indexes of a type, without those that every row has. */
export const indexedValues = (
  type: DocumentType,
  fields: Readonly<Record<string, unknown>>,
): ReadonlyArray<IndexedValues> => {
  const row: RowValues = { id: "", fields, createdAt: 0, updatedAt: 0 };
  return filterablePaths(type)
    .filter(({ indexed }) => indexed)
    .map((at) => {
      const value = valueAt(row, at);
      const keys = Array.isArray(value)
        ? [...new Set(value.filter(isScalar).map(orderKey))]
        : isScalar(value)
          ? [orderKey(value)]
          : [];
      return { path: at.path, keys };
    });
};

/** Where in the index something stands. */
export interface IndexScope {
  readonly workspace: string;
  readonly type: string;
  readonly deleted: boolean;
}

const prefixOf = ({ workspace, type, deleted }: IndexScope, path: string): string =>
  `${workspace}/${deleted ? 1 : 0}/${type}/${path}/`;

/** How many entries at the beginning are those of the row's times. */
const OWN_ENTRIES = 2;

/** The entries of a row. */
export const indexEntries = (
  scope: IndexScope,
  times: { readonly createdAt: number; readonly updatedAt: number },
  values: ReadonlyArray<IndexedValues>,
): ReadonlyArray<string> => [
  prefixOf(scope, UPDATED_PATH) + orderKey(times.updatedAt),
  prefixOf(scope, CREATED_PATH) + orderKey(times.createdAt),
  ...values.flatMap(({ path, keys }) => keys.map((key) => prefixOf(scope, path) + key)),
];

/** The entries of a row whose times, type or bin have changed, and its indexed values have not. */
export const movedEntries = (
  from: IndexScope,
  to: IndexScope,
  times: { readonly createdAt: number; readonly updatedAt: number },
  entries: ReadonlyArray<string>,
): ReadonlyArray<string> => {
  const before = prefixOf(from, "");
  const now = prefixOf(to, "");
  // Both end with an empty path and its slash.
  return [
    ...indexEntries(to, times, []),
    ...entries.slice(OWN_ENTRIES).map((entry) => now.slice(0, -1) + entry.slice(before.length - 1)),
  ];
};

/** Entries from `from` on, and before `before`. */
export interface IndexRange {
  readonly from: string;
  readonly before: string;
}

/** The entries of a path with keys from one on and before another one; without them, all of the path. */
export const indexRange = (
  scope: IndexScope,
  path: string,
  keys: { readonly from?: string | undefined; readonly before?: string | undefined } = {},
): IndexRange => {
  const prefix = prefixOf(scope, path);
  return { from: prefix + (keys.from ?? ""), before: prefix + (keys.before ?? AFTER_ALL_KEYS) };
};

/** The least text that is greater than this one. */
export const after = (key: string): string => `${key}\u0000`;

const fingerprints = new WeakMap<object, string>();

/**
 * Tells apart what rows of a type are made of: a row whose fingerprint is another one was made by another declaration and
 * has to be made again.
 */
export const projectionFingerprint = (type: DocumentType): string => {
  const known = fingerprints.get(type);
  if (known !== undefined) return known;
  const declared = slotsOf(type.fields)
    .filter(({ field }) => field.list || field.search)
    .map(({ name, physical, field, origin }) => [
      name,
      origin === undefined ? physical : [origin.key, origin.member],
      field.kind,
      field.list,
      field.search,
      field.filterable,
      field.indexed,
      field.kind === "text" || field.kind === "richText" ? field.preview : null,
      field.kind === "plain" ? field.default : null,
    ]);
  const indexed = filterablePaths(type)
    .filter((path) => path.indexed)
    .map(({ path }) => path);
  const fingerprint = digestText(canonicalJson([PROJECTION_VERSION, declared, indexed, ...(type.extractions ?? [])]));
  fingerprints.set(type, fingerprint);
  return fingerprint;
};

/** An indexed path of a type, or one that every row has. */
export const indexedPath = (type: DocumentType, path: string): QueryPath | undefined => {
  const found = resolvePath(type, path);
  return typeof found !== "string" && found.indexed ? found : undefined;
};
