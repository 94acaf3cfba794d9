/** What a declaration says, as plain JSON: equal for equal declarations, to compare versions and to recognise released ones. */
import { Schema } from "effect";
import type { DocumentSchema } from "../document-type.ts";
import type { Field, Fields } from "../field-kinds.ts";
import { type Json, canonicalJson, isJsonWithin } from "../json.ts";
import { slotsOf } from "../slots.ts";

const MAX_UNITS = 4_000_000;

/** The values that a schema admits, as a JSON Schema (draft 2020-12), with the named ones that it uses. What JSON Schema cannot say is left out. */
export const describeValues = (schema: Schema.Top): Json => {
  const { schema: values, definitions } = Schema.toJsonSchemaDocument(schema);
  const named = Object.keys(definitions).length === 0 ? {} : { definitions };
  const described: unknown = JSON.parse(JSON.stringify({ ...values, ...named }));
  return isJsonWithin(described, MAX_UNITS) ? described : null;
};

/** What of a field decides how it is stored. Options of lists, searches and indexes are not part of it. */
export const describeStorage = (field: Field): Json => {
  switch (field.kind) {
    case "plain":
      return { kind: field.kind, values: describeValues(field.schema), default: field.default };
    case "list":
    case "movableList":
    case "set":
    case "map":
      return { kind: field.kind, values: describeValues(field.schema) };
    case "records":
    case "tree":
      return { kind: field.kind, fields: describeFields(field.fields, describeStorage) };
    case "richText":
      return {
        kind: field.kind,
        styles: Object.fromEntries(
          Object.entries(field.styles).map(([name, { schema, expand }]) => [
            name,
            { values: describeValues(schema), expand },
          ]),
        ),
      };
    case "text":
    case "counter":
    case "attachments":
      return { kind: field.kind };
  }
};

/** All that a field says of itself, without the fields within it: how it is stored, and how lists, searches and filters see it. */
export const describeField = (field: Field): { readonly [key: string]: Json } => ({
  storage: field.kind === "records" || field.kind === "tree" ? { kind: field.kind } : describeStorage(field),
  list: field.list,
  search: field.search,
  filterable: field.filterable,
  indexed: field.indexed,
  ...(field.kind === "text" || field.kind === "richText" ? { preview: field.preview } : {}),
  ...((field.kind === "plain" || field.kind === "set") && field.target !== undefined
    ? { target: field.target.type ?? "any type" }
    : {}),
});

const describeWhole = (field: Field): Json =>
  field.kind === "records" || field.kind === "tree"
    ? { ...describeField(field), fields: describeFields(field.fields, describeWhole) }
    : describeField(field);

const describeFields = (fields: Fields, describe: (field: Field) => Json): Json =>
  Object.fromEntries(
    slotsOf(fields).map(({ name, physical, field, origin }) => [
      name,
      { at: origin === undefined ? physical : `${origin.key}#${origin.member}`, field: describe(field) },
    ]),
  );

/** The steps that led to a version, without what they compute. */
export const describeSteps = (schema: DocumentSchema): ReadonlyArray<Json> =>
  (schema.steps ?? []).map((step) =>
    "type" in step
      ? { step: step.step, type: step.type }
      : "name" in step
        ? { step: step.step, path: step.path, name: step.name }
        : step.step === "extract"
          ? {
              step: step.step,
              path: step.path,
              from: step.from,
              reading: step.reading,
              into: step.into,
              to: step.to,
              ...(step.combine === undefined ? {} : { combine: true }),
            }
          : { step: step.step, path: step.path, from: step.from, to: step.to },
  );

/** One version: its types, where their fields are stored, and the steps that led to it, without what the steps compute. */
export const describeSchema = (schema: DocumentSchema): Json => ({
  version: schema.version,
  types: Object.fromEntries(
    Object.entries(schema.documents).map(([name, type]) => [
      name,
      { deprecated: type.deprecated ?? false, fields: describeFields(type.fields, describeWhole) },
    ]),
  ),
  steps: describeSteps(schema),
});

/** Whether two fields store the same. */
export const isStoredAlike = (left: Field, right: Field): boolean =>
  canonicalJson(describeStorage(left)) === canonicalJson(describeStorage(right));
