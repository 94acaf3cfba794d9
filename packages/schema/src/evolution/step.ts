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
    };
