/** Questions to a type's rows, checked against the app's schema. */
import {
  checkQuery,
  type DocumentSchema,
  type DocumentType,
  fittingFields,
  type Page,
  projectionFingerprint,
  QueryInvalid,
  requirePath,
  type ValueCount,
} from "@cairn/schema";
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import { Effect } from "effect";
import type { UnknownDocuments } from "../rows-api.ts";
import { CairnError } from "../errors.ts";
import type { LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import type { PlainRow } from "./EngineApi.ts";
import { documentTypeOf } from "./engine-schema.ts";
import { toPlainRow } from "./plain-row.ts";

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
  const asked = (workspace: WorkspaceId, type: string, given: unknown) =>
    checked(schema, type, (declared) => ({
      rows: { workspace, type, fingerprint: projectionFingerprint(declared) },
      query: checkQuery(declared, given),
    }));
  return {
    page: (workspace, type, given) =>
      Effect.gen(function* () {
        const { rows, query } = yield* asked(workspace, type, given);
        const page = yield* store.query(rows, query);
        const declared = documentTypeOf(schema, type);
        return {
          rows: page.rows.map((row) => {
            // What nobody has made yet has no fields, and is arriving.
            const isShown = row.projection === rows.fingerprint || Object.keys(row.fields).length === 0;
            return toPlainRow(
              isShown || declared === undefined ? row : { ...row, fields: fittingFields(declared, row.fields) },
            );
          }),
          next: page.next,
        };
      }),
    count: (workspace, type, given) =>
      Effect.flatMap(asked(workspace, type, given), ({ rows, query }) => store.count(rows, query)),
    countBy: (workspace, type, path, given) =>
      Effect.gen(function* () {
        const { rows, query } = yield* asked(workspace, type, given);
        const at = yield* checked(schema, type, (declared) => requirePath(declared, path, []));
        return yield* store.countBy(rows, at, query);
      }),
  };
};

/** Rows that are read at once. */
const ROWS_AT_ONCE = 500;

/** How many documents there are of each type that the schema does not declare. */
export const countUnknown = Effect.fnUntraced(function* (
  schema: DocumentSchema,
  store: LocalStoreShape,
  workspace: WorkspaceId,
): Effect.fn.Return<ReadonlyArray<UnknownDocuments>, StoreFailure> {
  const counts = new Map<string, number>();
  let after: DocumentId | undefined;
  do {
    const page = yield* store.documentPage(workspace, after, ROWS_AT_ONCE);
    for (const { type } of page) {
      // One whose type nobody has named yet is still arriving; `$` is the engine's.
      if (type === "" || type.startsWith("$") || documentTypeOf(schema, type) !== undefined) continue;
      counts.set(type, (counts.get(type) ?? 0) + 1);
    }
    after = page.at(-1)?.document;
  } while (after !== undefined);
  return [...counts]
    .map(([type, documents]) => ({ type, documents }))
    .toSorted((left, right) => right.documents - left.documents || (left.type < right.type ? -1 : 1));
});
