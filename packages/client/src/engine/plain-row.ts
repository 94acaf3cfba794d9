import type { DocumentRecord } from "../store/records.ts";
import type { PlainRow } from "./EngineApi.ts";

/** A row as the page gets it. */
export const toPlainRow = ({ document, type, fields, createdAt, updatedAt, deleted }: DocumentRecord): PlainRow => ({
  id: document,
  type,
  fields,
  createdAt,
  updatedAt,
  deleted,
});
