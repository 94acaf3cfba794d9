/**
 * What can stand at a place of a document's plain fields, read off the fields' schemas: what filters and sorting may ask
 * there.
 */
import type { Schema } from "effect";

import type { Field } from "../field-kinds.ts";

/** A value that filters compare: everything but lists and objects. */
export type Scalar = null | boolean | number | string;
export type ScalarName = "null" | "boolean" | "number" | "string";

export interface ValueShape {
  /** Scalars that can stand here. `null` also stands for what is absent. */
  readonly scalars: ReadonlySet<ScalarName>;
  /** Scalars that can be items of a list that stands here. */
  readonly items: ReadonlySet<ScalarName>;
  readonly members: ReadonlyMap<string, ValueShape>;
  /** The schema does not say: anything may stand here, also deeper. */
  readonly open: boolean;
}

const NOTHING: ReadonlySet<never> = new Set();
const NO_MEMBERS: ReadonlyMap<string, ValueShape> = new Map();
const EVERY_SCALAR: ReadonlySet<ScalarName> = new Set(["null", "boolean", "number", "string"]);

/** A place of which nothing is known. */
export const OPEN: ValueShape = { scalars: EVERY_SCALAR, items: EVERY_SCALAR, members: NO_MEMBERS, open: true };
const EMPTY: ValueShape = { scalars: NOTHING, items: NOTHING, members: NO_MEMBERS, open: false };

export const scalarName = (value: Scalar): ScalarName =>
  value === null ? "null" : typeof value === "boolean" ? "boolean" : typeof value === "number" ? "number" : "string";

export const isScalar = (value: unknown): value is Scalar =>
  value === null || typeof value === "boolean" || typeof value === "number" || typeof value === "string";

const scalar = (name: ScalarName): ValueShape => ({ ...EMPTY, scalars: new Set([name]) });

const either = (left: ValueShape, right: ValueShape): ValueShape => {
  const members = new Map(left.members);
  for (const [name, shape] of right.members) {
    const known = members.get(name);
    members.set(name, known === undefined ? shape : either(known, shape));
  }
  return {
    scalars: left.scalars.union(right.scalars),
    items: left.items.union(right.items),
    members,
    open: left.open || right.open,
  };
};

/** Deeper objects are left open: no path is that long. */
const MAX_DEPTH = 8;

type Ast = Schema.Top["ast"];

const shapeOfAst = (ast: Ast, depth: number): ValueShape => {
  if (depth > MAX_DEPTH) return OPEN;
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- of all others nothing is known
  switch (ast._tag) {
    case "Null":
      return scalar("null");
    case "Boolean":
      return scalar("boolean");
    case "Number":
      return scalar("number");
    case "String":
    case "TemplateLiteral":
      return scalar("string");
    case "Literal":
      return scalar(
        typeof ast.literal === "string" ? "string" : typeof ast.literal === "boolean" ? "boolean" : "number",
      );
    case "Enum":
      return ast.enums
        .map(([, value]) => scalar(typeof value === "string" ? "string" : "number"))
        .reduce(either, EMPTY);
    case "Undefined":
      return scalar("null");
    case "Union":
      return ast.types.map((type) => shapeOfAst(type, depth)).reduce(either, EMPTY);
    case "Arrays": {
      const item = [...ast.elements, ...ast.rest].map((type) => shapeOfAst(type, depth + 1)).reduce(either, EMPTY);
      return { ...EMPTY, items: item.scalars };
    }
    case "Objects": {
      const members = new Map<string, ValueShape>();
      for (const { name, type } of ast.propertySignatures) {
        if (typeof name !== "string") continue;
        const shape = shapeOfAst(type, depth + 1);
        members.set(name, type.context?.isOptional === true ? either(shape, scalar("null")) : shape);
      }
      return { ...EMPTY, members, open: ast.indexSignatures.length > 0 };
    }
    default:
      return OPEN;
  }
};

/** What can stand where a field is. */
export const shapeOfField = (field: Field): ValueShape => {
  switch (field.kind) {
    case "plain":
      return shapeOfAst(field.schema.ast, 0);
    case "list":
    case "movableList":
    case "set":
      return { ...EMPTY, items: shapeOfAst(field.schema.ast, 0).scalars };
    case "counter":
      return scalar("number");
    case "text":
    case "richText":
    case "tree":
    case "map":
    case "attachments":
    case "records":
      return EMPTY;
  }
};

/** The shape of a member. `undefined` where there can be none. What may be absent counts as null. */
export const memberOf = (shape: ValueShape, name: string): ValueShape | undefined => {
  const member = shape.members.get(name);
  if (member === undefined) return shape.open ? OPEN : undefined;
  // Where something else than the object can stand, the member can be absent.
  return shape.scalars.size > 0 || shape.items.size > 0 || shape.open ? either(member, scalar("null")) : member;
};

/** Whether filters can ask anything here. */
export const isAskable = ({ scalars, items }: ValueShape): boolean => scalars.size > 0 || items.size > 0;

/** Whether rows can be sorted by what stands here: one scalar for each row. */
export const isSortable = ({ scalars, items, members, open }: ValueShape): boolean =>
  scalars.size > 0 && items.size === 0 && members.size === 0 && !open;
