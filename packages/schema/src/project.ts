/**
 * The projection: the small plain object that lists and searches are drawn from, so that no document is opened to draw a
 * list. Pure, total, and bounded whatever the document holds.
 */
import type { LoroDoc, LoroText } from "loro-crdt";

import type { AttachmentSummary } from "./attachment.ts";
import { createdAt, isDeleted } from "./document-state.ts";
import { emptyView, isView } from "./evolution/view-shape.ts";
import { type DocumentType, type FieldsOf, type Slot, slotsOf } from "./document-type.ts";
import type { AttachmentsField, Field, Fields, RichTextField, TextField } from "./field-kinds.ts";
import type { ViewOfField } from "./view-of.ts";
import { cutCodePoints, isJsonWithin, isPlainObject, jsonPointer } from "./json.ts";
import { type Place, TEXT, findContainer } from "./place.ts";
import { type InvalidValue, readField } from "./read.ts";

/** Bounds of a projection. Texts are cut, lists shortened, and other values that are larger show as their default. */
export const PROJECTION_LIMITS = {
  /** Code points of a plain string. */
  string: 500,
  /** Items of a list, set or attachments field. */
  items: 100,
  /** Units (`isJsonWithin`) of a value or item. */
  valueUnits: 2_000,
  /** Code points of the whole searchable text. */
  search: 100_000,
  /** Reported misfits. */
  invalid: 20,
} as const;

type ProjectedField<F extends Field> = F extends AttachmentsField
  ? ReadonlyArray<AttachmentSummary>
  : F extends RichTextField
    ? string
    : ViewOfField<F>;

type ListedKeys<Fs extends Fields> = { [K in keyof Fs]: Fs[K]["list"] extends true ? K : never }[keyof Fs];

/** The fields of a type that are declared for lists. */
export type ListedFields<Fs extends Fields> = { readonly [K in ListedKeys<Fs>]: ProjectedField<Fs[K]> };

/** Plain JSON, fit for storing and for a structured clone. */
export interface ProjectionOf<Fs extends Fields> {
  readonly fields: ListedFields<Fs>;
  /** The words of all searchable fields, separated by line breaks; empty when the type declares none. */
  readonly search: string;
  readonly deleted: boolean;
  /** Milliseconds since 1970. */
  readonly createdAt: number | null;
  /** Where values did not fit, as JSON Pointers (RFC 6901); at most `PROJECTION_LIMITS.invalid` of them. */
  readonly invalid: ReadonlyArray<string>;
}

/** The projection of a document type. */
export type Projection<T extends DocumentType> = ProjectionOf<FieldsOf<T>>;

/** Where a value does not fit, as rows say it: a JSON Pointer, cut to 200 code points. */
export const pointerInRow = ({ path }: InvalidValue): string => cutCodePoints(jsonPointer(path), 200);

/** Project a document. Never throws. */
export const project = <Fs extends Fields>(
  type: DocumentType<Fs>,
  doc: LoroDoc,
  options: { /** Whether the searchable text is wanted; default true. */ readonly search?: boolean } = {},
): ProjectionOf<Fs> => {
  const searched = options.search ?? true;
  const place: Place = { at: "document", doc };
  const invalid: Array<string> = [];
  const report = (found: InvalidValue): void => {
    if (invalid.length < PROJECTION_LIMITS.invalid) invalid.push(pointerInRow(found));
  };
  const words: Array<string> = [];
  const listed: Array<readonly [string, unknown]> = [];
  let searchLeft: number = PROJECTION_LIMITS.search;
  for (const slot of slotsOf(type.fields)) {
    const { field } = slot;
    if (!field.list && !(field.search && searched)) continue;
    const text = isText(field) && slot.origin === undefined ? findContainer(place, TEXT, slot.physical) : "absent";
    const value = typeof text === "string" ? readField(slot, place, [slot.name], report) : undefined;
    if (field.list) {
      const shown = isText(field)
        ? typeof text === "string"
          ? cutCodePoints(wordsOf(value, field.preview), field.preview)
          : beginning(text, field.preview)
        : bounded(slot, value, report);
      listed.push([slot.name, shown]);
    }
    if (field.search && searched) {
      const found =
        typeof text === "string" ? wordsOf(searchable(slot, value), searchLeft) : beginning(text, searchLeft);
      if (found !== "") words.push(found);
      searchLeft = Math.max(0, searchLeft - found.length - 1);
    }
    if (typeof text !== "string") text.free();
  }
  return {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `bounded` keeps every value within its field's type
    fields: Object.fromEntries(listed) as ListedFields<Fs>,
    search: words.join("\n"),
    deleted: isDeleted(doc),
    createdAt: createdAt(doc) ?? null,
    invalid,
  };
};

/** Texts show their beginning, rich ones without their marks. */
const isText = (field: Field): field is TextField | RichTextField => field.kind === "text" || field.kind === "richText";

/** The beginning of a text, without making one string of a long one. */
const beginning = (text: LoroText, codePoints: number): string => {
  const enough = codePoints * 2;
  // One string is cheaper than its many pieces, as long as it is not much longer than what is wanted.
  if (text.length <= enough * 4) return cutCodePoints(text.toString(), codePoints);
  const parts: Array<string> = [];
  let length = 0;
  text.iter((part) => {
    parts.push(part);
    length += part.length;
    return length < enough;
  });
  return cutCodePoints(parts.join(""), codePoints);
};

/** A value that fits its field, made small enough for a list. */
const bounded = (slot: Slot, value: unknown, report: (found: InvalidValue) => void): unknown => {
  const { field } = slot;
  switch (field.kind) {
    case "plain": {
      if (field.freeText && typeof value === "string") return cutCodePoints(value, PROJECTION_LIMITS.string);
      if (isJsonWithin(value, PROJECTION_LIMITS.valueUnits)) return value;
      report({ path: [slot.name], reason: "misfit" });
      return field.default;
    }
    case "list":
    case "movableList":
    case "set":
      return Array.isArray(value)
        ? value.slice(0, PROJECTION_LIMITS.items).filter((item) => isJsonWithin(item, PROJECTION_LIMITS.valueUnits))
        : [];
    case "attachments":
      return isPlainObject(value)
        ? Object.entries(value)
            .slice(0, PROJECTION_LIMITS.items)
            .flatMap(([id, manifest]) => (field.accepts(manifest) ? [summary(id, manifest)] : []))
        : [];
    case "counter":
    case "map":
    case "records":
    case "richText":
    case "text":
    case "tree":
      return value;
  }
};

const summary = (
  id: string,
  manifest: { readonly name: string; readonly mediaType: string; readonly size: number },
): AttachmentSummary => ({
  id: cutCodePoints(id, 100),
  name: manifest.name,
  mediaType: manifest.mediaType,
  size: manifest.size,
});

/** The part of a field's value that holds words: of attachments their names, not their hashes. */
const searchable = (slot: Slot, value: unknown): unknown =>
  slot.field.kind === "attachments" && isPlainObject(value)
    ? Object.values(value).map((manifest) => (isPlainObject(manifest) ? manifest["name"] : null))
    : value;

/** The strings inside a value, in order. Keys are not words. */
const wordsOf = (value: unknown, codePoints: number): string => {
  const words: Array<string> = [];
  let left = codePoints;
  const collect = (part: unknown): void => {
    if (left <= 0) return;
    if (typeof part === "string") {
      const word = cutCodePoints(part, left);
      words.push(word);
      left -= word.length + 1;
    } else if (Array.isArray(part)) part.forEach(collect);
    else if (isPlainObject(part)) Object.values(part).forEach(collect);
  };
  collect(value);
  return words.join("\n");
};

/**
 * What a list shows of a row that another version of the app made: each field that is there in a form which fits, and the
 * defaults of the others. It opens no document.
 */
export const fittingFields = (
  type: DocumentType,
  fields: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    slotsOf(type.fields).flatMap(({ name, field }) => {
      if (!field.list) return [];
      const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
      return [[name, isShown(field, value) ? value : emptyShown(field)]];
    }),
  );

const isShown = (field: Field, value: unknown): boolean => {
  if (isText(field)) return typeof value === "string";
  if (field.kind !== "attachments") return isView(field, value);
  return Array.isArray(value) && value.every((item: unknown) => isPlainObject(item) && typeof item["id"] === "string");
};

const emptyShown = (field: Field): unknown =>
  isText(field) ? "" : field.kind === "attachments" ? [] : emptyView(field);
