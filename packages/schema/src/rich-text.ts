/**
 * Rich text: a text whose ranges carry marks, such as bold or a link.
 *
 * Whether a mark grows with text typed at its ends is said by whoever marks, and travels with the mark: replicas agree
 * whatever each of them is told. A document has to be told before anything is marked in it, or Loro refuses names that it
 * does not know; `editDocument` tells it, and `configureStyles` is for code that marks without an editor.
 */
import { Schema } from "effect";
import type { LoroDoc, LoroText } from "loro-crdt";

import { type Accepts, type PlainSchema, accepting } from "./accepts.ts";
import type { Field, Fields, RichTextField } from "./field-kinds.ts";
import { type Json, canonicalJson, isJsonWithin } from "./json.ts";
import { type Place, TEXT, findContainer, openContainer } from "./place.ts";
import { type Path, type Report, slotsOf } from "./slots.ts";
import { requireFit, requirePosition } from "./write-checks.ts";

/**
 * Whether a mark takes in what is typed at its end. None takes in what is typed at its beginning: such a mark would stay in
 * an emptied text, and take in whatever is typed next.
 */
export type Expand = "after" | "none";

/** A declared kind of mark. */
export interface Style<A extends Json = Json> {
  readonly accepts: Accepts<A>;
  readonly schema: Schema.Top;
  readonly expand: Expand;
}

/** Styles by their names, which are what replicas store. */
export interface Styles {
  readonly [name: string]: Style;
}

interface StyleOptions {
  /** Default: `after`, as people expect of bold; a link is rather `none`. */
  readonly expand?: Expand;
}

/** Upper bound of the value of one mark, in the units of `isJsonWithin`. */
export const MAX_STYLE_UNITS = 4_000;
/** Upper bound of all attributes of one text, in characters of their canonical JSON. What comes after it reads as plain. */
export const MAX_ATTRIBUTES = 4_000_000;

/** Constructors of styles. */
export const style = {
  /** A mark that is there or not, such as bold: its value is `true`. */
  flag: (options?: StyleOptions): Style<true> => ({
    accepts: accepting(Schema.Literal(true)),
    schema: Schema.Literal(true),
    expand: options?.expand ?? "after",
  }),
  /** A mark with a value, such as a link. Null is no value: it is how Loro stores that a mark was taken away. */
  value: <A extends Json>(schema: PlainSchema<A>, options?: StyleOptions): Style<A> => ({
    accepts: accepting(schema, MAX_STYLE_UNITS),
    schema,
    expand: options?.expand ?? "after",
  }),
};

/** The marks of a run. */
export type AttributesOf<S extends Styles> = { readonly [K in keyof S]?: S[K] extends Style<infer A> ? A : never };

/** A piece of text whose characters all have the same marks. */
export interface RichTextRun<S extends Styles = Styles> {
  readonly insert: string;
  /** Absent where there are none. */
  readonly attributes?: AttributesOf<S>;
}

/** A rich text as it is read: neighbours differ in their marks. */
export type RichText<S extends Styles = Styles> = ReadonlyArray<RichTextRun<S>>;

export interface RichTextWriter<S extends Styles> {
  readonly get: () => RichText<S>;
  /** For inserting, deleting, and binding an editor. Inside a record, asking for it makes the text's container. */
  readonly text: LoroText;
  /** Mark from `start` to before `end`, in UTF-16 code units. */
  readonly mark: <K extends keyof S & string>(
    range: TextRange,
    name: K,
    value: S[K] extends Style<infer A> ? A : never,
  ) => void;
  readonly unmark: (range: TextRange, name: keyof S & string) => void;
}

export interface TextRange {
  readonly start: number;
  readonly end: number;
}

const declares = (styles: Styles, name: string): boolean => Object.hasOwn(styles, name);

/** The runs of a text, with the declared marks that fit. Each style with misfits is reported once. */
export const runsOf = (styles: Styles, text: LoroText, path: Path, report: Report): RichText => {
  const runs: Array<{ insert: string; attributes?: Readonly<Record<string, Json>> }> = [];
  const misfits = new Set<string>();
  let spent = 0;
  let last = "";
  for (const { insert, attributes } of deltaOf(text)) {
    const kept: Record<string, Json> = {};
    for (const name of Object.keys(styles)) {
      const value = attributes.get(name);
      if (value === undefined) continue;
      if (value !== null && styles[name]?.accepts(value) === true) kept[name] = value;
      else misfits.add(name);
    }
    let key = canonicalJson(kept);
    if (key !== "{}") spent += key.length;
    const isPlain = key === "{}" || spent > MAX_ATTRIBUTES;
    if (isPlain) key = "{}";
    const before = runs.at(-1);
    if (before !== undefined && last === key) before.insert += insert;
    else runs.push(isPlain ? { insert } : { insert, attributes: kept });
    last = key;
  }
  for (const name of Object.keys(styles)) {
    if (misfits.has(name)) report({ path: [...path, name], reason: "misfit" });
  }
  if (spent > MAX_ATTRIBUTES) report({ path, reason: "misfit" });
  return runs;
};

/** Names of marks in a text that its field does not declare: those of newer apps, mostly. */
export const unknownStyles = (styles: Styles, text: LoroText): ReadonlyArray<string> => {
  const names = new Set<string>();
  for (const { attributes } of deltaOf(text)) {
    for (const name of attributes.keys()) if (!declares(styles, name)) names.add(name);
  }
  return [...names].toSorted();
};

/** Loro's runs. A mark that was taken away is none. */
const deltaOf = (
  text: LoroText,
): ReadonlyArray<{ readonly insert: string; readonly attributes: ReadonlyMap<string, unknown> }> =>
  text.toDelta().flatMap(({ insert, attributes }) => {
    if (typeof insert !== "string" || insert === "") return [];
    const entries: ReadonlyArray<readonly [string, unknown]> = Object.entries(attributes ?? {});
    return [{ insert, attributes: new Map(entries.filter(([, value]) => value !== null && value !== undefined)) }];
  });

type Expansions = Record<string, { expand: Expand }>;

const expansionsByFields = new WeakMap<Fields, Expansions | undefined>();

/** How each style of some fields grows; undefined where there is no rich text. */
const expansionsOf = (fields: Fields): Expansions | undefined => {
  if (expansionsByFields.has(fields)) return expansionsByFields.get(fields);
  const all = slotsOf(fields).flatMap(({ field }): ReadonlyArray<Expansions> => {
    if (field.kind === "richText") {
      return [Object.fromEntries(Object.entries(field.styles).map(([name, { expand }]) => [name, { expand }]))];
    }
    const within = field.kind === "records" || field.kind === "tree" ? expansionsOf(field.fields) : undefined;
    return within === undefined ? [] : [within];
  });
  const found = all.length === 0 ? undefined : all.reduce((before, more) => ({ ...before, ...more }), {});
  expansionsByFields.set(fields, found);
  return found;
};

/**
 * Tell a document how the marks of its type grow, and that all others grow at their end. For code that marks without an
 * editor: when differences are applied, for instance. Writes nothing.
 */
export const configureStyles = (type: { readonly fields: Fields } | undefined, doc: LoroDoc): void => {
  doc.configDefaultTextStyle({ expand: "after" });
  // Replaces what the document was told before.
  doc.configTextStyle((type === undefined ? undefined : expansionsOf(type.fields)) ?? {});
};

/** The same for an editor: only where the type has rich text. */
export const configureForEditing = (type: { readonly fields: Fields }, doc: LoroDoc): void => {
  if (expansionsOf(type.fields) !== undefined) configureStyles(type, doc);
};

/** A style that two fields of a type declare with different growth, since a document is told once for each name. */
export const contradictingStyle = (fields: Fields): string | undefined => {
  const known = new Map<string, Expand>();
  const find = (field: Field): string | undefined => {
    if (field.kind === "records" || field.kind === "tree") return first(field.fields);
    if (field.kind !== "richText") return undefined;
    return Object.entries(field.styles).find(([name, { expand }]) => {
      const other = known.get(name) ?? expand;
      known.set(name, other);
      return other !== expand;
    })?.[0];
  };
  const first = (inner: Fields): string | undefined => {
    for (const { field } of slotsOf(inner)) {
      const found = find(field);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return first(fields);
};

export const richTextWriter = (
  field: RichTextField,
  physical: string,
  place: Place,
  path: Path,
  get: () => unknown,
) => {
  const open = (): LoroText => openContainer(place, TEXT, physical, path);
  const requireRange = ({ start, end }: TextRange): void => {
    const found = findContainer(place, TEXT, physical);
    const text = typeof found === "string" ? "" : found.toString();
    requirePosition(start, text.length, path);
    requirePosition(end, text.length, path);
    const splits = (at: number): boolean => at > 0 && (text.codePointAt(at - 1) ?? 0) > 0xffff;
    requireFit(start <= end, path, "a range starts before it ends");
    requireFit(!splits(start) && !splits(end), path, "a range does not end inside a character");
  };
  const requireStyle = (name: string): void =>
    requireFit(declares(field.styles, name), [...path, name], "the field declares no such style");
  return {
    get,
    get text() {
      return open();
    },
    mark: (range: TextRange, name: string, value: Json) => {
      requireStyle(name);
      requireFit(value !== null && field.styles[name]?.accepts(value) === true, [...path, name]);
      requireRange(range);
      if (range.start === range.end) return;
      open().mark({ ...range }, name, value);
    },
    unmark: (range: TextRange, name: string) => {
      requireStyle(name);
      requireRange(range);
      if (range.start === range.end) return;
      open().unmark({ ...range }, name);
    },
  };
};

/** Whether a value is a text with marks of these styles, as patches bring it. */
export const isRichText = (styles: Styles, value: unknown): value is RichText =>
  isJsonWithin(value, MAX_ATTRIBUTES) &&
  Array.isArray(value) &&
  value.every(
    (run: unknown) =>
      typeof run === "object" &&
      run !== null &&
      "insert" in run &&
      typeof run.insert === "string" &&
      (!("attributes" in run) || fitsStyles(styles, run.attributes)),
  );

const fitsStyles = (styles: Styles, attributes: unknown): boolean =>
  typeof attributes === "object" &&
  attributes !== null &&
  Object.entries(attributes).every(
    ([name, value]: readonly [string, unknown]) =>
      declares(styles, name) && value !== null && styles[name]?.accepts(value) === true,
  );
