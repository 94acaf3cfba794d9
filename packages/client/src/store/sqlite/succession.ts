/** A device's identity gives way to its successor (rule 12). */
import { Fenced, type LocalStoreShape } from "../LocalStore.ts";
import type { RemadeDocument, Succession } from "../store-changes.ts";
import { isStreamOver } from "../streams.ts";
import type { SqliteDatabase } from "./database.ts";
import type { DocumentRows } from "./documents.ts";
import type { Guard } from "./guard.ts";
import type { OutboxRows } from "./outbox.ts";
import { documentId, number, toStream } from "./rows.ts";
import { UpdateState } from "./tables.ts";

const OPERATION = "succeed";

export const successionOperations = (
  database: SqliteDatabase,
  guard: Guard,
  outbox: OutboxRows,
  documents: DocumentRows,
): Pick<LocalStoreShape, "succeed"> => {
  const open = database.prepare(`
    SELECT id FROM updates WHERE document = ?1 AND (state = ${UpdateState.pending} OR (state = ${UpdateState.frozen}
      AND (device, counter) IN (SELECT device, counter FROM outgoing WHERE workspace = ?2))) ORDER BY id`);
  const waitingDocuments = database.prepare(`
    SELECT document FROM documents WHERE workspace = ?1 AND pending_updates > 0
    UNION ALL SELECT documents.document FROM outgoing
    JOIN documents ON documents.workspace = outgoing.workspace AND documents.document = outgoing.document
    WHERE outgoing.workspace = ?1`);
  const removeSettled = database.prepare(`
    DELETE FROM updates WHERE document = ?1 AND NOT (state = ${UpdateState.pending} OR (state = ${UpdateState.frozen}
      AND (device, counter) IN (SELECT device, counter FROM outgoing WHERE workspace = ?2)))`);
  const removeUpdate = database.prepare("DELETE FROM updates WHERE id = ?");
  const changeUpdate = database.prepare(
    `UPDATE updates SET bytes = ?, refs = ?, first_form = ?, applied_again = ?, former_edits = NULL,
      state = ${UpdateState.pending}, device = NULL, counter = NULL WHERE id = ?`,
  );
  const insert = database.prepare(`
    INSERT INTO updates (id, document, type, bytes, state, device, counter, time)
    VALUES (?, ?, ?, ?, ${UpdateState.received}, ?, ?, ?)`);
  const removeSnapshot = database.prepare("DELETE FROM snapshots WHERE document = ?");
  const findStream = database.prepare("SELECT * FROM streams WHERE workspace = ? AND document = ?");
  const removeStream = database.prepare("DELETE FROM streams WHERE workspace = ? AND document = ?");
  const touch = database.prepare(`
    UPDATE documents SET merging = 0, latest = ?, unprojected = ?, pending_updates = ?, pending_bytes = ? WHERE key = ?`);
  const removeOutgoing = database.prepare("DELETE FROM outgoing WHERE workspace = ?");
  const forget = database.prepare("DELETE FROM log WHERE workspace = ? AND device = ? AND seq IS NULL");
  const removeHead = database.prepare("DELETE FROM heads WHERE workspace = ? AND device = ?");
  const makeHead = database.prepare(`
    INSERT INTO heads (workspace, device, counter)
    SELECT workspace, device, max(counter) FROM log WHERE workspace = ? AND device = ? GROUP BY workspace, device`);
  const rename = database.prepare(
    "UPDATE workspaces SET device = ?, ahead = ?, next_counter = 1, retired_leases = NULL WHERE workspace = ?",
  );

  const remake = (workspace: Succession["workspace"], remade: RemadeDocument): void => {
    const { document, acknowledged, unacknowledged } = remade;
    const key = documents.keyOf(workspace, document);
    if (key === undefined) throw new Fenced({ operation: OPERATION });
    const ids = open.all(key, workspace).map((row) => number(row["id"]));
    const changes = new Map(unacknowledged.map((change) => [change.id, change]));
    guard.holds(OPERATION, ids.length === changes.size && ids.every((id) => changes.has(id)));
    removeSettled.run(key, workspace);
    removeSnapshot.run(key);
    const waiting: Array<number> = [];
    let bytes = 0;
    for (const [id, { update, refs, firstForm, appliedAgain }] of changes) {
      if (update === undefined) removeUpdate.run(id);
      else {
        const again = appliedAgain === undefined ? null : JSON.stringify(appliedAgain);
        changeUpdate.run(update, refs.length === 0 ? null : JSON.stringify(refs), firstForm ?? null, again, id);
        waiting.push(id);
        bytes += update.length;
      }
    }
    let id = documents.lastUpdate();
    for (const { type, update, device, counter, time } of acknowledged) {
      id += 1;
      insert.run(id, key, type, update, device, counter, time);
    }
    // One more id than there are updates: the row has to be made anew even where nothing was received.
    id += 1;
    documents.setLastUpdate(id);
    touch.run(id, id, waiting.length, bytes, key);
    const stream = findStream.get(workspace, document);
    if (stream !== undefined && isStreamOver(toStream(stream), waiting)) removeStream.run(workspace, document);
  };

  return {
    succeed: ({ workspace, fence, from, to, ahead, admission, documents: remade }) =>
      database.guarded(OPERATION, () => {
        guard.leads(OPERATION, fence);
        guard.holds(OPERATION, guard.here(OPERATION, workspace).device === from);
        const named = new Set(remade.map(({ document }) => document));
        // Nothing that no server has acknowledged may be passed over.
        const waiting = waitingDocuments.all(workspace).map((row) => documentId(row["document"]));
        guard.holds(
          OPERATION,
          waiting.every((document) => named.has(document)),
        );
        for (const document of remade) remake(workspace, document);
        removeOutgoing.run(workspace);
        // Under their counters the server has others.
        forget.run(workspace, from);
        removeHead.run(workspace, from);
        makeHead.run(workspace, from);
        rename.run(to, ahead, workspace);
        outbox.freeze(OPERATION, workspace, 1, [admission]);
      }),
  };
};
