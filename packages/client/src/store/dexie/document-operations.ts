/** Documents: opening, projecting, folding. */
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import { Dexie } from "dexie";
import { Fenced, type LocalStoreShape, type NewerUpdates } from "../LocalStore.ts";
import type { DocumentRecord } from "../records.ts";
import type { DexieConnection } from "./connection.ts";
import { toDocument } from "./documents.ts";
import { type CairnDatabase, type DocumentRow, ofWorkspace, toUpdate, updatesOf, type UpdateRow } from "./tables.ts";

type DocumentOperations = Pick<
  LocalStoreShape,
  | "openDocument"
  | "document"
  | "updatesAfter"
  | "unprojected"
  | "putProjection"
  | "fold"
  | "documentPage"
  | "documentsOfType"
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
  const { documents, views, updates, snapshots, outgoing } = connection.database;

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

    unprojected: (workspace) =>
      connection.read("unprojected", [documents], async () =>
        (await ofWorkspace(documents, workspace, "[workspace+unprojected]").toArray()).map(
          ({ document, unprojected = 0 }) => ({ document, through: unprojected }),
        ),
      ),

    putProjection: (workspace, document, through, view) =>
      connection.write("putProjection", [documents, views], async (database) => {
        const row = await database.documents.get([workspace, document]);
        if (row === undefined) return;
        if (view === undefined) {
          await database.documents.put({ ...row, merging: true });
          return;
        }
        const { unprojected: _, ...projected } = row;
        const behind = row.latest > through ? { unprojected: row.latest } : {};
        await database.documents.put({ ...projected, ...behind, merging: false });
        await database.views.put({ workspace, document, ...view });
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

    documentsOfType: (workspace, type) =>
      connection.read("documentsOfType", [documents, views], async (database) =>
        withViews(database, await documents.where("[workspace+type]").equals([workspace, type]).toArray()),
      ),
  };
};
