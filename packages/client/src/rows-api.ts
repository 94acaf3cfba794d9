/** The public types of lists: rows, and what asks for them. */
import type { DocumentId } from "@cairn/protocol";
import type { AskedAt, DocumentSchema, Fields, FieldsOf, Inspection, ListedFields, Query, Scalar } from "@cairn/schema";
import type { TypeName, TypeOf } from "./type-names.ts";

/**
 * Which rows of a type are wanted, in which order and how many: JSON, typed from the schema. Everything runs over
 * projections and their indexes; no document is opened.
 */
export type ListQuery<S extends DocumentSchema, T extends TypeName<S>> = Query<TypeOf<S, T>>;

/** What can be counted, by one path: the different values of a filterable field. */
export type CountQuery<S extends DocumentSchema, T extends TypeName<S>> = Pick<
  ListQuery<S, T>,
  "where" | "search" | "deleted"
>;

/** What `countBy` counts at a path. */
export type CountedValue<S extends DocumentSchema, T extends TypeName<S>, P extends string> = Extract<
  AskedAt<FieldsOf<TypeOf<S, T>>, P>,
  Scalar
>;

/** One line of a list. */
export interface Row<S extends DocumentSchema, T extends TypeName<S>> {
  readonly id: DocumentId;
  readonly type: T;
  readonly fields: ListedFields<FieldsOf<TypeOf<S, T>>>;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly deleted: boolean;
  /**
   * Where values of these fields, or of those that are searched, do not fit the schema and read as defaults: JSON Pointers
   * (RFC 6901), 20 at most. Absent where all fit. `inspect` says more.
   */
  readonly invalid?: ReadonlyArray<string>;
  /** It was received a moment ago and is not opened yet: `fields` are the type's defaults. */
  readonly arriving: boolean;
}

/** A document of any type, also of one that the app does not declare. */
export interface AnyRow {
  readonly id: DocumentId;
  readonly type: string;
  /** The fields for lists, where the type is declared. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly deleted: boolean;
  /** As a `Row` has it, where the type is declared. */
  readonly invalid?: ReadonlyArray<string>;
}

/** Documents of a type that the app does not declare. */
export interface UnknownDocuments {
  readonly type: string;
  /** Those in the bin included. */
  readonly documents: number;
}

/** What an app cannot make sense of in a document; all of it stays in the document as it is. */
export interface DocumentInspection extends Pick<Inspection<Fields>, "invalid" | "unknown"> {
  readonly type: string;
  /** Whether the schema declares the type. */
  readonly declared: boolean;
}
