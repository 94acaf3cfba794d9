/** The rows of documents: read, summed up and written once, inside a transaction that somebody else opened. */
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import type { DocumentView } from "../LocalStore.ts";
import type { DocumentRecord } from "../records.ts";
import type { CairnDatabase, DocumentRow, ViewRow } from "./tables.ts";

/** The tables that `touchDocuments` writes. */
export const documentTables = (database: CairnDatabase) => [database.documents, database.views];

/** What a transaction stores for a document. */
export interface DocumentChange {
  readonly workspace: WorkspaceId;
  readonly document: DocumentId;
  readonly type: string;
  readonly time: number;
  readonly id: number;
  /** Bytes that wait from now on, or undefined for an update of others. */
  readonly pendingBytes: number | undefined;
  readonly view: DocumentView | "later" | undefined;
}

/** With `count` more waiting edits; the property goes with the last one, and the row leaves the index. */
export const withPending = (row: DocumentRow, count: number, bytes: number): DocumentRow => {
  const { pendingUpdates = 0, ...rest } = row;
  const updates = pendingUpdates + count;
  const changed = { ...rest, pendingBytes: row.pendingBytes + bytes };
  return updates > 0 ? { ...changed, pendingUpdates: updates } : changed;
};

const changed = (known: DocumentRow | undefined, change: DocumentChange): DocumentRow => {
  const { workspace, document, type, time, id } = change;
  const before = known ?? { workspace, document, type, updatedAt: time, merging: false, latest: 0, pendingBytes: 0 };
  const row: DocumentRow = {
    ...before,
    type: before.type === "" ? type : before.type,
    updatedAt: Math.max(before.updatedAt, time),
    latest: id,
  };
  const shown = change.pendingBytes === undefined || change.view === "later" ? { ...row, unprojected: id } : row;
  return change.pendingBytes === undefined ? shown : withPending(shown, 1, change.pendingBytes);
};

/** Applies changes, in order; each document's rows are written once. */
export const touchDocuments = async (
  database: CairnDatabase,
  changes: ReadonlyArray<DocumentChange>,
): Promise<void> => {
  const byDocument = Map.groupBy(changes, ({ workspace, document }) => `${workspace}${document}`);
  const keys = [...byDocument.values()].flatMap(([first]): ReadonlyArray<[WorkspaceId, DocumentId]> =>
    first === undefined ? [] : [[first.workspace, first.document]],
  );
  const known = await database.documents.bulkGet(keys);
  const rows: Array<DocumentRow> = [];
  const views: Array<ViewRow> = [];
  for (const [index, group] of [...byDocument.values()].entries()) {
    const before = known[index];
    let row = before;
    for (const change of group) row = changed(row, change);
    const [first] = group;
    if (row === undefined || first === undefined) continue;
    rows.push(row);
    const { workspace, document, time } = first;
    const view =
      group.map((change) => change.view).findLast((found) => found !== undefined && found !== "later") ??
      (before === undefined ? { fields: {}, searchText: "", deleted: false, createdAt: time } : undefined);
    if (view !== undefined) views.push({ workspace, document, ...view });
  }
  await database.documents.bulkPut(rows);
  if (views.length > 0) await database.views.bulkPut(views);
};

/** A document as the port shows it. */
export const toDocument = (row: DocumentRow, view: ViewRow): DocumentRecord => ({
  workspace: row.workspace,
  document: row.document,
  type: row.type,
  fields: view.fields,
  searchText: view.searchText,
  deleted: view.deleted,
  createdAt: view.createdAt,
  updatedAt: row.updatedAt,
  merging: row.merging,
});
