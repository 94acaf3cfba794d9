/** The rows of documents: found, made and touched inside a transaction that somebody else opened. */
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import type { DocumentView } from "../LocalStore.ts";
import type { SqliteDatabase } from "./database.ts";
import { number } from "./rows.ts";

/** What a transaction stores for one document, summed up, so that its row is written once. */
export interface DocumentTouch {
  readonly key: number;
  /** Names the document's type where it has none yet. */
  type: string;
  updatedAt: number;
  latest: number;
  /** Id of the newest update that the row does not show, or null where it shows them all. */
  unprojected: number | null;
  pendingUpdates: number;
  pendingBytes: number;
  view: DocumentView | undefined;
}

export type DocumentRows = ReturnType<typeof documentRows>;

export const documentRows = (database: SqliteDatabase) => {
  const find = database.prepare("SELECT key FROM documents WHERE workspace = ? AND document = ?");
  const insert = database.prepare(
    "INSERT INTO documents (workspace, document, type, updated_at) VALUES (?, ?, ?, ?) RETURNING key",
  );
  const insertView = database.prepare(
    "INSERT INTO views (document, fields, search_text, deleted, created_at) VALUES (?, '{}', '', 0, ?)",
  );
  const updateView = database.prepare(
    "UPDATE views SET fields = ?, search_text = ?, deleted = ?, created_at = ? WHERE document = ?",
  );
  const touch = database.prepare(`
    UPDATE documents SET
      type = CASE type WHEN '' THEN ? ELSE type END, updated_at = max(updated_at, ?), latest = max(latest, ?),
      unprojected = coalesce(?, unprojected), pending_updates = pending_updates + ?, pending_bytes = pending_bytes + ?
    WHERE key = ?`);
  const owe = database.prepare("UPDATE documents SET unprojected = latest WHERE key = ?");
  const lastUpdate = database.prepare("SELECT last_update FROM profile");
  const setLastUpdate = database.prepare("UPDATE profile SET last_update = ?");

  const keyOf = (workspace: WorkspaceId, document: DocumentId): number | undefined => {
    const row = find.get(workspace, document);
    return row === undefined ? undefined : number(row["key"]);
  };

  const putView = (key: number, view: DocumentView): void => {
    updateView.run(JSON.stringify(view.fields), view.searchText, view.deleted ? 1 : 0, view.createdAt, key);
  };

  /** The document's key; its rows are made where there are none. */
  const ensure = (workspace: WorkspaceId, document: DocumentId, type: string, time: number): number => {
    const known = keyOf(workspace, document);
    if (known !== undefined) return known;
    const key = number(insert.get(workspace, document, type, time)?.["key"]);
    insertView.run(key, time);
    return key;
  };

  const write = (change: DocumentTouch): void => {
    touch.run(
      change.type,
      change.updatedAt,
      change.latest,
      change.unprojected,
      change.pendingUpdates,
      change.pendingBytes,
      change.key,
    );
    if (change.view !== undefined) putView(change.key, change.view);
  };

  return {
    keyOf,
    ensure,
    putView,
    /** The row does not show the newest update. */
    oweView: (key: number): void => void owe.run(key),
    write,
    /** The highest update id that was ever given. */
    lastUpdate: (): number => number(lastUpdate.get()?.["last_update"]),
    setLastUpdate: (id: number): void => void setLastUpdate.run(id),
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
      touch = {
        key: this.#rows.ensure(workspace, document, type, time),
        type: "",
        updatedAt: time,
        latest: 0,
        unprojected: null,
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
