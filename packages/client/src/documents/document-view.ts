/** A document's row, as its content says. */
import { createdAt, type DocumentSchema, documentTypeName, isDeleted, project } from "@cairn/schema";
import type { LoroDoc } from "loro-crdt";
import { documentTypeOf } from "../engine/engine-schema.ts";
import type { DocumentView } from "../store/LocalStore.ts";

/**
 * The row by the declared type, or, where that is empty, by the one the document names. A type that the app does not know
 * (a newer app's) has no fields: it is shown as such, never guessed.
 */
export const documentView = (schema: DocumentSchema, type: string, doc: LoroDoc): DocumentView => {
  const name = type === "" ? documentTypeName(doc) : type;
  const documentType = name === undefined ? undefined : documentTypeOf(schema, name);
  if (documentType === undefined) {
    return { fields: {}, searchText: "", deleted: isDeleted(doc), createdAt: createdAt(doc) ?? 0 };
  }
  const projection = project(documentType, doc);
  return {
    fields: projection.fields,
    searchText: projection.search,
    deleted: projection.deleted,
    createdAt: projection.createdAt ?? 0,
  };
};
