/** What a declared field is, by kind. */
import type { Schema } from "effect";
import type { Accepts } from "./accepts.ts";
import type { AttachmentManifest } from "./attachment.ts";
import type { Json } from "./json.ts";
import type { ReferenceTarget } from "./reference.ts";
import type { Styles } from "./rich-text.ts";
import type { Origin, Slot } from "./slots.ts";

interface FieldBase {
  /** The physical name, where it differs from the name in the type. */
  readonly physical: string | undefined;
  /** How it is stored, where a step between two versions made it what it is. */
  readonly origin?: Origin;
  /** Whether the field's words are found by search. */
  readonly search: boolean;
  /** Which paths have an index: the field itself and all that filters can ask within it, or the named ones. */
  readonly indexed: boolean | ReadonlyArray<string>;
}

export interface PlainField<
  A extends Json = Json,
  Listed extends boolean = boolean,
  Filterable extends boolean = boolean,
> extends FieldBase {
  readonly kind: "plain";
  readonly filterable: Filterable;
  readonly default: A;
  readonly list: Listed;
  readonly accepts: Accepts<A>;
  /** Free text, which a list may show cut. Other values are shown whole or as their default. */
  readonly freeText: boolean;
  readonly schema: Schema.Top;
  /** Of a reference: the documents that it points to. */
  readonly target?: ReferenceTarget;
}

/** A plain field that holds the id of a document, or null. */
export interface ReferenceField<
  T extends string | undefined = string | undefined,
  Listed extends boolean = boolean,
  Filterable extends boolean = boolean,
> extends PlainField<string | null, Listed, Filterable> {
  readonly target: ReferenceTarget<T>;
}

export interface TextField<Listed extends boolean = boolean> extends FieldBase {
  readonly kind: "text";
  readonly filterable: false;
  readonly list: Listed;
  /** Code points that lists show. */
  readonly preview: number;
}

export interface RichTextField<S extends Styles = Styles, Listed extends boolean = boolean> extends FieldBase {
  readonly kind: "richText";
  readonly filterable: false;
  readonly list: Listed;
  /** Code points that lists show, without marks. */
  readonly preview: number;
  readonly styles: S;
}

export interface ListField<
  A extends Json = Json,
  Listed extends boolean = boolean,
  Filterable extends boolean = boolean,
> extends FieldBase {
  readonly kind: "list";
  readonly filterable: Filterable;
  readonly list: Listed;
  readonly accepts: Accepts<A>;
  readonly schema: Schema.Top;
}

export interface MovableListField<
  A extends Json = Json,
  Listed extends boolean = boolean,
  Filterable extends boolean = boolean,
> extends FieldBase {
  readonly kind: "movableList";
  readonly filterable: Filterable;
  readonly list: Listed;
  readonly accepts: Accepts<A>;
  readonly schema: Schema.Top;
}

export interface SetField<
  A extends string = string,
  Listed extends boolean = boolean,
  Filterable extends boolean = boolean,
> extends FieldBase {
  readonly kind: "set";
  readonly filterable: Filterable;
  readonly list: Listed;
  readonly accepts: Accepts<A>;
  readonly schema: Schema.Top;
  /** Of references: the documents that they point to. */
  readonly target?: ReferenceTarget;
}

/** A set of ids of documents. */
export interface ReferencesField<
  T extends string | undefined = string | undefined,
  Listed extends boolean = boolean,
  Filterable extends boolean = boolean,
> extends SetField<string, Listed, Filterable> {
  readonly target: ReferenceTarget<T>;
}

export interface MapField<A extends Json = Json> extends FieldBase {
  readonly kind: "map";
  readonly filterable: false;
  readonly list: false;
  readonly accepts: Accepts<A>;
  readonly schema: Schema.Top;
}

export interface CounterField<
  Listed extends boolean = boolean,
  Filterable extends boolean = boolean,
> extends FieldBase {
  readonly kind: "counter";
  readonly filterable: Filterable;
  readonly list: Listed;
}

export interface AttachmentsField<Listed extends boolean = boolean> extends FieldBase {
  readonly kind: "attachments";
  readonly filterable: false;
  readonly list: Listed;
  readonly accepts: Accepts<AttachmentManifest>;
}

export interface RecordsField<Fs extends Fields = Fields> extends FieldBase {
  readonly kind: "records";
  readonly filterable: false;
  readonly list: false;
  readonly fields: Fs;
  /** What earlier versions stored in a record and this one does not show under its old form. */
  readonly retired?: ReadonlyArray<Slot>;
}

export interface TreeField<Fs extends Fields = Fields> extends FieldBase {
  readonly kind: "tree";
  readonly filterable: false;
  readonly list: false;
  /** The fields of each node. */
  readonly fields: Fs;
  /** As of records. */
  readonly retired?: ReadonlyArray<Slot>;
}

export type Field =
  | PlainField
  | TextField
  | RichTextField
  | ListField
  | MovableListField
  | SetField
  | MapField
  | CounterField
  | AttachmentsField
  | RecordsField
  | TreeField;

/** Fields by their name in the type. */
export interface Fields {
  readonly [name: string]: Field;
}
