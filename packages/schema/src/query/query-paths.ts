/**
 * The dotted paths that filters and sorting may name: fields that are declared filterable, the members of plain objects in
 * them, and what every row has (`$id`, `$created`, `$updated`).
 */
import { type DocumentType, type Slot, slotsOf } from "../slots.ts";
import type { Fields } from "../field-kinds.ts";
import type { ViewOfField } from "../view-of.ts";
import { isPlainObject } from "../json.ts";
import { type Scalar, type ValueShape, isAskable, isScalar, memberOf, shapeOfField } from "./value-shape.ts";

/** Names that are no field's: they combine filters. */
export const COMBINATORS: ReadonlyArray<string> = ["and", "or", "not"];

/** Paths of one type that have an index, at most. */
export const MAX_INDEXED_PATHS = 32;
/** Names in one path, at most. */
export const MAX_PATH_LENGTH = 8;

/** What filters and sorting look at. */
export interface RowValues {
  readonly id: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A place in every row of a type. */
export interface QueryPath {
  readonly path: string;
  readonly names: ReadonlyArray<string>;
  readonly shape: ValueShape;
  readonly indexed: boolean;
}

const own = (path: string, scalar: "number" | "string", indexed: boolean): QueryPath => ({
  path,
  names: [path],
  shape: { scalars: new Set([scalar]), items: new Set(), members: new Map(), open: false },
  indexed,
});

export const ID_PATH = "$id";
export const CREATED_PATH = "$created";
export const UPDATED_PATH = "$updated";
const OWN_PATHS: ReadonlyMap<string, QueryPath> = new Map(
  [own(ID_PATH, "string", false), own(CREATED_PATH, "number", true), own(UPDATED_PATH, "number", true)].map((path) => [
    path.path,
    path,
  ]),
);

export type PathProblem = "unknown-field" | "not-filterable";

const isIndexed = (slot: Slot, names: ReadonlyArray<string>): boolean => {
  const { indexed } = slot.field;
  return typeof indexed === "boolean" ? indexed : indexed.includes(names.slice(1).join("."));
};

/** The place that a dotted path names, or why a filter may not. */
export const resolvePath = (type: DocumentType, path: string): QueryPath | PathProblem => {
  const known = OWN_PATHS.get(path);
  if (known !== undefined) return known;
  const names = path.split(".");
  const slot = slotsOf(type.fields).find(({ name }) => name === names[0]);
  if (slot === undefined || names.length > MAX_PATH_LENGTH) return "unknown-field";
  if (!slot.field.filterable) return "not-filterable";
  let shape: ValueShape | undefined = shapeOfField(slot.field);
  for (const name of names.slice(1)) shape = shape === undefined ? undefined : memberOf(shape, name);
  if (shape === undefined) return "unknown-field";
  return { path, names, shape, indexed: isIndexed(slot, names) && isAskable(shape) };
};

const leavesOf = (path: QueryPath, slot: Slot): ReadonlyArray<QueryPath> => {
  const below = [...path.shape.members.keys()].flatMap((name) => {
    const shape = memberOf(path.shape, name);
    const names = [...path.names, name];
    if (shape === undefined || names.length > MAX_PATH_LENGTH || name.includes(".")) return [];
    return leavesOf({ path: names.join("."), names, shape, indexed: isIndexed(slot, names) }, slot);
  });
  return isAskable(path.shape) ? [path, ...below] : below;
};

const leavesByFields = new WeakMap<Fields, ReadonlyArray<QueryPath>>();

/** All declared paths of a type that filters can ask, in the order of declaration, without those that every row has. */
export const filterablePaths = (type: DocumentType): ReadonlyArray<QueryPath> => {
  const known = leavesByFields.get(type.fields);
  if (known !== undefined) return known;
  const paths = slotsOf(type.fields)
    .filter(({ field }) => field.filterable)
    .flatMap((slot) => {
      const names = [slot.name];
      return leavesOf(
        { path: slot.name, names, shape: shapeOfField(slot.field), indexed: isIndexed(slot, names) },
        slot,
      );
    });
  leavesByFields.set(type.fields, paths);
  return paths;
};

/** What stands at a place. Absent is null; lists and objects come as they are. */
export const valueAt = (row: RowValues, { path, names }: Pick<QueryPath, "path" | "names">): unknown => {
  switch (path) {
    case ID_PATH:
      return row.id;
    case CREATED_PATH:
      return row.createdAt;
    case UPDATED_PATH:
      return row.updatedAt;
  }
  let value: unknown = row.fields;
  for (const name of names) {
    if (!isPlainObject(value) || !Object.hasOwn(value, name)) return null;
    value = value[name];
  }
  return value === undefined ? null : value;
};

/** The scalar that a row is sorted by. A list or an object has no place in an order and counts as null. */
export const sortValueAt = (row: RowValues, path: Pick<QueryPath, "path" | "names">): Scalar => {
  const value = valueAt(row, path);
  return isScalar(value) ? value : null;
};

// The same for the compiler.

type ScalarIn<V> = Extract<V, Scalar> | (undefined extends V ? null : never);
type ItemIn<V> = V extends ReadonlyArray<infer I> ? Extract<I, Scalar> : never;

/** What a value can be compared with: itself, or the items where it is a list. What may be absent may be null. */
export type Asked<V> = ScalarIn<V> | ItemIn<V>;
/** What has an order: numbers and strings. */
export type Ordered<V> = Extract<ScalarIn<V>, number | string>;

type Deeper = readonly [never, 0, 1, 2, 3, 4];

type PathsWithin<P extends string, V, Depth extends number> =
  | ([Asked<V>] extends [never] ? never : readonly [P, V])
  | ([Depth] extends [never]
      ? never
      : MembersWithin<P, Exclude<V, Scalar | undefined | ReadonlyArray<unknown>>, Depth>);

type MembersWithin<P extends string, V, Depth extends number> = V extends object
  ? {
      [K in keyof V & string]-?: PathsWithin<`${P}.${K}`, V[K] | OrAbsent<V, K>, Deeper[Depth]>;
    }[keyof V & string]
  : never;
type OrAbsent<V, K extends keyof V> = {} extends Pick<V, K> ? undefined : never;

/** Each path of some fields that filters can ask, with the type of what stands there. */
export type PathValues<Fs extends Fields> =
  | {
      [K in keyof Fs & string]: Fs[K] extends { readonly filterable: true }
        ? PathsWithin<K, ViewOfField<Fs[K]>, 4>
        : never;
    }[keyof Fs & string]
  | readonly [typeof ID_PATH, string]
  | readonly [typeof CREATED_PATH | typeof UPDATED_PATH, number];

/** All paths of some fields that filters can ask. */
export type FilterPath<Fs extends Fields> = PathValues<Fs>[0];
/** What a filter compares the value at a path with. */
export type AskedAt<Fs extends Fields, P extends string> = Asked<Extract<PathValues<Fs>, readonly [P, unknown]>[1]>;

/** The paths of some fields that rows can be sorted by. */
export type SortPath<Fs extends Fields> = SortablePath<PathValues<Fs>>;
type SortablePath<E> = E extends readonly [infer P extends string, infer V]
  ? [Exclude<V, Scalar | undefined>] extends [never]
    ? P
    : never
  : never;
