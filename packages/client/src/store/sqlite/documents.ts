/** The rows of documents: found, made and touched inside a transaction that somebody else opened. */
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import type { DocumentView } from "../store-changes.ts";
import { changedRowState, type RowState } from "../rows/row-state.ts";
import type { SqliteDatabase } from "./database.ts";
import type { IndexRows } from "./row-index.ts";
import { documentId, number, type Row, text, texts, workspaceId } from "./rows.ts";

/** A document's row before a transaction. */
interface StoredState extends RowState {
  readonly key: number;
  readonly document: DocumentId;
  readonly workspace: WorkspaceId;
}

/** What a transaction stores for one document, summed up, so that its row is written once. */
export interface DocumentTouch {
  readonly key: number;
  readonly before: StoredState;
  /** Names the document's type where it has none yet. */
  type: string;
  updatedAt: number;
  latest: number;
  /** Id of the newest update that no row shows, or null where rows came with all of them. */
  unshown: number | null;
  pendingUpdates: number;
  pendingBytes: number;
  /** The newest view, with the newest projection of the transaction. */
  view: DocumentView | undefined;
}

export type DocumentRows = ReturnType<typeof documentRows>;

export const documentRows = (database: SqliteDatabase, index: IndexRows) => {
  const find = database.prepare("SELECT key FROM documents WHERE workspace = ? AND document = ?");
  const stateColumns = "key, workspace, document, type, updated_at, deleted, created_at, projection, entries";
  const findState = database.prepare(`SELECT ${stateColumns} FROM documents WHERE workspace = ? AND document = ?`);
  const stateOf = database.prepare(`SELECT ${stateColumns} FROM documents WHERE key = ?`);
  const insert = database.prepare(`
    INSERT INTO documents (workspace, document, type, updated_at, created_at) VALUES (?1, ?2, ?3, ?4, ?4)
    RETURNING ${stateColumns}`);
  const insertView = database.prepare("INSERT INTO views (document, fields) VALUES (?, '{}')");
  const updateView = database.prepare("UPDATE views SET fields = ?, search_text = NULL WHERE document = ?");
  const setState = database.prepare(`
    UPDATE documents SET type = ?, updated_at = ?, deleted = ?, created_at = ?, projection = ?, entries = ?
    WHERE key = ?`);
  const touch = database.prepare(`
    UPDATE documents SET latest = max(latest, ?), unprojected = coalesce(?, unprojected),
      pending_updates = pending_updates + ?, pending_bytes = pending_bytes + ?
    WHERE key = ?`);
  const unshow = database.prepare("UPDATE documents SET unprojected = latest WHERE key = ?");
  const remove = [
    "DELETE FROM words WHERE document = ?",
    "DELETE FROM entries WHERE key = ?",
    "DELETE FROM views WHERE document = ?",
    "DELETE FROM documents WHERE key = ?",
  ].map((sql) => database.prepare(sql));
  const lastUpdate = database.prepare("SELECT last_update FROM profile");
  const setLastUpdate = database.prepare("UPDATE profile SET last_update = ?");

  const keyOf = (workspace: WorkspaceId, document: DocumentId): number | undefined => {
    const row = find.get(workspace, document);
    return row === undefined ? undefined : number(row["key"]);
  };

  /** A document's row as it is after a change, with its index and, where it was made anew, what it shows. */
  const putState = (before: StoredState, now: RowState, view: DocumentView | undefined): void => {
    const { key } = before;
    const { type, updatedAt, deleted, createdAt, projection, entries } = now;
    setState.run(type, updatedAt, deleted ? 1 : 0, createdAt, projection, JSON.stringify(entries), key);
    index.putEntries(before, before.entries, entries);
    if (view?.projection === undefined) return;
    updateView.run(JSON.stringify(view.projection.fields), key);
    if (view.projection.searchText !== undefined) index.putWords(key, view.projection.searchText);
  };

  /** The document's row as its content says, in place of the one before. */
  const putView = (key: number, view: DocumentView): void => {
    const before = toState(stateOf.get(key));
    if (view.projection === undefined) unshow.run(key);
    putState(
      before,
      changedRowState(before.workspace, before, { type: before.type, time: before.updatedAt, view }),
      view,
    );
  };

  /** A document's row after an edit that was stored as its newest update. */
  const noteEdit = (key: number, edit: Parameters<typeof changedRowState>[2] & { readonly shown: boolean }): void => {
    const before = toState(stateOf.get(key));
    if (!edit.shown) unshow.run(key);
    putState(before, changedRowState(before.workspace, before, edit), edit.view);
  };

  /** The document's row; made where there is none. */
  const ensureState = (workspace: WorkspaceId, document: DocumentId, type: string, time: number): StoredState => {
    const known = findState.get(workspace, document);
    if (known !== undefined) return toState(known);
    const made = toState(insert.get(workspace, document, type, time));
    insertView.run(made.key);
    return made;
  };

  const write = (change: DocumentTouch): void => {
    const { before, type, updatedAt: time, view } = change;
    touch.run(change.latest, change.unshown, change.pendingUpdates, change.pendingBytes, change.key);
    putState(before, changedRowState(before.workspace, before, { type, time, view }), view);
  };

  return {
    keyOf,
    /** The document's key; its rows are made where there are none. */
    ensure: (workspace: WorkspaceId, document: DocumentId, type: string, time: number): number =>
      ensureState(workspace, document, type, time).key,
    ensureState,
    putView,
    noteEdit,
    /** A document that has neither updates nor a snapshot any more: its row goes, with all that finds it. */
    remove: (key: number): void => {
      for (const statement of remove) statement.run(key);
    },
    write,
    /** The highest update id that was ever given. */
    lastUpdate: (): number => number(lastUpdate.get()?.["last_update"]),
    setLastUpdate: (id: number): void => void setLastUpdate.run(id),
  };
};

const toState = (row: Row | undefined): StoredState => {
  if (row === undefined) throw new Error("a document has lost its row");
  return {
    key: number(row["key"]),
    workspace: workspaceId(row["workspace"]),
    document: documentId(row["document"]),
    type: text(row["type"]),
    updatedAt: number(row["updated_at"]),
    deleted: row["deleted"] === 1,
    createdAt: number(row["created_at"]),
    projection: text(row["projection"]),
    entries: texts(row["entries"]),
  };
};

/** The touches of one transaction, one for each document. */
export class DocumentTouches {
  readonly #rows: DocumentRows;
  readonly #byDocument = new Map<string, DocumentTouch>();
  #workspace: WorkspaceId | undefined;
  #document: DocumentId | undefined;
  #touch: DocumentTouch | undefined;

  constructor(rows: DocumentRows) {
    this.#rows = rows;
  }

  of(workspace: WorkspaceId, document: DocumentId, type: string, time: number): DocumentTouch {
    // Edits come in runs on one document.
    if (this.#touch !== undefined && document === this.#document && workspace === this.#workspace) return this.#touch;
    const id = `${workspace}${document}`;
    let touch = this.#byDocument.get(id);
    if (touch === undefined) {
      const before = this.#rows.ensureState(workspace, document, type, time);
      touch = {
        key: before.key,
        before,
        type: "",
        updatedAt: time,
        latest: 0,
        unshown: null,
        pendingUpdates: 0,
        pendingBytes: 0,
        view: undefined,
      };
      this.#byDocument.set(id, touch);
    }
    this.#workspace = workspace;
    this.#document = document;
    this.#touch = touch;
    return touch;
  }

  /** Writes them all. */
  write(): void {
    for (const touch of this.#byDocument.values()) this.#rows.write(touch);
  }
}
