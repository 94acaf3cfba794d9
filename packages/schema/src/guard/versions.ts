/** The versions of a schema, and the steps between two of them with the fields that they take and make. */
import { Schema } from "effect";
import type { DocumentSchema, DocumentTypes } from "../document-type.ts";
import { isExtractedFor } from "../evolution/extract-fields.ts";
import type { AcceptableFinding, ExtractStep, Step } from "../evolution/step.ts";
import { emptyView } from "../evolution/view-shape.ts";
import type { Fields } from "../field-kinds.ts";
import { field } from "../field.ts";
import { isPlainObject } from "../json.ts";

/** All versions, the oldest first. */
export const versionsOf = (schema: DocumentSchema): ReadonlyArray<DocumentSchema> => {
  const found: Array<DocumentSchema> = [];
  for (let at: DocumentSchema | undefined = schema; at !== undefined; at = at.older) found.unshift(at);
  return found;
};

/** A step that computes, and its fields as both versions declare them. */
export interface Formula {
  readonly step: "convert" | "split" | "merge" | "change" | "extract" | "combine";
  readonly version: number;
  /** Where the fields are: `note`, `note.rows`. */
  readonly path: string;
  /** In words, and as the name of its samples: `convert note: pinned -> priority`. */
  readonly name: string;
  readonly older: Fields;
  readonly newer: Fields;
  /** What it is meant to double or lose. */
  readonly accept: ReadonlyArray<AcceptableFinding>;
  readonly up: (older: Values) => unknown;
  readonly down: ((newer: Values) => unknown) | undefined;
}

export type Values = Readonly<Record<string, unknown>>;

/** The fields that stand at a path, undefined where there are none. `nameOf` says how this version calls what a step names. */
const fieldsAt = (
  documents: DocumentTypes,
  path: string,
  nameOf: (path: string, name: string) => string = (_, name) => name,
): Fields | undefined => {
  const [type = "", ...names] = path.split(".");
  let fields: Fields | undefined = Object.hasOwn(documents, type) ? documents[type]?.fields : undefined;
  let here = type;
  for (const name of names) {
    const field = fields?.[nameOf(here, name)];
    if (field?.kind !== "records" && field?.kind !== "tree") return undefined;
    fields = field.fields;
    here = `${here}.${name}`;
  }
  return fields;
};

/** How a version calls what the version before called `name`. */
export const renamed =
  (steps: ReadonlyArray<Step>) =>
  (path: string, name: string): string =>
    steps.flatMap((step) => (step.step === "rename" && step.path === path && step.from === name ? [step.to] : []))[0] ??
    name;

const chosen = (fields: Fields | undefined, names: ReadonlyArray<string>): Fields =>
  Object.fromEntries(
    names.flatMap((name) => {
      const field = fields?.[name];
      return field === undefined ? [] : [[name, field] as const];
    }),
  );

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a step's functions were typed where they were declared
const seenAs = (values: Values): Readonly<Record<string, never>> => values as Readonly<Record<string, never>>;

const known = new WeakMap<DocumentSchema, ReadonlyArray<Formula>>();

/** The steps to a version that compute something. */
export const formulasOf = (schema: DocumentSchema): ReadonlyArray<Formula> => {
  const formulas = known.get(schema) ?? findFormulas(schema);
  known.set(schema, formulas);
  return formulas;
};

const findFormulas = (schema: DocumentSchema): ReadonlyArray<Formula> => {
  const { steps = [], older, version } = schema;
  if (older === undefined) return [];
  return steps.flatMap((step): ReadonlyArray<Formula> => {
    if (!("up" in step)) return [];
    if (step.step === "extract") return [extractFormula(schema, older, step), ...combineFormula(schema, step)];
    const { up, down, path, accept } = step;
    return [
      {
        step: step.step,
        version,
        path,
        name: `${step.step} ${path}: ${step.from.join(", ")} -> ${step.to.join(", ")}`,
        older: chosen(fieldsAt(older.documents, path), step.from),
        newer: chosen(fieldsAt(schema.documents, path, renamed(steps)), step.to),
        accept,
        up: (values) => up(seenAs(values)),
        down: down === undefined ? undefined : (values) => down(seenAs(values)),
      },
    ];
  });
};

/** What an extraction makes, as one value: whom it is for, and whether all that is for them fits their fields. */
const extractFormula = (schema: DocumentSchema, older: DocumentSchema, step: ExtractStep): Formula => {
  const { path, from, reading, into, to } = step;
  const target = chosen(fieldsAt(schema.documents, into), to);
  return {
    step: "extract",
    version: schema.version,
    path,
    name: `extract ${path}: ${from.join(", ")} -> ${into}: ${to.join(", ")}`,
    older: chosen(fieldsAt(older.documents, path), [...from, ...reading]),
    newer: { [into]: field.list(Schema.Json) },
    accept: step.accept,
    up: (values) => {
      const made = step.up(seenAs(values), EXAMPLE_DOCUMENT);
      // What fits is shown; what does not, refused.
      return { [into]: Array.isArray(made) && made.every((one) => isExtractedFor(target, one)) ? made : undefined };
    },
    down: undefined,
  };
};

/** What several documents say about one, by their ids, and what that comes to. */
const combineFormula = (schema: DocumentSchema, { path, into, to, combine }: ExtractStep): ReadonlyArray<Formula> => {
  if (combine === undefined) return [];
  const newer = chosen(fieldsAt(schema.documents, into), to);
  return [
    {
      step: "combine",
      version: schema.version,
      path: into,
      name: `combine ${path} -> ${into}: ${to.join(", ")}`,
      older: { said: field.records(newer) },
      newer,
      accept: [],
      up: ({ said }) => {
        const byId = Object.entries(isPlainObject(said) ? said : {}).toSorted(([left], [right]) =>
          left < right ? -1 : 1,
        );
        const values = byId.flatMap(([, value]) => (isPlainObject(value) ? [seenAs(value)] : []));
        // It is asked only where somebody says something.
        return values.length === 0 ? emptyViews(newer) : combine(values);
      },
      down: undefined,
    },
  ];
};

const emptyViews = (fields: Fields): Values =>
  Object.fromEntries(Object.entries(fields).map(([name, one]) => [name, emptyView(one)]));

const EXAMPLE_DOCUMENT = "EXAMPLEEXAMPLEEXAMPLEA";

/** The paths of some fields, for people. */
export const pathOf = (formula: Formula): string =>
  Object.keys(formula.newer)
    .map((name) => `${formula.path}.${name}`)
    .join(", ");
