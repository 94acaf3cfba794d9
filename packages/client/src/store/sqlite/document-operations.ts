/** Documents: opening, projecting, folding. */
import { Fenced, type LocalStoreShape } from "../LocalStore.ts";
import type { OpenedDocument } from "../store-changes.ts";
import type { DocumentRecord } from "../records.ts";
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import { rebuildsOf } from "../rebuilds.ts";
import { readCount, readCounts, readNow, readPage } from "../rows/read-rows.ts";
import type { SqliteDatabase } from "./database.ts";
import type { DocumentRows } from "./documents.ts";
import { DOCUMENT_COLUMNS, type IndexRows } from "./row-index.ts";
import { bytes, documentId, number, rebuilds, type Row, text, toDocument, toUpdate } from "./rows.ts";
import { UpdateState } from "./tables.ts";

/** No database has so many rows. */
const ALL = 2 ** 52;

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

export const documentOperations = (
  database: SqliteDatabase,
  documents: DocumentRows,
  index: IndexRows,
): DocumentOperations => {
  const find = database.prepare(`
    SELECT ${DOCUMENT_COLUMNS} FROM documents JOIN views ON views.document = documents.key
    WHERE documents.workspace = ? AND documents.document = ?`);
  const page = database.prepare(`
    SELECT ${DOCUMENT_COLUMNS} FROM documents JOIN views ON views.document = documents.key
    WHERE documents.workspace = ? AND documents.document > ? ORDER BY documents.document LIMIT ?`);
  const snapshot = database.prepare("SELECT snapshot FROM snapshots WHERE document = ?");
  const snapshotThrough = database.prepare("SELECT through FROM snapshots WHERE document = ?");
  const updatesAfter = database.prepare("SELECT * FROM updates WHERE document = ? AND id > ? ORDER BY id");
  const unprojected = database.prepare(
    "SELECT document, latest FROM documents WHERE workspace = ? AND type = ? AND unprojected IS NOT NULL ORDER BY key DESC LIMIT ?",
  );
  const countUnprojected = database.prepare(
    "SELECT count(*) AS count FROM documents WHERE workspace = ? AND type = ? AND unprojected IS NOT NULL",
  );
  const state = database.prepare(
    "SELECT type, latest, unprojected, projection FROM documents WHERE workspace = ? AND document = ?",
  );
  const projected = database.prepare(`
    UPDATE documents SET merging = 0, unprojected = CASE WHEN ?1 OR latest > ?2 THEN latest ELSE NULL END
    WHERE key = ?3`);
  const isMerging = database.prepare("SELECT 1 FROM documents WHERE key = ? AND merging = 1");
  const merging = database.prepare("UPDATE documents SET merging = 1 WHERE key = ?");
  const putSnapshot = database.prepare(`
    INSERT INTO snapshots (document, through, snapshot) VALUES (?, ?, ?)
    ON CONFLICT (document) DO UPDATE SET through = excluded.through, snapshot = excluded.snapshot`);
  const madeAnew = database.prepare("SELECT rebuilds FROM workspaces WHERE workspace = ?");
  // Promise 7: what may have to be sent again keeps its row.
  const hasUpdate = database.prepare("SELECT 1 FROM updates WHERE id = ? AND document = ?");
  const removeFolded = database.prepare(`
    DELETE FROM updates WHERE id = ?1 AND document = ?2 AND (state = ${UpdateState.received} OR
      (state = ${UpdateState.frozen}
       AND NOT EXISTS (SELECT 1 FROM outgoing WHERE workspace = ?3
         AND outgoing.counter = updates.counter AND outgoing.device = updates.device)))`);

  const newer = (key: number, record: Pick<DocumentRecord, "workspace" | "document">, afterId: number) => {
    const found = snapshotThrough.get(key);
    const updates = updatesAfter.all(key, afterId).map(toUpdate(record.workspace, record.document));
    const snapshotEnd = found === undefined ? 0 : number(found["through"]);
    // It is as large as the document: who has its content already does not make the store read it.
    const base = snapshotEnd <= afterId ? undefined : snapshot.get(key);
    return {
      snapshot: base === undefined ? undefined : bytes(base["snapshot"]),
      updates,
      through: Math.max(afterId, snapshotEnd, updates.at(-1)?.id ?? 0),
    };
  };

  const open = (workspace: WorkspaceId, document: DocumentId): OpenedDocument | undefined => {
    const row: Row | undefined = find.get(workspace, document);
    if (row === undefined) return undefined;
    const record = toDocument(row);
    const times = madeAnew.get(workspace)?.["rebuilds"] ?? null;
    const at = times === null ? undefined : { rebuilds: rebuilds(times) };
    return { record, ...newer(number(row["key"]), record, 0), rebuilds: rebuildsOf(at, document) };
  };

  return {
    openDocument: (workspace, document) => database.read("openDocument", () => open(workspace, document)),

    openDocuments: (workspace, ids) =>
      database.read("openDocuments", () => ids.flatMap((document) => open(workspace, document) ?? [])),

    document: (workspace, document) =>
      database.read("document", () => {
        const row = find.get(workspace, document);
        return row === undefined ? undefined : toDocument(row);
      }),

    updatesAfter: (workspace, document, afterId) =>
      database.read("updatesAfter", () => {
        const key = documents.keyOf(workspace, document);
        return key === undefined
          ? { snapshot: undefined, updates: [], through: afterId, merging: false }
          : { ...newer(key, { workspace, document }, afterId), merging: isMerging.get(key) !== undefined };
      }),

    unprojected: (workspace, types, { only, limit = Infinity } = {}) =>
      database.read("unprojected", () => {
        if (only === undefined) {
          return [...types.keys()].flatMap((type) =>
            unprojected.all(workspace, type, Math.min(limit, ALL)).map((row) => ({
              document: documentId(row["document"]),
              type,
              through: number(row["latest"]),
            })),
          );
        }
        return only.flatMap((document) => {
          const row = state.get(workspace, document);
          if (row === undefined) return [];
          const type = text(row["type"]);
          const isBehind = row["unprojected"] !== null || row["projection"] !== types.get(type);
          return types.has(type) && isBehind ? [{ document, type, through: number(row["latest"]) }] : [];
        });
      }),

    countUnprojected: (workspace, types) =>
      database.read("countUnprojected", () =>
        [...types.keys()].reduce((sum, type) => sum + number(countUnprojected.get(workspace, type)?.["count"]), 0),
      ),

    outdated: (workspace, types) =>
      database.read("outdated", () =>
        [...types].flatMap(([type, fingerprint]) => index.outdated(workspace, type, fingerprint)),
      ),

    putProjections: (workspace, projections) =>
      database.write("putProjections", () => {
        for (const { document, through, view } of projections) {
          const key = documents.keyOf(workspace, document);
          if (key === undefined) continue;
          if (view === undefined) {
            merging.run(key);
          } else {
            documents.putView(key, view);
            projected.run(view.projection === undefined ? 1 : 0, through, key);
          }
        }
      }),

    fold: ({ workspace, document, through, snapshot: state }, replaced) =>
      database.guarded("fold", () => {
        const key = documents.keyOf(workspace, document);
        if (key === undefined) throw new Fenced({ operation: "fold" });
        const stored = snapshotThrough.get(key);
        if (stored !== undefined && number(stored["through"]) > through) throw new Fenced({ operation: "fold" });
        // A snapshot cannot hold what came after it.
        const within = replaced.filter((id) => id <= through);
        const isHere = within.length === 0 ? stored !== undefined : within.every((id) => hasUpdate.get(id, key));
        if (!isHere) throw new Fenced({ operation: "fold" });
        putSnapshot.run(key, through, state);
        for (const id of within) removeFolded.run(id, key, workspace);
      }),

    documentPage: (workspace, after, limit) =>
      database.read("documentPage", () => page.all(workspace, after ?? "", limit).map(toDocument)),

    query: (rows, query) => database.read("query", () => readNow(readPage(rows, query), index.of(rows.workspace))),
    count: (rows, query) => database.read("count", () => readNow(readCount(rows, query), index.of(rows.workspace))),
    countBy: (rows, path, query) =>
      database.read("countBy", () => readNow(readCounts(rows, path, query), index.of(rows.workspace))),
  };
};
