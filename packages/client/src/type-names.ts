/** The names and the types of a schema's documents. */
import type { DocumentSchema } from "@cairn/schema";

/** The names of a schema's document types. */
export type TypeName<S extends DocumentSchema> = Extract<keyof S["documents"], string>;
/** The names of those types of which new documents are made: all that are not deprecated. */
export type CreatableTypeName<S extends DocumentSchema> = {
  [T in TypeName<S>]: S["documents"][T] extends { readonly deprecated: true } ? never : T;
}[TypeName<S>];
/** A schema's document type by name. */
export type TypeOf<S extends DocumentSchema, T extends TypeName<S>> = S["documents"][T];
