/**
 * A schema is a value: a version and the document types of that version. Later versions list the steps that lead to
 * them; a version that was released never changes.
 */
import { SchemaDefinitionError } from "./errors.ts";
import type { Extraction } from "./evolution/extraction.ts";
import type { Step } from "./evolution/step.ts";
import type { Field, Fields } from "./field-kinds.ts";
import { isJsonWithin } from "./json.ts";
import { type Referring, targetsIn } from "./reference.ts";
import { type Styles, contradictingStyle } from "./rich-text.ts";
import { NODE_NAMES } from "./tree.ts";
import { shapeOfField } from "./query/value-shape.ts";
import { type DeprecatedType, type DocumentType, slotsOf } from "./slots.ts";
import { PLAIN_ROOT, STATE_ROOT } from "./roots.ts";
import { COMBINATORS, MAX_INDEXED_PATHS, filterablePaths } from "./query/query-paths.ts";

export { PLAIN_ROOT, STATE_ROOT } from "./roots.ts";
export { type DeprecatedType, type DocumentType, type Slot, slotsOf } from "./slots.ts";

/** One version of an app's documents. */
export interface DocumentSchema<Ds extends DocumentTypes = DocumentTypes> {
  /** A whole number from 1 on. */
  readonly version: number;
  readonly documents: Ds;
  /** What led here from the version before, and that version; the first one has neither. */
  readonly steps?: ReadonlyArray<Step>;
  readonly older?: DocumentSchema;
  /** Fields that left documents for others, in this version and all before. */
  readonly extractions?: ReadonlyArray<Extraction>;
}

export interface DocumentTypes {
  readonly [name: string]: DocumentType;
}

/** The fields of a type. */
export type FieldsOf<T extends DocumentType> = T["fields"];

// Begins with a letter: `$…` is ours, `__proto__` is nobody's; Loro refuses `/` and NUL in names of roots.
const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
const MAX_NESTING = 4;

/** Declare a document type. Throws `SchemaDefinitionError` when names or defaults contradict the rules. */
export function defineDocument<const Fs extends Fields>(declaration: { readonly fields: Fs }): DocumentType<Fs>;
/** With `deprecated`: no new documents of the type are made; those that exist are read and edited. */
export function defineDocument<const Fs extends Fields>(declaration: {
  readonly fields: Fs;
  readonly deprecated: true;
}): DeprecatedType<Fs>;
export function defineDocument(declaration: { readonly fields: Fields; readonly deprecated?: true }): DocumentType {
  checkFields(declaration.fields, [], 0);
  return { ...declaration };
}

/** Declare an app's first schema; `evolveSchema` declares the next. Throws `SchemaDefinitionError` for names that cannot be. */
export const defineSchema = <const Ds extends DocumentTypes>(declaration: {
  readonly version: number;
  readonly documents: Ds & Referring<NoInfer<Ds>>;
}): DocumentSchema<Ds> => {
  if (!Number.isSafeInteger(declaration.version) || declaration.version < 1)
    throw invalid(["version"], "a schema's version is a whole number from 1 on");
  checkTypes(declaration.documents);
  return { version: declaration.version, documents: declaration.documents };
};

/** Throws `SchemaDefinitionError` for a type's name that cannot be one, and for references to types that are not there. */
export const checkTypes = (documents: DocumentTypes): void => {
  for (const [name, type] of Object.entries(documents)) {
    if (!NAME.test(name)) throw invalid([name], `a type's name must match ${NAME}`);
    for (const target of targetsIn(type.fields)) {
      if (Object.hasOwn(documents, target.type)) continue;
      throw invalid([name, ...target.path], `there is no type "${target.type}" to refer to`);
    }
  }
};

const checkFields = (fields: Fields, path: ReadonlyArray<string>, depth: number): void => {
  if (depth > MAX_NESTING) throw invalid(path, `records and trees nest at most ${MAX_NESTING} deep`);
  const nameByPhysical = new Map<string, string>();
  for (const { name, physical, field } of slotsOf(fields)) {
    const here = [...path, name];
    if (!NAME.test(name)) throw invalid(here, `a field's name must match ${NAME}`);
    if (!NAME.test(physical)) throw invalid(here, `the physical name "${physical}" must match ${NAME}`);
    if (depth === 0 && (physical === PLAIN_ROOT || physical === STATE_ROOT)) {
      throw invalid(here, `the physical name "${physical}" is reserved; choose another with { physical: "…" }`);
    }
    const other = nameByPhysical.get(physical);
    // A key that is plain for one field and a container for another makes Loro throw at the first write.
    if (other !== undefined) throw invalid(here, `"${other}" already has the physical name "${physical}"`);
    nameByPhysical.set(physical, name);
    if (field.kind === "plain" && !(isJsonWithin(field.default, 100_000) && field.accepts(field.default))) {
      throw invalid(here, "the default does not fit the field");
    }
    if (
      (field.kind === "text" || field.kind === "richText") &&
      !(Number.isInteger(field.preview) && field.preview > 0)
    ) {
      throw invalid(here, "preview is a positive number of code points");
    }
    if (field.filterable) checkFilterable(name, field, here, depth);
    if (field.kind === "records" || field.kind === "tree") checkFields(field.fields, here, depth + 1);
    if (field.kind === "tree") checkNodeFields(field.fields, here);
    if (field.kind === "richText") checkStyles(field.styles, here);
  }
  const style = depth === 0 ? contradictingStyle(fields) : undefined;
  if (style !== undefined) throw invalid(path, `the style "${style}" is declared with two ways to expand`);
  if (depth === 0 && filterablePaths({ fields }).filter((found) => found.indexed).length > MAX_INDEXED_PATHS) {
    throw invalid(path, `a type has at most ${MAX_INDEXED_PATHS} indexed paths`);
  }
};

const checkNodeFields = (fields: Fields, path: ReadonlyArray<string>): void => {
  const taken = NODE_NAMES.find((name) => Object.hasOwn(fields, name));
  if (taken !== undefined) throw invalid([...path, taken], `every node has "${taken}" already`);
};

const checkStyles = (styles: Styles, path: ReadonlyArray<string>): void => {
  for (const name of Object.keys(styles)) {
    if (!NAME.test(name)) throw invalid([...path, name], `a style's name must match ${NAME}`);
  }
};

const checkFilterable = (name: string, field: Field, path: ReadonlyArray<string>, depth: number): void => {
  if (depth > 0) throw invalid(path, "filters do not reach into records and trees");
  if (COMBINATORS.includes(name))
    throw invalid(path, `"${name}" combines filters; a filterable field needs another name`);
  const paths = filterablePaths({ fields: { [name]: field } });
  if (paths.length === 0 && !shapeOfField(field).open) {
    throw invalid(path, "filters compare texts, numbers, booleans and null, and lists of them");
  }
  const indexed = paths.filter((found) => found.indexed);
  if (field.indexed === true && indexed.length > MAX_INDEXED_PATHS) {
    throw invalid(
      path,
      `it has ${indexed.length} paths; name those that shall have an index, at most ${MAX_INDEXED_PATHS}`,
    );
  }
  const named = typeof field.indexed === "boolean" ? [] : field.indexed;
  for (const inner of named) {
    if (!paths.some((found) => found.path === `${name}.${inner}`))
      throw invalid(path, `filters cannot ask for "${inner}"`);
  }
};

const invalid = (path: ReadonlyArray<string>, reason: string): SchemaDefinitionError =>
  new SchemaDefinitionError({ code: "schema/invalid-definition", path, reason });
