/** Lists over projections: filter, search and sort rows. Pure. */
import type { ListQuery } from "../api.ts";
import type { DocumentRecord } from "../store/records.ts";
import type { PlainRow } from "./EngineApi.ts";

/** The words of a search, in the form in which `searchText` is kept. */
const wordsOf = (search: string | undefined): ReadonlyArray<string> =>
  (search ?? "").toLowerCase().normalize("NFKC").split(/\s+/u).filter(Boolean);

/** The form of text that searches look through. */
export const toSearchText = (text: string): string => text.toLowerCase().normalize("NFKC");

const fits = (value: unknown, wanted: string | number | boolean): boolean =>
  Array.isArray(value) ? value.includes(wanted) : value === wanted;

const matches = (record: DocumentRecord, query: ListQuery, words: ReadonlyArray<string>): boolean => {
  const deleted = query.deleted ?? "exclude";
  if (deleted === "exclude" && record.deleted) return false;
  if (deleted === "only" && !record.deleted) return false;
  if (!words.every((word) => record.searchText.includes(word))) return false;
  return Object.entries(query.where ?? {}).every(([field, wanted]) => fits(record.fields[field], wanted));
};

const sortKey = (query: ListQuery): ((record: DocumentRecord) => unknown) => {
  const sort = query.sort ?? "updated";
  if (sort === "updated") return (record) => record.updatedAt;
  if (sort === "created") return (record) => record.createdAt;
  const field = sort.slice("field:".length);
  return (record) => record.fields[field];
};

const compare = (left: unknown, right: unknown): number => {
  if (typeof left === "number" && typeof right === "number") return left - right;
  if (typeof left === "string" && typeof right === "string") return left.localeCompare(right);
  return Number(left !== undefined) - Number(right !== undefined);
};

/** A row as the page gets it. */
export const toPlainRow = ({ document, type, fields, createdAt, updatedAt, deleted }: DocumentRecord): PlainRow => ({
  id: document,
  type,
  fields,
  createdAt,
  updatedAt,
  deleted,
});

/** The rows that a query asks for, in its order. Equal keys go by id, so that the order is total. */
export const runListQuery = (records: ReadonlyArray<DocumentRecord>, query: ListQuery): ReadonlyArray<PlainRow> => {
  const words = wordsOf(query.search);
  const key = sortKey(query);
  const direction = (query.descending ?? !(query.sort ?? "updated").startsWith("field:")) ? -1 : 1;
  const rows = records
    .filter((record) => matches(record, query, words))
    .toSorted((left, right) => direction * compare(key(left), key(right)) || (left.document < right.document ? -1 : 1))
    .map(toPlainRow);
  return query.limit === undefined ? rows : rows.slice(0, query.limit);
};
