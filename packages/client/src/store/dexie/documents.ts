/** The rows of documents: read, summed up and written once, inside a transaction that somebody else opened. */
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import type { DocumentView, RowProjection } from "../store-changes.ts";
import { changedRowState, newRowState } from "../rows/row-state.ts";
import type { CairnDatabase, DocumentRow, ViewRow } from "./tables.ts";
import { putWords, removeWords } from "./words.ts";

/** The tables that `touchDocuments` writes. */
export const documentTables = (database: CairnDatabase) => [database.documents, database.views, database.words];

/** What a transaction stores for a document. */
export interface DocumentChange {
  readonly workspace: WorkspaceId;
  readonly document: DocumentId;
  readonly type: string;
  readonly time: number;
  readonly id: number;
  /** Bytes that wait from now on, or undefined for an update of others. */
  readonly pendingBytes: number | undefined;
  /** The row that is stored with it shows it. */
  readonly shown: boolean;
  readonly view: DocumentView | undefined;
}

/** With `count` more waiting edits; the property goes with the last one, and the row leaves the index. */
export const withPending = (row: DocumentRow, count: number, bytes: number): DocumentRow => {
  const { pendingUpdates = 0, ...rest } = row;
  const updates = pendingUpdates + count;
  const changed = { ...rest, pendingBytes: row.pendingBytes + bytes };
  return updates > 0 ? { ...changed, pendingUpdates: updates } : changed;
};

const changed = (known: DocumentRow | undefined, change: DocumentChange): DocumentRow => {
  const { workspace, document, type, time, id, shown } = change;
  const before = known ?? {
    ...newRowState(type, time),
    workspace,
    document,
    merging: false,
    latest: 0,
    pendingBytes: 0,
  };
  const row: DocumentRow = {
    ...before,
    ...changedRowState(workspace, before, change),
    latest: id,
    ...(shown ? {} : { unprojected: id }),
  };
  return change.pendingBytes === undefined ? row : withPending(row, 1, change.pendingBytes);
};

interface Shown {
  readonly workspace: WorkspaceId;
  readonly document: DocumentId;
  readonly projection: RowProjection;
  /** Its row was never made before: it has no words to compare with. */
  readonly first: boolean;
}

/** What documents show, and the words that they are found by. */
const putRowProjections = async (database: CairnDatabase, shown: ReadonlyArray<Shown>): Promise<void> => {
  if (shown.length === 0) return;
  await database.views.bulkPut(
    shown.map(({ workspace, document, projection: { fields } }) => ({ workspace, document, fields })),
  );
  await putWords(
    database,
    shown.flatMap(({ projection: { searchText: text }, ...rest }) => (text === undefined ? [] : [{ ...rest, text }])),
  );
};

/** Documents' rows as their contents say, in place of those before; without a view what it shows stays. */
export const putViews = async (
  database: CairnDatabase,
  made: ReadonlyArray<readonly [DocumentRow, DocumentView | undefined]>,
): Promise<void> => {
  if (made.length === 0) return;
  await database.documents.bulkPut(
    made.map(([row, view]) =>
      view === undefined
        ? row
        : { ...row, ...changedRowState(row.workspace, row, { type: row.type, time: row.updatedAt, view }) },
    ),
  );
  await putRowProjections(
    database,
    made.flatMap(([{ workspace, document, projection: before }, view]) =>
      view?.projection === undefined
        ? []
        : [{ workspace, document, projection: view.projection, first: before === "" }],
    ),
  );
};

/** A document that has neither updates nor a snapshot any more: its row goes, with all that finds it. */
export const removeDocument = async (
  database: CairnDatabase,
  workspace: WorkspaceId,
  document: DocumentId,
): Promise<void> => {
  await database.documents.delete([workspace, document]);
  await database.views.delete([workspace, document]);
  await removeWords(database, workspace, document);
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
  const made: Array<ViewRow> = [];
  const projections: Array<Shown> = [];
  for (const [index, group] of [...byDocument.values()].entries()) {
    const before = known[index];
    let row = before;
    for (const change of group) row = changed(row, change);
    const [first] = group;
    if (row === undefined || first === undefined) continue;
    rows.push(row);
    const found = group.flatMap(({ view }) => view?.projection ?? []);
    const projection = found.at(-1);
    // Of several, the newest words are kept, even where the newest view has none.
    const words = found.findLast(({ searchText }) => searchText !== undefined)?.searchText;
    if (projection !== undefined) {
      projections.push({
        workspace: first.workspace,
        document: first.document,
        projection: { ...projection, searchText: words },
        first: before === undefined || before.projection === "",
      });
    } else if (before === undefined) made.push({ workspace: first.workspace, document: first.document, fields: {} });
  }
  await database.documents.bulkPut(rows);
  if (made.length > 0) await database.views.bulkPut(made);
  await putRowProjections(database, projections);
};
