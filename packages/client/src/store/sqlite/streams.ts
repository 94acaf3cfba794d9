/** The trouble with documents' edits: streams, what they hold back, and documents made anew. */
import { type DocumentId, NO_DOCUMENT, type WorkspaceId } from "@cairn/protocol";
import { Fenced, type LocalStoreShape } from "../LocalStore.ts";
import type { StreamRecord, UpdateRecord } from "../records.ts";
import { isNothingLeft, withRebuild } from "../rebuilds.ts";
import { nextStream, piecesOf, type StreamChange } from "../streams.ts";
import { shownEdits } from "../rows/row-state.ts";
import type { SqliteDatabase } from "./database.ts";
import type { DocumentRows } from "./documents.ts";
import type { Guard } from "./guard.ts";
import { number, numbers, rebuilds, toStream, toUpdate } from "./rows.ts";
import { UpdateState } from "./tables.ts";

export type StreamRows = ReturnType<typeof streamRows>;

/** Changing streams inside a transaction that somebody else opened. */
export const streamRows = (database: SqliteDatabase) => {
  const find = database.prepare("SELECT * FROM streams WHERE workspace = ? AND document = ?");
  const all = database.prepare("SELECT * FROM streams WHERE workspace = ? ORDER BY document");
  const put = database.prepare(`
    INSERT INTO streams (workspace, document, state, attempts, code, message, since, through, history)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (workspace, document) DO UPDATE SET state = excluded.state, attempts = excluded.attempts,
      code = excluded.code, message = excluded.message, since = excluded.since, through = excluded.through,
      history = excluded.history`);
  const end = database.prepare("DELETE FROM streams WHERE workspace = ? AND document = ? AND state = 'PENDING'");
  const remove = database.prepare("DELETE FROM streams WHERE workspace = ? AND document = ?");

  const of = (workspace: WorkspaceId, document: DocumentId): StreamRecord | undefined => {
    const row = find.get(workspace, document);
    return row === undefined ? undefined : toStream(row);
  };
  return {
    of,
    all: (workspace: WorkspaceId): ReadonlyArray<StreamRecord> => all.all(workspace).map(toStream),
    change: (workspace: WorkspaceId, document: DocumentId, change: StreamChange): void => {
      if (document === NO_DOCUMENT) return;
      const next = nextStream(workspace, document, of(workspace, document), change);
      put.run(
        workspace,
        document,
        next.state,
        next.attempts,
        next.code ?? null,
        next.message ?? null,
        next.since,
        next.through,
        JSON.stringify(next.history),
      );
    },
    /** Something of the document was acknowledged: what was PENDING has had its trouble. */
    ended: (workspace: WorkspaceId, document: DocumentId): void => void end.run(workspace, document),
    remove: (workspace: WorkspaceId, document: DocumentId): void => void remove.run(workspace, document),
  };
};

type StreamOperations = Pick<LocalStoreShape, "streams" | "moveStream" | "splitPending" | "rebuildDocument">;

export const streamOperations = (
  database: SqliteDatabase,
  guard: Guard,
  documents: DocumentRows,
  rows: StreamRows,
): StreamOperations => {
  const pendingFrom = database.prepare(
    `SELECT * FROM updates WHERE document = ? AND state = ${UpdateState.pending} AND id >= ? ORDER BY id`,
  );
  const pendingIds = database.prepare(
    `SELECT id FROM updates WHERE document = ? AND state = ${UpdateState.pending} ORDER BY id`,
  );
  const removeUpdate = database.prepare("DELETE FROM updates WHERE id = ?");
  const insert = database.prepare(`
    INSERT INTO updates (id, document, type, bytes, state, device, counter, time, refs, first_form, applied_again,
      former_edits)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const setPending = database.prepare(`
    UPDATE documents SET latest = ?, pending_updates = pending_updates + ?,
      pending_bytes = pending_bytes + ? WHERE key = ?`);
  const emptied = [
    "DELETE FROM updates WHERE document = ?",
    "DELETE FROM snapshots WHERE document = ?",
    "UPDATE documents SET pending_updates = 0, pending_bytes = 0, unprojected = NULL, merging = 0 WHERE key = ?",
  ].map((sql) => database.prepare(sql));
  const newer = database.prepare(`
    SELECT 1 FROM updates WHERE document = ? AND id > ?
    UNION ALL SELECT 1 FROM snapshots WHERE document = ? AND through > ? LIMIT 1`);
  const outgoing = database.prepare("SELECT document FROM outgoing WHERE workspace = ?");
  const known = database.prepare("SELECT retired_leases, rebuilds FROM workspaces WHERE workspace = ?");
  const note = database.prepare("UPDATE workspaces SET retired_leases = ?, rebuilds = ? WHERE workspace = ?");

  type NewUpdate = Omit<UpdateRecord, "id" | "workspace" | "document">;
  /** Puts updates of one document behind all others. */
  const add = (key: number, updates: ReadonlyArray<NewUpdate>): void => {
    let id = documents.lastUpdate();
    for (const { type, update, state, device, counter, time, refs, firstForm, ...more } of updates) {
      const { appliedAgain, formerEdits } = more;
      id += 1;
      const pending = state === "pending";
      insert.run(
        id,
        key,
        type,
        update,
        UpdateState[state],
        device ?? null,
        counter ?? null,
        time,
        refs.length === 0 ? null : JSON.stringify(refs),
        firstForm ?? null,
        appliedAgain === undefined ? null : JSON.stringify(appliedAgain),
        formerEdits ?? null,
      );
      setPending.run(id, pending ? 1 : 0, pending ? update.length : 0, key);
    }
    documents.setLastUpdate(id);
  };

  return {
    streams: (workspace) => database.read("streams", () => rows.all(workspace)),

    moveStream: (workspace, document, change) =>
      database.guarded("moveStream", () => {
        const key = documents.keyOf(workspace, document);
        guard.holds("moveStream", key !== undefined && pendingIds.get(key) !== undefined);
        guard.holds("moveStream", (rows.of(workspace, document)?.state ?? "PENDING") === change.transition.from);
        rows.change(workspace, document, change);
      }),

    splitPending: (workspace, fence, document, id, pieces) =>
      database.guarded("splitPending", () => {
        guard.leads("splitPending", fence);
        const key = documents.keyOf(workspace, document);
        if (key === undefined) throw new Fenced({ operation: "splitPending" });
        const [split, ...later] = pendingFrom.all(key, id).map(toUpdate(workspace, document));
        if (split?.id !== id) throw new Fenced({ operation: "splitPending" });
        const moved = [...piecesOf(split, pieces), ...later];
        for (const update of [split, ...later]) {
          removeUpdate.run(update.id);
          setPending.run(documents.lastUpdate(), -1, -update.update.length, key);
        }
        add(key, moved);
      }),

    rebuildDocument: (rebuilding) =>
      database.guarded("rebuildDocument", () => {
        const { workspace, document, device, discarded, pending, through } = rebuilding;
        const { acknowledged, edits, row, retire: leases } = rebuilding;
        guard.holds("rebuildDocument", guard.here("rebuildDocument", workspace).device === device);
        const key = documents.keyOf(workspace, document);
        if (key === undefined) throw new Fenced({ operation: "rebuildDocument" });
        guard.holds("rebuildDocument", rows.of(workspace, document)?.state === discarded.from);
        guard.holds("rebuildDocument", !outgoing.all(workspace).some((entry) => entry["document"] === document));
        const waiting = pendingIds.all(key).map((found) => number(found["id"]));
        guard.holds(
          "rebuildDocument",
          waiting.length === pending.length && waiting.every((id, index) => id === pending[index]),
        );
        // What was received since is not among what is put in its place.
        guard.holds("rebuildDocument", newer.get(key, through, key, through) === undefined);
        for (const statement of emptied) statement.run(key);
        rows.remove(workspace, document);
        add(
          key,
          acknowledged.map(({ own, type, update, device: author, counter, time }) => ({
            type,
            update,
            state: own ? "frozen" : "received",
            device: author,
            counter,
            time,
            refs: [],
          })),
        );
        if (isNothingLeft({ document, acknowledged, edits })) documents.remove(key);
        else documents.putView(key, row);
        const shown = shownEdits(edits);
        for (const [index, edit] of edits.entries()) {
          const target = documents.ensure(edit.workspace, edit.document, edit.type, edit.time);
          add(target, [{ ...edit, state: "pending", device: undefined, counter: undefined }]);
          documents.noteEdit(target, { ...edit, view: edit.row, shown: shown[index] === true });
        }
        const { retired_leases: retired = null, rebuilds: before = null } = known.get(workspace) ?? {};
        const joined = [...new Set([...(retired === null ? [] : numbers(retired)), ...leases])];
        const times = withRebuild(before === null ? undefined : rebuilds(before), document);
        note.run(joined.length === 0 ? null : JSON.stringify(joined), JSON.stringify(times), workspace);
      }),
  };
};
