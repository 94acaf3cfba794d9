/**
 * A schema is a value: a version and the document types of that version. Later versions list the steps that lead to
 * them; a version that was released never changes.
 */
import { SchemaDefinitionError } from "./errors.ts";
import type { Field, Fields } from "./field.ts";
import { isJsonWithin } from "./json.ts";

/** The root map that holds all plain fields of a document, by physical name. */
export const PLAIN_ROOT = "fields";
/** The root map of the engine's own state, which every document has, whatever its type (`document-state.ts`). */
export const STATE_ROOT = "cairn";

/** A field and the key that replicas store it under. */
export interface Slot {
  readonly name: string;
  readonly physical: string;
  readonly field: Field;
}

/** One type of documents. */
export interface DocumentType<Fs extends Fields = Fields> {
  readonly fields: Fs;
}

/** One version of an app's documents. */
export interface DocumentSchema<Ds extends DocumentTypes = DocumentTypes> {
  readonly version: 1;
  readonly documents: Ds;
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
export const defineDocument = <const Fs extends Fields>(declaration: { readonly fields: Fs }): DocumentType<Fs> => {
  checkFields(declaration.fields, [], 0);
  return { fields: declaration.fields };
};

/** Declare a schema. Throws `SchemaDefinitionError` for a type's name that cannot be one. */
export const defineSchema = <const Ds extends DocumentTypes>(declaration: {
  readonly version: 1;
  readonly documents: Ds;
}): DocumentSchema<Ds> => {
  for (const name of Object.keys(declaration.documents)) {
    if (!NAME.test(name)) throw invalid([name], `a type's name must match ${NAME}`);
  }
  return { version: declaration.version, documents: declaration.documents };
};

const slotsByFields = new WeakMap<Fields, ReadonlyArray<Slot>>();

/** The slots of some fields, in the order of their declaration. */
export const slotsOf = (fields: Fields): ReadonlyArray<Slot> => {
  const known = slotsByFields.get(fields);
  if (known !== undefined) return known;
  const slots = Object.entries(fields).map(([name, field]) => ({ name, physical: field.physical ?? name, field }));
  slotsByFields.set(fields, slots);
  return slots;
};

const checkFields = (fields: Fields, path: ReadonlyArray<string>, depth: number): void => {
  if (depth > MAX_NESTING) throw invalid(path, `records nest at most ${MAX_NESTING} deep`);
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
    if (field.kind === "text" && !(Number.isInteger(field.preview) && field.preview > 0)) {
      throw invalid(here, "preview is a positive number of code points");
    }
    if (field.kind === "records") checkFields(field.fields, here, depth + 1);
  }
};

const invalid = (path: ReadonlyArray<string>, reason: string): SchemaDefinitionError =>
  new SchemaDefinitionError({ code: "schema/invalid-definition", path, reason });
