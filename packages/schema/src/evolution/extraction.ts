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
import { describeDocument } from "../document-state.ts";
import type { DocumentSchema } from "../document-type.ts";
import type { Fields, MapField } from "../field-kinds.ts";
import { field } from "../field.ts";
import { type Json, canonicalJson, isJsonWithin, isPlainObject } from "../json.ts";
import { MAP } from "../place.ts";
import { isEmptyRoot } from "../read.ts";
import { STATE_ROOT } from "../roots.ts";
import type { Slot } from "../slots.ts";
import type { View } from "./merge-views.ts";

/** One extraction, as a schema keeps it. */
export interface Extraction {
  readonly version: number;
  /** Names it among all of the schema's, in every version after it. */
  readonly key: string;
  /** The type that is left. */
  readonly type: string;
  readonly into: string;
  /** What `up` is made from, by the names of the version before; `from` are those of them that leave the type. */
  readonly older: ReadonlyArray<Slot>;
  readonly from: ReadonlyArray<string>;
  /** The fields that it makes, by the names they had when it was declared. */
  readonly newer: Fields;
  readonly up: (older: View, document: string) => unknown;
}

/** How far a document's history goes, by peer. */
export type Reach = Readonly<Record<string, number>>;

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

/** Units (`isJsonWithin`) of what one source says about one document. */
export const MAX_UNITS = 1_000_000;
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

/** Whether who has `newer` has everything of `older`, and more. */
const isBeyond = (newer: Reach, older: Reach): boolean =>
  Object.entries(older).every(([peer, end]) => (newer[peer] ?? 0) >= end) &&
  Object.entries(newer).some(([peer, end]) => end > (older[peer] ?? 0));

/** What sources say about a document goes by this name, whatever declared it. */
const CONTRIBUTIONS = /^\$v\d.*:in$/;
export const isContributions = (root: string): boolean => CONTRIBUTIONS.test(root);

/** What a register says, without the source's version. */
export const valuesSaid = (said: unknown): unknown => (isContribution(said) ? { values: said.values } : said);

/** Whether others say something about a document, or it has been split. */
export const hasExtractions = (doc: LoroDoc): boolean =>
  Object.keys(doc.getShallowValue()).some((root) => /^\$v\d.*:(in|out|at)$/.test(root));

/** Whether a document has nothing but what sources say about it, and what every document has. */
export const isOnlyExtracted = (doc: LoroDoc): boolean => {
  const names = Object.entries(doc.getShallowValue()).flatMap(([name, id]) =>
    isEmptyRoot(doc.getContainerById(id)) ? [] : [name],
  );
  return names.some(isContributions) && names.every((name) => name === STATE_ROOT || isContributions(name));
};

/**
 * In a copy, what sources said is of versions that they had before the backup: a source that was written anew as well would never
 * be taken to have them. So what it says next counts. With `lost`, only where a register names a peer of those, and only what
 * is not in `since` already. The caller commits.
 */
export const forgetReaches = (
  doc: LoroDoc,
  lost?: { readonly isPeer: (peer: string) => boolean; readonly since: LoroDoc },
): void => {
  for (const name of Object.keys(doc.getShallowValue()).filter(isContributions)) {
    const registers = MAP.root(doc, name);
    for (const [source, value] of registers.entries()) {
      const said: unknown = value;
      if (!isContribution(said) || !Object.keys(said.at).some(lost?.isPeer ?? (() => true))) continue;
      const before: unknown = lost === undefined ? undefined : MAP.root(lost.since, name).get(source);
      if (isContribution(before) && canonicalJson(before) === canonicalJson(said)) continue;
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
