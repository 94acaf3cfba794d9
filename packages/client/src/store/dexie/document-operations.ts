/** Documents: opening, projecting, folding. */
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import { Dexie } from "dexie";
import {
  Fenced,
  type LocalStoreShape,
  type NewerUpdates,
  type RowsOfType,
  type UnprojectedDocument,
} from "../LocalStore.ts";
import type { DocumentRecord } from "../records.ts";
import type { DexieConnection } from "./connection.ts";
import { type Reading, readCount, readCounts, readLater, readPage } from "../rows/read-rows.ts";
import { putView, toDocument } from "./documents.ts";
import { dexieRowIndex, staleDocuments } from "./row-index.ts";
import { type CairnDatabase, type DocumentRow, toUpdate, updatesOf, type UpdateRow } from "./tables.ts";

type DocumentOperations = Pick<
  LocalStoreShape,
  | "openDocument"
  | "document"
  | "updatesAfter"
  | "unprojected"
  | "putProjection"
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
): Promise<NewerUpdates> => {
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
const mayBeSentAgain = async (database: CairnDatabase, { workspace, state, counter }: UpdateRow): Promise<boolean> => {
  if (state === "received") return false;
  if (state === "pending" || counter === undefined) return true;
  return (await database.outgoing.where(":id").equals([workspace, counter]).count()) > 0;
};

export const documentOperations = (connection: DexieConnection): DocumentOperations => {
  const { documents, views, words, updates, snapshots, outgoing } = connection.database;
  const read = <A>(operation: string, { workspace }: RowsOfType, reading: () => Reading<A>) =>
    connection.read(operation, [documents, views, words], (database) =>
      readLater(reading(), dexieRowIndex(database, workspace)),
    );

  return {
    openDocument: (workspace, document) =>
      connection.read("openDocument", [documents, views, updates, snapshots], async (database) => {
        const record = await find(database, workspace, document);
        return record === undefined ? undefined : { record, ...(await newer(database, workspace, document, 0)) };
      }),

    document: (workspace, document) =>
      connection.read("document", [documents, views], (database) => find(database, workspace, document)),

    updatesAfter: (workspace, document, afterId) =>
      connection.read("updatesAfter", [updates, snapshots], (database) =>
        newer(database, workspace, document, afterId),
      ),

    unprojected: (workspace, types, only) =>
      connection.read("unprojected", [documents], async (database) => {
        if (only !== undefined) {
          const row = await documents.get([workspace, only]);
          const fingerprint = row === undefined ? undefined : types.get(row.type);
          if (row === undefined || fingerprint === undefined) return [];
          const isBehind = row.unprojected !== undefined || row.projection !== fingerprint;
          return isBehind ? [{ document: only, type: row.type, through: row.latest }] : [];
        }
        const made: Array<UnprojectedDocument> = [];
        const found: Array<UnprojectedDocument> = [];
        for (const [type, fingerprint] of types) {
          const behind = await documents
            .where("[workspace+type+unprojected]")
            .between([workspace, type, Dexie.minKey], [workspace, type, Dexie.maxKey])
            .toArray();
          const known = new Set(behind.map(({ document }) => document));
          const stale = (await staleDocuments(database, workspace, type, fingerprint)).filter((id) => !known.has(id));
          const others = await documents.bulkGet(stale.map((id): [WorkspaceId, DocumentId] => [workspace, id]));
          for (const row of behind) found.push({ document: row.document, type, through: row.latest });
          for (const row of others) {
            if (row !== undefined) made.push({ document: row.document, type, through: row.latest });
          }
        }
        return [...found, ...made];
      }),

    putProjection: (workspace, document, through, view) =>
      connection.write("putProjection", [documents, views, words], async (database) => {
        const row = await database.documents.get([workspace, document]);
        if (row === undefined) return;
        if (view === undefined) {
          await database.documents.put({ ...row, merging: true });
          return;
        }
        const { unprojected: _, ...projected } = row;
        const behind = row.latest > through || view.projection === undefined ? { unprojected: row.latest } : {};
        await putView(database, { ...projected, ...behind, merging: false }, view);
      }),

    fold: (snapshot, replaced) =>
      connection.guarded("fold", [documents, updates, snapshots, outgoing], async (database) => {
        const { workspace, document, through } = snapshot;
        const row = await database.documents.get([workspace, document]);
        const stored = await database.snapshots.get([workspace, document]);
        if (row === undefined || (stored !== undefined && stored.through > through)) {
          throw new Fenced({ operation: "fold" });
        }
        await database.snapshots.put({ workspace, document, through, snapshot: snapshot.snapshot });
        // A snapshot cannot hold what came after it.
        for (const update of await database.updates.bulkGet(replaced.filter((id) => id <= through))) {
          if (update === undefined || update.workspace !== workspace || update.document !== document) continue;
          if (!(await mayBeSentAgain(database, update))) await database.updates.delete(update.id);
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
