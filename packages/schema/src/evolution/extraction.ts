/**
 * Fields that left the documents of a type for documents of another one.
 *
 * What a source says about a target is written into the target as one register for each source: values, and the source's
 * version that they are of. The target's fields are then a change of these registers (`successor.ts`): until somebody edits
 * them they read as what the sources say, and what a source says later, because an older app wrote in it, is merged into
 * what was edited. So writing a register is no more than remembering: any device may do it, as often as it likes, and two
 * that do it at the same moment write the same.
 *
 * A register is written anew only by who has all of the source that it was written from, and more. So a device that lags
 * behind takes nothing back, and two of which each lacks something wait until one of them has everything.
 */
import { Schema } from "effect";
import type { LoroDoc } from "loro-crdt";
import { digestText } from "../digest.ts";
import { describeDocument } from "../document-state.ts";
import type { DocumentSchema } from "../document-type.ts";
import { type Fields, type MapField, field } from "../field.ts";
import { type Json, canonicalJson, isJsonWithin, isPlainObject } from "../json.ts";
import { type Place, MAP } from "../place.ts";
import { isEmptyRoot, readField } from "../read.ts";
import { STATE_ROOT } from "../roots.ts";
import { type Report, type Slot, slotsOf } from "../slots.ts";
import { isKey } from "../write-checks.ts";
import { fitViews } from "./fit-view.ts";
import type { View } from "./merge-views.ts";
import { isView } from "./view-shape.ts";

/** One extraction, as a schema keeps it. */
export interface Extraction {
  readonly version: number;
  /** Names it among all of the schema's, in every version after it. */
  readonly key: string;
  /** The type that is left. */
  readonly type: string;
  readonly into: string;
  readonly older: ReadonlyArray<Slot>;
  /** The fields that it makes, by the names they had when it was declared. */
  readonly newer: Fields;
  readonly up: (older: View, document: string) => unknown;
}

/** How far a document's history goes, by peer. */
type Reach = Readonly<Record<string, number>>;

/** What a source says about a target; `values` is null where it said something and does not any more. */
export interface Contribution {
  readonly values: { readonly [name: string]: Json } | null;
  readonly at: Reach;
}

/** Where a contribution belongs: a document of its own, whose id follows from the source and a key, or one that is there. */
export type ExtractionTarget = { readonly key: string } | { readonly document: string };

/** What one document says about another. */
export interface ExtractedDocument {
  readonly extraction: string;
  readonly into: string;
  readonly target: ExtractionTarget;
  readonly contribution: Contribution;
  /** Milliseconds since 1970; of the source. */
  readonly createdAt: number;
  /** The document of its own, where the source remembers it. */
  readonly place?: ExtractedPlace | undefined;
}

/** Where a source wrote a document of its own: remembered by that source, and nothing to a copy of it under another id. */
export interface ExtractedPlace {
  readonly source: string;
  readonly document: string;
}

const MAX_UNITS = 1_000_000;
const MAX_EXTRACTED = 10_000;
const ignore: Report = () => {};

const isReach = (value: unknown): value is Reach =>
  isPlainObject(value) && Object.values(value).every((end) => Number.isSafeInteger(end));

const isContribution = (value: unknown): value is Contribution =>
  isPlainObject(value) &&
  (value["values"] === null || isPlainObject(value["values"])) &&
  isReach(value["at"]) &&
  isJsonWithin(value, MAX_UNITS);

/** The registers of a target, by source. */
export const contributionsSlot = (key: string): Slot => hidden("contributions", `${key}:in`);

/** What a source was split into: a register for each key. */
export const marksSlot = (key: string): Slot => hidden("marks", `${key}:out`);

/** Where those documents are: a register for each key. Their ids follow from a workspace's secret, which a backup leaves behind. */
export const placesSlot = (key: string): Slot => hidden("places", `${key}:at`);

const hidden = (name: string, physical: string): Slot => {
  const registers: MapField = field.map(Schema.Json);
  return { name, physical, field: registers, origin: undefined };
};

/** What the sources say, in the order of their ids. */
export const contributedValues = (view: View): ReadonlyArray<View> => {
  const registers = view["contributions"];
  if (!isPlainObject(registers)) return [];
  return Object.keys(registers)
    .toSorted()
    .flatMap((source) => {
      const said = registers[source];
      return isContribution(said) && said.values !== null ? [said.values] : [];
    });
};

/** The extractions that a document of a type is a source of. */
export const extractionsFrom = (schema: DocumentSchema, type: string): ReadonlyArray<Extraction> =>
  (schema.extractions ?? []).filter((extraction) => extraction.type === type);

const reachOf = (doc: LoroDoc): Reach => Object.fromEntries(doc.oplogVersion().toJSON());

const isExtracted = (value: unknown): value is { readonly values: View } & ExtractionTarget =>
  isPlainObject(value) &&
  isPlainObject(value["values"]) &&
  (typeof value["key"] === "string" || (typeof value["document"] === "string" && value["key"] === undefined));

/** Any text tells documents apart; those that are no key of a map are told by their digest. */
const keyOf = (key: string): string => (isKey(key) ? key : `#${digestText(JSON.stringify(key))}`);

/** Whether a value is what an extraction makes, and all of it fits. */
export const isExtractedFor = (fields: Fields, value: unknown): boolean =>
  isExtracted(value) && slotsOf(fields).every(({ name, field: target }) => isView(target, value.values[name]));

const nameOf = (target: ExtractionTarget): string => ("key" in target ? `key ${target.key}` : `id ${target.document}`);

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
): ReadonlyArray<ExtractedDocument> => {
  const place: Place = { at: "document", doc };
  return extractionsFrom(schema, type).flatMap((extraction) => {
    const view = Object.fromEntries(
      extraction.older.map((slot) => [slot.name, readField(slot, place, [slot.name], ignore)]),
    );
    let made: unknown;
    try {
      made = extraction.up(view, document);
    } catch {
      // Nothing can be said of it by this app: what was said before stays.
      return [];
    }
    if (!Array.isArray(made)) return [];
    const { key, into } = extraction;
    const at = reachOf(doc);
    const found = new Map<string, ExtractedDocument>();
    const add = (target: ExtractionTarget, values: Contribution["values"]): void => {
      if (found.has(nameOf(target))) return;
      const place = "key" in target ? placeFor(doc, key, target.key, document) : undefined;
      found.set(nameOf(target), { extraction: key, into, target, contribution: { values, at }, createdAt, place });
    };
    for (const one of made.slice(0, MAX_EXTRACTED)) {
      if (!isExtracted(one)) continue;
      const values: unknown = fitViews(extraction.newer, one.values, [], ignore);
      if (isPlainObject(values) && isJsonWithin(values, MAX_UNITS))
        add("key" in one ? { key: keyOf(one.key) } : { document: one.document }, structuredClone(values));
    }
    // What an older app has taken out since.
    for (const marked of markedKeys(doc, key)) add({ key: marked }, null);
    return [...found.values()];
  });
};

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

/** Whether who has `newer` has everything of `older`, and more. */
const isBeyond = (newer: Reach, older: Reach): boolean =>
  Object.entries(older).every(([peer, end]) => (newer[peer] ?? 0) >= end) &&
  Object.entries(newer).some(([peer, end]) => end > (older[peer] ?? 0));

/** What sources say about a document goes by this name, whatever declared it. */
const CONTRIBUTIONS = /^\$v\d.*:in$/;

/** Whether a document has nothing but what sources say about it, and what every document has. */
export const isOnlyExtracted = (doc: LoroDoc): boolean => {
  const names = Object.entries(doc.getShallowValue()).flatMap(([name, id]) =>
    isEmptyRoot(doc.getContainerById(id)) ? [] : [name],
  );
  return (
    names.some((name) => CONTRIBUTIONS.test(name)) &&
    names.every((name) => name === STATE_ROOT || CONTRIBUTIONS.test(name))
  );
};

/**
 * In a copy, what sources said is of versions that they had before the backup: a source that was written anew as well would never
 * be taken to have them. So what it says next counts. The caller commits.
 */
export const forgetReaches = (doc: LoroDoc): void => {
  for (const name of Object.keys(doc.getShallowValue()).filter((root) => CONTRIBUTIONS.test(root))) {
    const registers = MAP.root(doc, name);
    for (const [source, value] of registers.entries()) {
      const said: unknown = value;
      if (!isContribution(said) || Object.keys(said.at).length === 0) continue;
      registers.set(source, { values: said.values, at: {} });
    }
  }
};

/** Writes what a source says into its target, where the target does not say so yet. Commits nothing. Whether anything was written. */
export const writeContribution = (
  doc: LoroDoc,
  source: string,
  { extraction, into, contribution, createdAt }: ExtractedDocument,
): boolean => {
  const registers = MAP.root(doc, contributionsSlot(extraction).physical);
  const known: unknown = registers.get(source);
  if (isContribution(known)) {
    if (canonicalJson(known.values) === canonicalJson(contribution.values)) return false;
    if (!isBeyond(contribution.at, known.at)) return false;
  } else if (contribution.values === null) return false;
  registers.set(source, { ...contribution });
  describeDocument(doc, { type: into, createdAt });
  return true;
};
