/** A row as it is stored and as the page gets it. */
import type { DocumentRecord } from "../store/records.ts";
import type { PlainRow } from "./EngineApi.ts";

/** Beside a row's fields, where values did not fit: no field has such a name. Stores keep it as they keep the fields. */
const INVALID = "$invalid";

type StoredFields = Readonly<Record<string, unknown>>;

/** The fields of a row, with where values did not fit, as JSON Pointers. */
export const withInvalid = (fields: StoredFields, invalid: ReadonlyArray<string>): StoredFields =>
  invalid.length === 0 ? fields : { ...fields, [INVALID]: invalid };

/** A row as the page gets it. */
export const toPlainRow = ({
  document,
  type,
  fields: { [INVALID]: found, ...fields },
  createdAt,
  updatedAt,
  deleted,
}: DocumentRecord): PlainRow => {
  const row = { id: document, type, fields, createdAt, updatedAt, deleted };
  const invalid = Array.isArray(found) ? found.filter((path: unknown) => typeof path === "string") : [];
  return invalid.length === 0 ? row : { ...row, invalid };
};
