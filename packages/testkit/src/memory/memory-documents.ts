/** Documents in memory: touched by edits, opened, projected, folded. */
import {
  type DocumentRecord,
  type DocumentView,
  Fenced,
  isUnacknowledged,
  type LocalStoreShape,
  type NewerUpdates,
  rebuildsOf,
  type RowsOfType,
  type UpdateRecord,
} from "@cairn/client/effect";
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import { type CheckedQuery, countValues, holdsTerms, isWanted, runQuery, wordsOf } from "@cairn/schema";
import type { MemoryStorage, StoredDocument, StoredWorkspace } from "./memory-storage.ts";
import { atomically, type Run } from "./memory-transaction.ts";

/** What readers get is theirs. */
export const copyOfUpdate = (record: UpdateRecord): UpdateRecord => ({ ...record, update: record.update.slice() });

/** A view as JSON keeps it. Throws `TypeError` where it holds what JSON cannot. */
export const plainView = (view: DocumentView): DocumentView => ({
  deleted: view.deleted,
  createdAt: view.createdAt,
  projection:
    view.projection === undefined
      ? undefined
      : // oxlint-disable-next-line typescript/no-unsafe-assignment -- JSON of a record is a record.
        { ...view.projection, fields: JSON.parse(JSON.stringify(view.projection.fields)) },
});

/** Puts a view in the place of what the row shows; what the view does not know stays. */
export const show = (found: StoredDocument, { deleted, createdAt, projection }: DocumentView): void => {
  found.record = { ...found.record, deleted, createdAt };
  if (projection === undefined) return;
  found.record = { ...found.record, fields: projection.fields, projection: projection.fingerprint };
  if (projection.searchText !== undefined) found.words = wordsOf(projection.searchText);
};

/** Takes note of a new update, and makes the document's row where there is none. */
export const touch = (
  stored: StoredWorkspace,
  update: UpdateRecord,
  shown: boolean,
  view: DocumentView | undefined,
): void => {
  let found = stored.documents.get(update.document);
  if (found === undefined) {
    found = {
      record: {
        workspace: update.workspace,
        document: update.document,
        type: update.type,
        fields: {},
        projection: "",
        deleted: false,
        createdAt: update.time,
        updatedAt: update.time,
        merging: false,
      },
      latest: 0,
      unprojected: undefined,
      snapshot: undefined,
      updates: new Map(),
      pending: [],
      words: new Set(),
    };
    stored.documents.set(update.document, found);
  }
  const { type, updatedAt } = found.record;
  found.record = {
    ...found.record,
    type: type === "" ? update.type : type,
    updatedAt: Math.max(updatedAt, update.time),
  };
  found.latest = update.id;
  if (view !== undefined) show(found, view);
  if (!shown) found.unprojected = update.id;
  found.updates.set(update.id, update);
  if (update.state === "pending") found.pending = [...found.pending, update.id];
};

const newer = (found: StoredDocument, afterId: number): Omit<NewerUpdates, "merging"> => {
  const { snapshot } = found;
  const updates = [...found.updates.values()].filter(({ id }) => id > afterId).map(copyOfUpdate);
  return {
    snapshot: snapshot === undefined || snapshot.through <= afterId ? undefined : snapshot.snapshot.slice(),
    updates,
    through: Math.max(afterId, snapshot?.through ?? 0, updates.at(-1)?.id ?? 0),
  };
};

/** A snapshot cannot hold what came after it, and what may have to be sent again keeps its row (Promise 7). */
const givesWay = (stored: StoredWorkspace, update: UpdateRecord): boolean => !isUnacknowledged(update, stored.outgoing);

type DocumentOperations = Pick<
  LocalStoreShape,
  | "openDocument"
  | "openDocuments"
  | "document"
  | "updatesAfter"
  | "unprojected"
  | "countUnprojected"
  | "outdated"
  | "putProjections"
  | "fold"
  | "documentPage"
  | "query"
  | "count"
  | "countBy"
>;

export const documentOperations = (storage: MemoryStorage, run: Run): DocumentOperations => {
  const find = (workspace: WorkspaceId, document: DocumentId): StoredDocument | undefined =>
    storage.workspaces.get(workspace)?.documents.get(document);
  const opened = (workspace: WorkspaceId, { record, ...found }: StoredDocument) => ({
    record,
    ...newer({ record, ...found }, 0),
    rebuilds: rebuildsOf(storage.workspaces.get(workspace)?.record, record.document),
  });
  const ofTypes = (workspace: WorkspaceId, types: ReadonlyMap<string, string>): ReadonlyArray<StoredDocument> =>
    [...(storage.workspaces.get(workspace)?.documents.values() ?? [])].filter(({ record }) => types.has(record.type));
  const behind = (workspace: WorkspaceId, types: ReadonlyMap<string, string>): ReadonlyArray<StoredDocument> =>
    ofTypes(workspace, types).filter(({ unprojected }) => unprojected !== undefined);
  const rowsOf = ({ workspace, type }: RowsOfType) =>
    [...(storage.workspaces.get(workspace)?.documents.values() ?? [])].flatMap(({ record, words }) =>
      record.type === type ? [{ ...record, id: record.document, record, words }] : [],
    );
  const wantedRows = (rows: RowsOfType, query: CheckedQuery) =>
    rowsOf(rows).filter((row) => isWanted(query, row) && holdsTerms(row.words, query.terms));
  const records = (workspace: WorkspaceId): ReadonlyArray<DocumentRecord> =>
    [...(storage.workspaces.get(workspace)?.documents.values() ?? [])].map(({ record }) => record);

  return {
    openDocument: (workspace, document) =>
      run("openDocument", () => {
        const found = find(workspace, document);
        return found === undefined ? undefined : opened(workspace, found);
      }),

    openDocuments: (workspace, documents) =>
      run("openDocuments", () =>
        documents.flatMap((document) => {
          const found = find(workspace, document);
          return found === undefined ? [] : [opened(workspace, found)];
        }),
      ),

    document: (workspace, document) => run("document", () => find(workspace, document)?.record),

    updatesAfter: (workspace, document, afterId) =>
      run("updatesAfter", () => {
        const found = find(workspace, document);
        return found === undefined
          ? { snapshot: undefined, updates: [], through: afterId, merging: false }
          : { ...newer(found, afterId), merging: found.record.merging };
      }),

    unprojected: (workspace, types, { only, limit = Infinity } = {}) =>
      run("unprojected", () => {
        const found =
          only === undefined
            ? behind(workspace, types)
                .toSorted((left, right) => (right.unprojected ?? 0) - (left.unprojected ?? 0))
                .slice(0, limit)
            : ofTypes(workspace, types).filter(
                ({ record, unprojected }) =>
                  only.includes(record.document) &&
                  (unprojected !== undefined || record.projection !== types.get(record.type)),
              );
        return found.map(({ record: { document, type }, latest: through }) => ({ document, type, through }));
      }),

    countUnprojected: (workspace, types) => run("countUnprojected", () => behind(workspace, types).length),

    outdated: (workspace, types) =>
      run("outdated", () =>
        ofTypes(workspace, types)
          .filter(
            ({ record, unprojected }) => unprojected === undefined && record.projection !== types.get(record.type),
          )
          .map(({ record }) => record)
          .toSorted((left, right) => Number(left.deleted) - Number(right.deleted) || right.updatedAt - left.updatedAt)
          .map(({ document }) => document),
      ),

    putProjections: (workspace, projections) =>
      run("putProjections", () => {
        for (const { document, through, view } of projections) {
          const found = find(workspace, document);
          if (found === undefined) continue;
          if (view === undefined) {
            found.record = { ...found.record, merging: true };
          } else {
            show(found, plainView(view));
            found.record = { ...found.record, merging: false };
            const behind = found.latest > through || view.projection === undefined;
            found.unprojected = behind ? found.latest : undefined;
          }
        }
      }),

    fold: (snapshot, replaced) =>
      atomically(run, "fold", () => {
        const stored = storage.workspaces.get(snapshot.workspace);
        const found = stored?.documents.get(snapshot.document);
        if (stored === undefined || found === undefined) throw new Fenced({ operation: "fold" });
        if (found.snapshot !== undefined && found.snapshot.through > snapshot.through) {
          throw new Fenced({ operation: "fold" });
        }
        const within = replaced.filter((id) => id <= snapshot.through);
        const isHere = within.length === 0 ? found.snapshot !== undefined : within.every((id) => found.updates.has(id));
        if (!isHere) throw new Fenced({ operation: "fold" });
        found.snapshot = { ...snapshot, snapshot: snapshot.snapshot.slice() };
        for (const id of within) {
          const update = found.updates.get(id);
          if (update !== undefined && givesWay(stored, update)) found.updates.delete(id);
        }
      }),

    documentPage: (workspace, after, limit) =>
      run("documentPage", () =>
        records(workspace)
          .filter(({ document }) => after === undefined || document > after)
          .toSorted((left, right) => (left.document < right.document ? -1 : 1))
          .slice(0, limit),
      ),

    query: (rows, query) =>
      run("query", () => {
        const page = runQuery(query, rowsOf(rows), ({ words }) => words);
        return { rows: page.rows.map(({ record }) => record), next: page.next };
      }),
    count: (rows, query) => run("count", () => wantedRows(rows, query).length),
    countBy: (rows, path, query) => run("countBy", () => countValues(wantedRows(rows, query), path)),
  };
};
