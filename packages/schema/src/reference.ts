/**
 * References: fields that hold ids of other documents. They are plain values and sets, and are read, written, filtered and
 * indexed like those; what they point to is declared, so that whoever copies, exports or deletes documents can follow them.
 * A reference promises nothing about its document: it may not have arrived yet, or be deleted.
 */
import { Schema } from "effect";
import type { LoroDoc } from "loro-crdt";

import type { Fields } from "./field-kinds.ts";
import { isPlainObject } from "./json.ts";
import { readDocument } from "./read.ts";
import { type DocumentType, type Slot, slotsOf } from "./slots.ts";

/** What a field of references points to. */
export interface ReferenceTarget<T extends string | undefined = string | undefined> {
  /** The type of the documents; undefined for documents of any type. */
  readonly type: T;
}

/** The id of a document: 16 bytes in base64url (RFC 4648, section 5), whose last character has no bits to spare; all zeros is none. */
export const ReferenceId = Schema.String.check(Schema.isPattern(/^(?!A{22}$)[A-Za-z0-9_-]{21}[AQgw]$/));

/** A reference that a document holds. */
export interface Reference {
  /** Names in the type, keys of records, ids of nodes. */
  readonly path: ReadonlyArray<string>;
  /** The declared type of the document; undefined where any will do. */
  readonly type: string | undefined;
  readonly id: string;
}

/** All valid references of a document, in the order of the fields. */
export const referencesOf = (type: DocumentType, doc: LoroDoc): ReadonlyArray<Reference> => {
  if (!slotsOf(type.fields).some(mayRefer)) return [];
  return inFields(type.fields, readDocument(type, doc), []);
};

const mayRefer = ({ field }: Slot): boolean => {
  if (field.kind === "plain" || field.kind === "set") return field.target !== undefined;
  return (field.kind === "records" || field.kind === "tree") && slotsOf(field.fields).some(mayRefer);
};

type Path = ReadonlyArray<string>;

const inFields = (fields: Fields, view: unknown, path: Path): ReadonlyArray<Reference> =>
  slotsOf(fields)
    .filter(mayRefer)
    .flatMap((slot) => inField(slot, isPlainObject(view) ? view[slot.name] : undefined, [...path, slot.name]));

const inField = ({ field }: Slot, value: unknown, path: Path): ReadonlyArray<Reference> => {
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- no other kind of field refers to documents
  switch (field.kind) {
    case "plain":
    case "set": {
      const ids: ReadonlyArray<unknown> = Array.isArray(value) ? value : [value];
      return ids.flatMap((id) => (typeof id === "string" ? [{ path, type: field.target?.type, id }] : []));
    }
    case "records":
      return isPlainObject(value)
        ? Object.entries(value).flatMap(([key, record]) => inFields(field.fields, record, [...path, key]))
        : [];
    case "tree":
      return inNodes(field.fields, value, path);
    default:
      return [];
  }
};

const inNodes = (fields: Fields, nodes: unknown, path: Path): ReadonlyArray<Reference> =>
  Array.isArray(nodes)
    ? nodes.flatMap((node: unknown) =>
        isPlainObject(node) && typeof node["id"] === "string"
          ? [...inFields(fields, node, [...path, node["id"]]), ...inNodes(fields, node["children"], path)]
          : [],
      )
    : [];

/** Types of documents that fields refer to, with the path of the field. */
export const targetsIn = (
  fields: Fields,
  path: Path = [],
): ReadonlyArray<{ readonly path: Path; readonly type: string }> =>
  slotsOf(fields).flatMap(({ name, field }) => {
    const here = [...path, name];
    if (field.kind === "records" || field.kind === "tree") return targetsIn(field.fields, here);
    if (field.kind !== "plain" && field.kind !== "set") return [];
    const type = field.target?.type;
    return type === undefined ? [] : [{ path: here, type }];
  });

// The same for the compiler.

type TargetsOfField<F> = F extends { readonly target: ReferenceTarget<infer T> }
  ? Extract<T, string>
  : F extends { readonly kind: "records" | "tree"; readonly fields: infer Fs }
    ? TargetsOf<Fs>
    : never;

/** The names of the types that fields refer to. */
export type TargetsOf<Fs> = { [K in keyof Fs]: TargetsOfField<Fs[K]> }[keyof Fs];

/** Document types whose references all point to one of them; `never` in place of those with others. */
export type Referring<Ds> = {
  readonly [K in keyof Ds]: Ds[K] extends { readonly fields: infer Fs }
    ? [Exclude<TargetsOf<Fs>, keyof Ds>] extends [never]
      ? Ds[K]
      : never
    : never;
};
