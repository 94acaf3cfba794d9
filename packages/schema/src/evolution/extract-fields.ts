/**
 * A source's side of an extraction (`extraction.ts`): what it says about others, what goes into none of them, and what it
 * remembers. Apart from what reads documents, which pages load first.
 */
import type { LoroDoc } from "loro-crdt";
import { digestText } from "../digest.ts";
import type { DocumentSchema } from "../document-type.ts";
import { canonicalJson, isJsonWithin, isPlainObject, jsonPointer } from "../json.ts";
import type { Fields } from "../field-kinds.ts";
import { type Place, MAP } from "../place.ts";
import { readField } from "../read.ts";
import { type InvalidValue, type Report, slotsOf } from "../slots.ts";
import { isKey } from "../write-checks.ts";
import {
  type Contribution,
  type ExtractedDocument,
  type Extraction,
  type ExtractionTarget,
  extractionsFrom,
  marksSlot,
  MAX_UNITS,
  type ExtractedPlace,
  placesSlot,
  type Reach,
} from "./extraction.ts";
import { fitViews } from "./fit-view.ts";
import type { View } from "./merge-views.ts";
import { isView } from "./view-shape.ts";

/** Documents that one source is split into. What comes after them stays in the older field, and is reported. */
const MAX_EXTRACTED = 10_000;

const ignore: Report = () => {};

/**
 * What a document says about others. Total and pure: what a step makes that does not fit is left out, and of two values for
 * one target the first counts.
 */
export const extractedFrom = (
  schema: DocumentSchema,
  type: string,
  doc: LoroDoc,
  document: string,
  createdAt: number,
): ReadonlyArray<ExtractedDocument> =>
  extractionsFrom(schema, type).flatMap((extraction) => extract(extraction, doc, document, createdAt, ignore));

/**
 * What is in no other document, though its field left this one for others: by the older field, and the position in what was
 * made of it.
 */
export const inspectExtracted = (
  schema: DocumentSchema,
  type: string,
  doc: LoroDoc,
  document: string,
): ReadonlyArray<InvalidValue> => {
  const found = new Map<string, InvalidValue>();
  for (const extraction of extractionsFrom(schema, type))
    extract(extraction, doc, document, 0, (invalid) => found.set(jsonPointer(invalid.path), invalid));
  return [...found.values()];
};

const extract = (
  { key, into, older, from, newer, up }: Extraction,
  doc: LoroDoc,
  document: string,
  createdAt: number,
  report: Report,
): ReadonlyArray<ExtractedDocument> => {
  const whole: Place = { at: "document", doc };
  const view = Object.fromEntries(
    // The others are fields of the document still, and reported as such.
    older.map((slot) => [slot.name, readField(slot, whole, [slot.name], from.includes(slot.name) ? report : ignore)]),
  );
  const path = older.slice(0, 1).map(({ name }) => name);
  const leave = (...at: ReadonlyArray<number>): void => report({ path: [...path, ...at], reason: "conversion" });
  let made: unknown;
  try {
    made = up(view, document);
  } catch {
    // Nothing can be said of it by this app: what was said before stays.
    made = undefined;
  }
  if (!Array.isArray(made)) {
    leave();
    return [];
  }
  const at = reachOf(doc);
  const found = new Map<string, ExtractedDocument>();
  const add = (target: ExtractionTarget, values: Contribution["values"]): void => {
    const place = "key" in target ? placeFor(doc, key, target.key, document) : undefined;
    found.set(nameOf(target), { extraction: key, into, target, contribution: { values, at }, createdAt, place });
  };
  for (const [index, one] of made.slice(0, MAX_EXTRACTED).entries()) {
    const values: unknown = isExtracted(one) ? fitViews(newer, one.values, [...path, index], report) : undefined;
    if (!isExtracted(one) || !isPlainObject(values) || !isJsonWithin(values, MAX_UNITS)) {
      leave(index);
      continue;
    }
    const target = "key" in one ? { key: keyOf(one.key) } : { document: one.document };
    const before = found.get(nameOf(target));
    if (before === undefined) add(target, structuredClone(values));
    else if (canonicalJson(before.contribution.values) !== canonicalJson(values)) leave(index);
  }
  if (made.length > MAX_EXTRACTED) leave(MAX_EXTRACTED);
  // What an older app has taken out since.
  for (const marked of markedKeys(doc, key)) if (!found.has(nameOf({ key: marked }))) add({ key: marked }, null);
  return [...found.values()];
};

/** Whether a value has the form of what an extraction makes. */
const isExtracted = (value: unknown): value is { readonly values: View } & ExtractionTarget =>
  isPlainObject(value) &&
  isPlainObject(value["values"]) &&
  (typeof value["key"] === "string" || (typeof value["document"] === "string" && value["key"] === undefined));

/** Whether a value is what an extraction makes, and all of it fits. */
export const isExtractedFor = (fields: Fields, value: unknown): boolean =>
  isExtracted(value) && slotsOf(fields).every(({ name, field: target }) => isView(target, value.values[name]));

const reachOf = (doc: LoroDoc): Reach => Object.fromEntries(doc.oplogVersion().toJSON());

/** Any text tells documents apart; those that are no key of a map are told by their digest. */
const keyOf = (key: string): string => (isKey(key) ? key : `#${digestText(JSON.stringify(key))}`);

const nameOf = (target: ExtractionTarget): string => ("key" in target ? `key ${target.key}` : `id ${target.document}`);

const markedKeys = (doc: LoroDoc, key: string): ReadonlyArray<string> =>
  MAP.root(doc, marksSlot(key).physical)
    .entries()
    .flatMap(([marked, value]) => (value === true && isKey(marked) ? [marked] : []));

const isPlace = (value: unknown): value is { readonly source: string; readonly document: string } =>
  isPlainObject(value) && typeof value["source"] === "string" && typeof value["document"] === "string";

/** What the source itself remembers. */
const placeFor = (doc: LoroDoc, extraction: string, key: string, source: string): ExtractedPlace | undefined => {
  const value: unknown = MAP.root(doc, placesSlot(extraction).physical).get(key);
  return isPlace(value) && value.source === source ? { source, document: value.document } : undefined;
};

/** Whether a source remembers all that it was split into, and where it is. */
export const isMarkedExtracted = (doc: LoroDoc, extracted: ReadonlyArray<ExtractedDocument>): boolean =>
  extracted.every(
    ({ extraction, target, place }) =>
      !("key" in target) ||
      (place !== undefined && MAP.root(doc, marksSlot(extraction).physical).get(target.key) === true),
  );

/** Writes into a source what it was split into, where that is not there yet. Commits nothing. Whether anything was written. */
export const markExtracted = (doc: LoroDoc, extracted: ReadonlyArray<ExtractedDocument>): boolean => {
  let isNew = false;
  for (const { extraction, target, place } of extracted) {
    if (!("key" in target)) continue;
    if (place !== undefined) {
      const known = placeFor(doc, extraction, target.key, place.source);
      if (known === undefined) {
        MAP.root(doc, placesSlot(extraction).physical).set(target.key, { ...place });
        isNew = true;
      }
    }
    const marks = MAP.root(doc, marksSlot(extraction).physical);
    if (marks.get(target.key) === true) continue;
    marks.set(target.key, true);
    isNew = true;
  }
  return isNew;
};
