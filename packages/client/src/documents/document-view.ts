/** A document's row, as its content says. */
import type { DocumentId } from "@cairn/protocol";
import {
  createdAt,
  type DocumentSchema,
  documentTypeName,
  indexedValues,
  inspectExtracted,
  isDeleted,
  pointerInRow,
  PROJECTION_LIMITS,
  project,
  projectionFingerprint,
} from "@cairn/schema";
import type { LoroDoc } from "loro-crdt";
import { documentTypeOf } from "../engine/engine-schema.ts";
import { withInvalid } from "../engine/plain-row.ts";
import type { DocumentView } from "../store/store-changes.ts";

/**
 * The row by the declared type, or, where that is empty, by the one the document names. Of a type that the app does not know
 * (a newer app's) only what every document has: what it shows is left to whoever knows it. Without its words it costs little
 * however long its texts are.
 */
export const documentView = (
  schema: DocumentSchema,
  type: string,
  doc: LoroDoc,
  withWords = true,
  /** Its id, where it may be split into others: what of it is in none of them is reported, too. */
  document?: DocumentId,
): DocumentView => {
  const name = type === "" ? documentTypeName(doc) : type;
  const documentType = name === undefined ? undefined : documentTypeOf(schema, name);
  if (documentType === undefined) {
    return { deleted: isDeleted(doc), createdAt: createdAt(doc) ?? 0, projection: undefined };
  }
  const { fields, search, deleted, createdAt: created, invalid } = project(documentType, doc, { search: withWords });
  const notExtracted =
    document === undefined ? [] : inspectExtracted(schema, name ?? "", doc, document).map(pointerInRow);
  return {
    deleted,
    createdAt: created ?? 0,
    projection: {
      fingerprint: projectionFingerprint(documentType),
      fields: withInvalid(fields, [...invalid, ...notExtracted].slice(0, PROJECTION_LIMITS.invalid)),
      indexed: indexedValues(documentType, fields),
      searchText: withWords ? search : undefined,
    },
  };
};

/**
 * The row that may be stored with a document's content: whoever makes what it shows writes first what the document says about
 * others, which the engine does when it imports it.
 */
export const storableView = (schema: DocumentSchema, type: string, view: DocumentView): DocumentView =>
  documentTypeOf(schema, type)?.extractions === undefined ? view : { ...view, projection: undefined };
