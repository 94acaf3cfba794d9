/** Questions to a type's rows, checked against the app's schema. */
import {
  type CheckedQuery,
  checkQuery,
  countValues,
  type DocumentSchema,
  type DocumentType,
  isWanted,
  holdsTerms,
  type Page,
  QueryInvalid,
  requirePath,
  runQuery,
  type ValueCount,
  wordsOf,
} from "@cairn/schema";
import type { WorkspaceId } from "@cairn/protocol";
import { Effect } from "effect";
import { CairnError } from "../errors.ts";
import type { LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import type { DocumentRecord } from "../store/records.ts";
import type { PlainRow } from "./EngineApi.ts";
import { documentTypeOf } from "./engine-schema.ts";

/** A row as the page gets it. */
export const toPlainRow = ({ document, type, fields, createdAt, updatedAt, deleted }: DocumentRecord): PlainRow => ({
  id: document,
  type,
  fields,
  createdAt,
  updatedAt,
  deleted,
});

/** Checks a question against the schema. Fails with `type-unknown` or `query-invalid`. */
const checked = <A>(
  schema: DocumentSchema,
  type: string,
  check: (declared: DocumentType) => A,
): Effect.Effect<A, CairnError> =>
  Effect.suspend(() => {
    const declared = documentTypeOf(schema, type);
    if (declared === undefined) return Effect.fail(new CairnError("type-unknown"));
    try {
      return Effect.succeed(check(declared));
    } catch (error) {
      if (!(error instanceof QueryInvalid)) throw error;
      return Effect.fail(new CairnError("query-invalid", error.message));
    }
  });

export interface RowQueries {
  readonly page: (
    workspace: WorkspaceId,
    type: string,
    query: unknown,
  ) => Effect.Effect<Page<PlainRow>, CairnError | StoreFailure>;
  readonly count: (
    workspace: WorkspaceId,
    type: string,
    query: unknown,
  ) => Effect.Effect<number, CairnError | StoreFailure>;
  readonly countBy: (
    workspace: WorkspaceId,
    type: string,
    path: string,
    query: unknown,
  ) => Effect.Effect<ReadonlyArray<ValueCount>, CairnError | StoreFailure>;
}

export const makeRowQueries = (schema: DocumentSchema, store: LocalStoreShape): RowQueries => {
  const rowsOf = (workspace: WorkspaceId, type: string) =>
    Effect.map(store.documentsOfType(workspace, type), (records) =>
      records.map((record) => ({ ...toPlainRow(record), searchText: record.searchText })),
    );
  const wanted = (workspace: WorkspaceId, type: string, query: CheckedQuery) =>
    Effect.map(rowsOf(workspace, type), (rows) =>
      rows.filter((row) => isWanted(query, row) && holdsTerms(wordsOf(row.searchText), query.terms)),
    );
  return {
    page: (workspace, type, given) =>
      Effect.flatMap(
        checked(schema, type, (declared) => checkQuery(declared, given)),
        (query) =>
          Effect.map(rowsOf(workspace, type), (rows) => {
            const page = runQuery(query, rows, ({ searchText }) => wordsOf(searchText));
            return { ...page, rows: page.rows.map(({ searchText: _, ...row }) => row) };
          }),
      ),
    count: (workspace, type, given) =>
      Effect.flatMap(
        checked(schema, type, (declared) => checkQuery(declared, given)),
        (query) => Effect.map(wanted(workspace, type, query), (rows) => rows.length),
      ),
    countBy: (workspace, type, path, given) =>
      Effect.flatMap(
        checked(schema, type, (declared) => ({
          query: checkQuery(declared, given),
          at: requirePath(declared, path, []),
        })),
        ({ query, at }) => Effect.map(wanted(workspace, type, query), (rows) => countValues(rows, at)),
      ),
  };
};
