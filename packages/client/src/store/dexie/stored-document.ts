import type { DocumentRecord } from "../records.ts";
import type { DocumentRow, ViewRow } from "./tables.ts";

/** A document as the port shows it. */
export const toDocument = (row: DocumentRow, view: ViewRow): DocumentRecord => ({
  workspace: row.workspace,
  document: row.document,
  type: row.type,
  fields: view.fields,
  projection: row.projection,
  deleted: row.deleted,
  createdAt: row.createdAt,
  updatedAt: row.updatedAt,
  merging: row.merging,
});
