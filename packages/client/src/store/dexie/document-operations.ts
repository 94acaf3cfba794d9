/** Documents: opening, projecting, folding. */
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import { Dexie } from "dexie";
import { isUnacknowledged } from "../is-unacknowledged.ts";
import type { DocumentView, NewerUpdates, RowsOfType } from "../store-changes.ts";
import type { LocalStoreShape } from "../LocalStore.ts";
import type { DocumentRecord } from "../records.ts";
import { rebuildsOf } from "../rebuilds.ts";
import type { DexieConnection } from "./connection.ts";
import { type Reading, readCount, readCounts, readLater, readPage } from "../rows/read-rows.ts";
import { putViews } from "./documents.ts";
import { requireThat } from "./guard.ts";
import { toDocument } from "./stored-document.ts";
import { dexieRowIndex, outdatedDocuments, unprojectedOfType, unprojectedRows } from "./row-index.ts";
import { type CairnDatabase, type DocumentRow, toUpdate, updatesOf, type UpdateRow } from "./tables.ts";

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

const newer = async (
  database: CairnDatabase,
  workspace: WorkspaceId,
  document: DocumentId,
  afterId: number,
): Promise<Omit<NewerUpdates, "merging">> => {
  const base = await database.snapshots.get([workspace, document]);
  const updates = (await updatesOf(database, workspace, document, afterId).toArray()).map(toUpdate);
  const snapshotEnd = base?.through ?? 0;
  return {
    snapshot: snapshotEnd > afterId ? base?.snapshot : undefined,
    updates,
    through: Math.max(afterId, snapshotEnd, updates.at(-1)?.id ?? 0),
  };
};

const find = async (
  database: CairnDatabase,
  workspace: WorkspaceId,
  document: DocumentId,
): Promise<DocumentRecord | undefined> => {
  const row = await database.documents.get([workspace, document]);
  const view = await database.views.get([workspace, document]);
  return row === undefined || view === undefined ? undefined : toDocument(row, view);
};

const present = <Row>(rows: ReadonlyArray<Row | undefined>): ReadonlyArray<Row> =>
  rows.flatMap((row) => (row === undefined ? [] : [row]));

const withViews = async (
  database: CairnDatabase,
  rows: ReadonlyArray<DocumentRow>,
): Promise<ReadonlyArray<DocumentRecord>> => {
  const found = await database.views.bulkGet(rows.map(({ workspace, document }) => [workspace, document]));
  return rows.flatMap((row, index) => {
    const view = found[index];
    return view === undefined ? [] : [toDocument(row, view)];
  });
};

/** Promise 7: what may have to be sent again keeps its row. */
const mayBeSentAgain = async (database: CairnDatabase, row: UpdateRow): Promise<boolean> => {
  const { workspace, state, counter } = row;
  const mayWait = state === "frozen" && counter !== undefined;
  const sent = mayWait ? await database.outgoing.get([workspace, counter]) : undefined;
  return isUnacknowledged(row, { get: () => sent });
};

export const documentOperations = (connection: DexieConnection): DocumentOperations => {
  const { workspaces, documents, views, words, updates, snapshots, outgoing } = connection.database;
  const read = <A>(operation: string, { workspace }: RowsOfType, reading: () => Reading<A>) =>
    connection.read(operation, [documents, views, words], (database) =>
      readLater(reading(), dexieRowIndex(database, workspace)),
    );

  return {
    openDocument: (workspace, document) =>
      connection.read("openDocument", [workspaces, documents, views, updates, snapshots], async (database) => {
        const [record, at] = await Promise.all([
          find(database, workspace, document),
          database.workspaces.get(workspace),
        ]);
        if (record === undefined) return undefined;
        const content = await newer(database, workspace, document, 0);
        return { record, ...content, rebuilds: rebuildsOf(at, document) };
      }),

    openDocuments: (workspace, ids) =>
      connection.read("openDocuments", [workspaces, documents, views, updates, snapshots], async (database) => {
        const at = await database.workspaces.get(workspace);
        const keys = ids.map((id): [WorkspaceId, DocumentId] => [workspace, id]);
        const records = await withViews(database, present(await documents.bulkGet(keys)));
        // Asked all at once: one after the other each would wait for the one before.
        const contents = await Promise.all(records.map(({ document }) => newer(database, workspace, document, 0)));
        return records.flatMap((record, index) => {
          const content = contents[index];
          return content === undefined ? [] : [{ record, ...content, rebuilds: rebuildsOf(at, record.document) }];
        });
      }),

    document: (workspace, document) =>
      connection.read("document", [documents, views], (database) => find(database, workspace, document)),

    updatesAfter: (workspace, document, afterId) =>
      connection.read("updatesAfter", [documents, updates, snapshots], async (database) => {
        const found = await newer(database, workspace, document, afterId);
        return { ...found, merging: (await documents.get([workspace, document]))?.merging ?? false };
      }),

    unprojected: (workspace, types, { only, limit = Infinity } = {}) =>
      connection.read("unprojected", [documents], async (database) => {
        const found: Array<DocumentRow> = [];
        if (only === undefined) {
          for (const type of types.keys()) found.push(...(await unprojectedRows(database, workspace, type, limit)));
        } else {
          const rows = await documents.bulkGet(only.map((id): [WorkspaceId, DocumentId] => [workspace, id]));
          const isToBeMade = ({ projection, type, unprojected }: DocumentRow): boolean =>
            types.has(type) && (unprojected !== undefined || projection !== types.get(type));
          found.push(...present(rows).filter(isToBeMade));
        }
        return found.map(({ document, latest: through, type }) => ({ document, type, through }));
      }),

    countUnprojected: (workspace, types) =>
      connection.read("countUnprojected", [documents], async (database) => {
        let count = 0;
        for (const type of types.keys()) count += await unprojectedOfType(database, workspace, type).count();
        return count;
      }),

    outdated: (workspace, types) =>
      connection.read("outdated", [documents], async (database) => {
        const found: Array<DocumentId> = [];
        for (const [type, fingerprint] of types) {
          found.push(...(await outdatedDocuments(database, workspace, type, fingerprint)));
        }
        return found;
      }),

    putProjections: (workspace, projections) =>
      connection.write("putProjections", [documents, views, words], async (database) => {
        const rows = await documents.bulkGet(
          projections.map(({ document }): [WorkspaceId, DocumentId] => [workspace, document]),
        );
        const made: Array<readonly [DocumentRow, DocumentView | undefined]> = [];
        for (const [index, { through, view }] of projections.entries()) {
          const row = rows[index];
          if (row === undefined) continue;
          const { unprojected: _, ...projected } = row;
          const behind = row.latest > through || view?.projection === undefined ? { unprojected: row.latest } : {};
          if (view === undefined) made.push([{ ...row, merging: true }, undefined]);
          else made.push([{ ...projected, ...behind, merging: false }, view]);
        }
        await putViews(database, made);
      }),

    fold: (snapshot, replaced) =>
      connection.guarded("fold", [documents, updates, snapshots, outgoing], async (database) => {
        const { workspace, document, through } = snapshot;
        const row = await database.documents.get([workspace, document]);
        const stored = await database.snapshots.get([workspace, document]);
        requireThat("fold", row !== undefined && (stored === undefined || stored.through <= through));
        // A snapshot cannot hold what came after it.
        const within = replaced.filter((id) => id <= through);
        const found = (await database.updates.bulkGet(within)).filter(
          (update) => update?.workspace === workspace && update.document === document,
        );
        requireThat("fold", within.length === 0 ? stored !== undefined : found.length === within.length);
        await database.snapshots.put({ workspace, document, through, snapshot: snapshot.snapshot });
        for (const update of found) {
          if (update !== undefined && !(await mayBeSentAgain(database, update)))
            await database.updates.delete(update.id);
        }
      }),

    documentPage: (workspace, after, limit) =>
      connection.read("documentPage", [documents, views], async (database) => {
        const rows = documents
          .where("[workspace+document]")
          .between([workspace, after ?? Dexie.minKey], [workspace, Dexie.maxKey], after === undefined, false);
        return withViews(database, await rows.limit(limit).toArray());
      }),

    query: (rows, query) => read("query", rows, () => readPage(rows, query)),
    count: (rows, query) => read("count", rows, () => readCount(rows, query)),
    countBy: (rows, path, query) => read("countBy", rows, () => readCounts(rows, path, query)),
  };
};
