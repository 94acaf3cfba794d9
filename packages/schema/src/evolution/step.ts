/** What happens between two versions of a schema, as it is kept. */

/** A step as it is kept. `path` is a document type, or records inside one: `note`, `note.tasks`. */
export type Step =
  | { readonly step: "addType" | "removeType" | "deprecateType"; readonly type: string }
  | { readonly step: "add" | "remove"; readonly path: string; readonly name: string }
  | { readonly step: "rename"; readonly path: string; readonly from: string; readonly to: string }
  | {
      readonly step: "convert" | "split" | "merge" | "change";
      readonly path: string;
      readonly from: ReadonlyArray<string>;
      readonly to: ReadonlyArray<string>;
      /** From all of the fields `from`, by name, to all of the fields `to`, by name. */
      readonly up: (older: Readonly<Record<string, never>>) => unknown;
      /** The way back. A change of containers has none. */
      readonly down: ((newer: Readonly<Record<string, never>>) => unknown) | undefined;
      readonly accept: ReadonlyArray<AcceptableFinding>;
    }
  | ExtractStep;

/** Fields that leave the documents of a type for documents of another. */
export interface ExtractStep {
  readonly step: "extract";
  /** The type that they leave. */
  readonly path: string;
  readonly from: ReadonlyArray<string>;
  /** Fields of it that are read and stay. */
  readonly reading: ReadonlyArray<string>;
  readonly into: string;
  /** The fields that they become there. */
  readonly to: ReadonlyArray<string>;
  /** From the fields `from` and `reading`, by name, and the document's id, to what goes where (`Extracted`). */
  readonly up: (older: Readonly<Record<string, never>>, document: string) => unknown;
  /** Where several documents say something about one: what it reads as. The first of them, in the order of ids, unless told. */
  readonly combine: ((said: ReadonlyArray<Readonly<Record<string, never>>>) => unknown) | undefined;
  readonly accept: ReadonlyArray<AcceptableFinding>;
}

/** What a step can double or lose, as `cairn schema check` calls it, where that is meant. Decides nothing that the step does. */
export type AcceptableFinding = "schema/identity-by-position" | "schema/drops-duplicates";

/** What `up` of an extraction gives: values for a new document, told from its others by a key, or for one that is there. */
export type Extracted<Values> =
  | { readonly key: string; readonly values: Values }
  | { readonly document: string; readonly values: Values };
