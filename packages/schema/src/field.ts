/**
 * The fields of a document type.
 *
 * A *plain* field is one JSON value that is replaced whole; the last writer wins. Every other field is a container whose
 * concurrent edits merge. Declaring a field writes nothing: a document needs no creating operation, and a field that was
 * never written reads as its default (containers: empty).
 *
 * Each field has a physical name, the key under which replicas store it. It is the field's name in the type unless
 * `physical` says otherwise, and once released it is never changed and never given to another field: a rename keeps the
 * physical name.
 */
import { Schema } from "effect";
import { AttachmentManifest } from "./attachment.ts";
import { type PlainSchema, accepting } from "./accepts.ts";
import type {
  AttachmentsField,
  CounterField,
  Fields,
  ListField,
  MapField,
  MovableListField,
  PlainField,
  RecordsField,
  ReferenceField,
  ReferencesField,
  RichTextField,
  SetField,
  TextField,
  TreeField,
} from "./field-kinds.ts";
import type { Json } from "./json.ts";
import { ReferenceId } from "./reference.ts";
import type { Styles } from "./rich-text.ts";

/** Code points of a text that lists show when the field does not say. */
export const DEFAULT_PREVIEW = 200;
export const MAX_PREVIEW = 2_000;

interface Named {
  readonly physical?: string;
}
interface ListOption extends Named {
  /** Show the field in lists: it becomes part of the projection. */
  readonly list?: boolean;
}
interface Searchable {
  /** Find documents by the field's words. */
  readonly searchable?: boolean;
  /** The same, as it was called first. */
  readonly search?: boolean;
}
interface Filterable {
  /** Let filters and sorting ask for the field, which puts it into the projection as well. */
  readonly filterable?: boolean;
}
interface Indexed extends Filterable {
  /** Keep an index, so that filters and sorting by the field read only what they need. Makes it filterable. */
  readonly indexed?: boolean;
}
interface ListAndSearch extends ListOption, Searchable, Indexed {}
interface ValueOptions extends ListOption, Searchable, Filterable {
  /**
   * As elsewhere; of a value that is an object, either everything that filters can ask within it, or the named dotted
   * paths, such as `["city", "place.lat"]`.
   */
  readonly indexed?: boolean | ReadonlyArray<string>;
}
interface StringOptions extends ListAndSearch {
  readonly default?: string;
  /** Longest value, in UTF-16 code units. */
  readonly maxLength?: number;
}
interface NumberOptions extends ListOption, Indexed {
  readonly default?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}
interface BooleanOptions extends ListOption, Indexed {
  readonly default?: boolean;
}
interface CounterOptions extends ListOption, Indexed {}
interface AttachmentsOptions extends ListOption, Searchable {}
interface TextOptions extends Named, Searchable {
  /** Lists show the beginning of the text. */
  readonly list?: "preview";
  /** Length of that beginning, in code points; at most `MAX_PREVIEW`. */
  readonly preview?: number;
}

interface RichTextOptions<S extends Styles> extends TextOptions {
  /** The marks that the app knows. Others are preserved, and reported as unknown. */
  readonly styles?: S;
}
interface ReferenceOptions extends ListOption, Indexed {}

type IsFilterable<O> = O extends
  | { readonly filterable: true }
  | { readonly indexed: true }
  | { readonly indexed: ReadonlyArray<string> }
  ? true
  : false;
type IsListed<O> = O extends { readonly list: true | "preview" } ? true : IsFilterable<O>;

interface Shown {
  readonly list?: boolean | "preview";
  readonly filterable?: boolean;
  readonly indexed?: boolean | ReadonlyArray<string>;
}

const isFilterable = (options: Shown | undefined): boolean =>
  options?.filterable === true || (options?.indexed !== undefined && options.indexed !== false);

/** The run-time twin of `IsFilterable`. Without options `O` is `{}`, and the field is not filterable. */
const filterable = <O extends Shown>(options: O | undefined): IsFilterable<O> =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- type and expression look at the same properties
  isFilterable(options) as IsFilterable<O>;

/** The run-time twin of `IsListed`. */
const listed = <O extends Shown>(options: O | undefined): IsListed<O> =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- type and expression look at the same properties
  (options?.list === true || options?.list === "preview" || isFilterable(options)) as IsListed<O>;

const searched = (options: Searchable | undefined): boolean => options?.searchable === true || options?.search === true;

const plain = <A extends Json, const O extends ValueOptions>(
  schema: PlainSchema<A>,
  defaultValue: A,
  options: O,
  freeText: boolean,
): PlainField<A, IsListed<O>, IsFilterable<O>> => ({
  kind: "plain",
  default: defaultValue,
  list: listed(options),
  filterable: filterable(options),
  indexed: options.indexed ?? false,
  search: searched(options),
  physical: options.physical,
  accepts: accepting(schema),
  freeText,
  schema,
});

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller's `O` says which options there are not
const none = <O>(): O =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- without options the compiler takes `{}` for `O`
  ({}) as O;

const targeted = <T extends string | undefined>(type: T | undefined): T =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- without a type the compiler takes `undefined` for `T`
  type as T;

/** What lists and sets have in common. */
const items = <A extends Json, O extends ListAndSearch>(item: PlainSchema<A>, options: O | undefined) => ({
  list: listed(options),
  filterable: filterable(options),
  indexed: options?.indexed ?? false,
  search: searched(options),
  physical: options?.physical,
  accepts: accepting(item),
  schema: item,
});

const numberSchema = (base: PlainSchema<number>, options: NumberOptions): PlainSchema<number> =>
  base.check(
    Schema.isBetween({
      minimum: options.minimum ?? -Number.MAX_VALUE,
      maximum: options.maximum ?? Number.MAX_VALUE,
    }),
  );

/**
 * Constructors of fields. `list: true` puts a field into the projection, `filterable: true` lets filters and sorting ask for
 * it, `indexed: true` keeps an index for that, `searchable: true` puts its words into full-text search.
 */
export const field = {
  /** A short text that is replaced whole, such as a title. Default: `""`. */
  string: <const O extends StringOptions = {}>(options?: O): PlainField<string, IsListed<O>, IsFilterable<O>> => {
    const given: StringOptions = options ?? {};
    const schema =
      given.maxLength === undefined ? Schema.String : Schema.String.check(Schema.isMaxLength(given.maxLength));
    return plain(schema, given.default ?? "", options ?? none<O>(), true);
  },
  /** Default: `false`. */
  boolean: <const O extends BooleanOptions = {}>(options?: O): PlainField<boolean, IsListed<O>, IsFilterable<O>> =>
    plain(Schema.Boolean, options?.default ?? false, options ?? none<O>(), false),
  /** A finite number. Default: `0`. */
  number: <const O extends NumberOptions = {}>(options?: O): PlainField<number, IsListed<O>, IsFilterable<O>> =>
    plain(numberSchema(Schema.Finite, options ?? {}), options?.default ?? 0, options ?? none<O>(), false),
  /** A safe integer, for instance a time in milliseconds. Default: `0`. */
  integer: <const O extends NumberOptions = {}>(options?: O): PlainField<number, IsListed<O>, IsFilterable<O>> =>
    plain(numberSchema(Schema.Int, options ?? {}), options?.default ?? 0, options ?? none<O>(), false),
  /** Any JSON value that an Effect Schema describes; the schema must not transform. Replaced whole. */
  value: <A extends Json, const O extends ValueOptions>(
    schema: PlainSchema<A>,
    options: O & { readonly default: NoInfer<A> },
  ): PlainField<A, IsListed<O>, IsFilterable<O>> => plain<A, O>(schema, options.default, options, false),
  /** A text that several people can type in at once. */
  text: <const O extends TextOptions = {}>(options?: O): TextField<IsListed<O>> => ({
    kind: "text",
    list: listed(options),
    filterable: false,
    indexed: false,
    preview: Math.min(options?.preview ?? DEFAULT_PREVIEW, MAX_PREVIEW),
    search: searched(options),
    physical: options?.physical,
  }),
  /** A text with marks, such as bold or links, that several people can type and mark in at once. */
  richText: <const S extends Styles = {}, const O extends RichTextOptions<S> = {}>(
    options?: O & { readonly styles?: S },
  ): RichTextField<S, IsListed<O>> => ({
    kind: "richText",
    list: listed(options),
    filterable: false,
    indexed: false,
    preview: Math.min(options?.preview ?? DEFAULT_PREVIEW, MAX_PREVIEW),
    search: searched(options),
    physical: options?.physical,
    styles: options?.styles ?? none<S>(),
  }),
  /** A list of plain items. Items are inserted whole (an item is never built up step by step). */
  list: <A extends Json, const O extends ListAndSearch = {}>(
    item: PlainSchema<A>,
    options?: O,
  ): ListField<A, IsListed<O>, IsFilterable<O>> => ({ kind: "list", ...items(item, options) }),
  /** A list whose items can also be moved and replaced in place. */
  movableList: <A extends Json, const O extends ListAndSearch = {}>(
    item: PlainSchema<A>,
    options?: O,
  ): MovableListField<A, IsListed<O>, IsFilterable<O>> => ({ kind: "movableList", ...items(item, options) }),
  /** A set of strings, such as tags. Per item the last writer wins; different items never disturb each other. */
  set: <A extends string = string, const O extends ListAndSearch = {}>(
    item: PlainSchema<A>,
    options?: O,
  ): SetField<A, IsListed<O>, IsFilterable<O>> => ({ kind: "set", ...items(item, options) }),
  /** Plain values by key. Per key the last writer wins. */
  map: <A extends Json>(item: PlainSchema<A>, options?: Named): MapField<A> => ({
    kind: "map",
    list: false,
    filterable: false,
    indexed: false,
    search: false,
    physical: options?.physical,
    accepts: accepting(item),
    schema: item,
  }),
  /** An integer that several people can raise and lower at once; the changes add up. */
  counter: <const O extends CounterOptions = {}>(options?: O): CounterField<IsListed<O>, IsFilterable<O>> => ({
    kind: "counter",
    list: listed(options),
    filterable: filterable(options),
    indexed: options?.indexed ?? false,
    search: false,
    physical: options?.physical,
  }),
  /** Manifests of attachments by their random ids. */
  attachments: <const O extends AttachmentsOptions = {}>(options?: O): AttachmentsField<IsListed<O>> => ({
    kind: "attachments",
    list: listed(options),
    filterable: false,
    indexed: false,
    search: searched(options),
    physical: options?.physical,
    accepts: accepting<AttachmentManifest>(AttachmentManifest),
  }),
  /** Records by key, each with fields of its own, all of them mergeable: two devices may make the same record at once. */
  records: <const Fs extends Fields>(fields: Fs, options?: Named): RecordsField<Fs> => ({
    kind: "records",
    list: false,
    filterable: false,
    indexed: false,
    search: false,
    physical: options?.physical,
    fields,
  }),
  /**
   * Nodes with fields of their own, each with an order of nodes below it, that can be moved at once without being lost or
   * doubled. Besides its fields a node has an `id` and `children`, so that no field has these names.
   */
  tree: <const Fs extends Fields>(
    fields: Fs & { readonly id?: never; readonly children?: never },
    options?: Named,
  ): TreeField<Fs> => ({
    kind: "tree",
    list: false,
    filterable: false,
    indexed: false,
    search: false,
    physical: options?.physical,
    fields,
  }),
  /** The id of a document of a type of the same schema (undefined: of any type), or null, which is the default. */
  reference: <const T extends string | undefined = undefined, const O extends ReferenceOptions = {}>(
    type?: T,
    options?: O,
  ): ReferenceField<NoInfer<T>, IsListed<O>, IsFilterable<O>> => ({
    ...plain<string | null, O>(Schema.NullOr(ReferenceId), null, options ?? none<O>(), false),
    target: { type: targeted(type) },
  }),
  /** A set of ids of documents. */
  references: <const T extends string | undefined = undefined, const O extends ReferenceOptions = {}>(
    type?: T,
    options?: O,
  ): ReferencesField<NoInfer<T>, IsListed<O>, IsFilterable<O>> => ({
    kind: "set",
    ...items<string, O>(ReferenceId, options),
    target: { type: targeted(type) },
  }),
};
