/** Entries of this device from the moment that they leave PENDING until the server has acknowledged them. */
import type { DeviceId, WorkspaceId } from "@cairn/protocol";
import { Fenced, type LocalStoreShape } from "../LocalStore.ts";
import type { NewOutgoing, PendingDocument } from "../store-changes.ts";
import type { OutgoingHeader } from "../records.ts";
import type { SqliteDatabase } from "./database.ts";
import type { DocumentRows } from "./documents.ts";
import type { Guard } from "./guard.ts";
import type { LogRows } from "./log.ts";
import { deviceId, documentId, number, text, toHeader, toOutgoing, toUpdate } from "./rows.ts";
import type { StreamRows } from "./streams.ts";
import { isRemarkable, storedState } from "../streams.ts";
import { UpdateState } from "./tables.ts";

export type OutboxRows = ReturnType<typeof outboxRows>;

/** Changing the outbox inside a transaction that somebody else opened. */
export const outboxRows = (
  database: SqliteDatabase,
  guard: Guard,
  log: LogRows,
  documents: DocumentRows,
  streams: StreamRows,
) => {
  const insert = database.prepare(`
    INSERT INTO outgoing (workspace, counter, device, document, kind, bytes, hash, refs, attempts, frozen_at, state)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const remove = database.prepare(
    "DELETE FROM outgoing WHERE workspace = ? AND counter = ? RETURNING device, document",
  );
  const freezeUpdate = database.prepare(`
    UPDATE updates SET state = ${UpdateState.frozen}, device = ?, counter = ?
    WHERE id = ? AND document = ? AND state = ${UpdateState.pending} RETURNING length(bytes) AS bytes`);
  const lowerPending = database.prepare(
    "UPDATE documents SET pending_updates = pending_updates - ?, pending_bytes = pending_bytes - ? WHERE key = ?",
  );
  const setNextCounter = database.prepare("UPDATE workspaces SET next_counter = ? WHERE workspace = ?");

  const freezeUpdates = (operation: string, workspace: WorkspaceId, entry: NewOutgoing): void => {
    if (entry.updates.length === 0) return;
    const key = documents.keyOf(workspace, entry.document);
    let frozenBytes = 0;
    for (const id of entry.updates) {
      const row = key === undefined ? undefined : freezeUpdate.get(entry.device, entry.counter, id, key);
      guard.holds(operation, row !== undefined);
      frozenBytes += number(row?.["bytes"]);
    }
    if (key !== undefined) lowerPending.run(entry.updates.length, frozenBytes, key);
  };

  const add = (workspace: WorkspaceId, entry: Omit<NewOutgoing, "updates">): void => {
    insert.run(
      workspace,
      entry.counter,
      entry.device,
      entry.document,
      entry.kind,
      entry.entry.length,
      entry.hash,
      JSON.stringify(entry.refs),
      entry.frozen.attempts,
      entry.frozenAt,
      storedState(entry.frozen),
    );
  };

  return {
    add,
    /** Takes counters, fills outbox and log, freezes updates. Rule 1. */
    freeze: (
      operation: string,
      workspace: WorkspaceId,
      nextCounter: number,
      entries: ReadonlyArray<NewOutgoing>,
    ): void => {
      for (const [index, entry] of entries.entries()) {
        guard.holds(operation, entry.counter === nextCounter + index);
        guard.holds(operation, log.insert(workspace, { ...entry, seq: undefined }));
        add(workspace, entry);
        freezeUpdates(operation, workspace, entry);
      }
      setNextCounter.run(nextCounter + entries.length, workspace);
    },
    /** Exactly these counters, whatever else has come since (hazard 14). */
    settle: (
      workspace: WorkspaceId,
      device: DeviceId,
      settled: ReadonlyArray<{ readonly counter: number; readonly seq: number | undefined }>,
    ): void => {
      for (const { counter, seq } of settled) {
        const row = remove.get(workspace, counter);
        log.setSeq(workspace, row === undefined ? device : deviceId(row["device"]), counter, seq);
        if (row !== undefined) streams.ended(workspace, documentId(row["document"]));
      }
    },
  };
};

type OutboxOperations = Pick<
  LocalStoreShape,
  | "pendingDocuments"
  | "pendingUpdates"
  | "freeze"
  | "outgoing"
  | "unacknowledged"
  | "outgoingHeaders"
  | "settle"
  | "moveOutgoing"
  | "replaceOutgoing"
  | "replaceSettled"
>;

export const outboxOperations = (
  database: SqliteDatabase,
  guard: Guard,
  log: LogRows,
  outbox: OutboxRows,
  documents: DocumentRows,
  streams: StreamRows,
): OutboxOperations => {
  const pendingDocuments = database.prepare(`
    SELECT document, pending_updates, pending_bytes,
      (SELECT time FROM updates WHERE updates.document = documents.key AND state = ${UpdateState.pending}
       ORDER BY id LIMIT 1) AS oldest
    FROM documents WHERE workspace = ? AND pending_updates > 0`);
  const pendingUpdates = database.prepare(
    `SELECT * FROM updates WHERE document = ? AND state = ${UpdateState.pending} ORDER BY id`,
  );
  const waiting = database.prepare(`
    SELECT outgoing.*, log.entry FROM outgoing
    JOIN log ON log.workspace = outgoing.workspace AND log.device = outgoing.device AND log.counter = outgoing.counter
    WHERE outgoing.workspace = ? ORDER BY outgoing.counter LIMIT ?`);
  const nextCounter = database.prepare("SELECT next_counter FROM workspaces WHERE workspace = ?");
  const synced = database.prepare("UPDATE workspaces SET last_synced_at = ? WHERE workspace = ?");
  const find = database.prepare("SELECT * FROM outgoing WHERE workspace = ? AND counter = ?");
  const replace = database.prepare(`
    UPDATE outgoing SET document = ?, kind = ?, bytes = ?, hash = ?, refs = ?, frozen_at = ?, attempts = ?, state = ?
    WHERE workspace = ? AND counter = ?`);
  const requeue = database.prepare(`
    UPDATE updates SET state = ${UpdateState.pending}, device = NULL, counter = NULL
    WHERE document = ? AND state = ${UpdateState.frozen} AND device = ? AND counter = ?
    RETURNING id, length(bytes) AS bytes`);
  const raisePending = database.prepare(
    "UPDATE documents SET pending_updates = pending_updates + ?, pending_bytes = pending_bytes + ? WHERE key = ?",
  );
  const headers = database.prepare("SELECT * FROM outgoing WHERE workspace = ? ORDER BY counter");
  const move = database.prepare(
    "UPDATE outgoing SET state = ?, attempts = ? WHERE workspace = ? AND counter = ? AND state = ? RETURNING document",
  );

  const pendingOf = (workspace: WorkspaceId): ReadonlyArray<PendingDocument> =>
    pendingDocuments.all(workspace).map((row) => ({
      document: documentId(row["document"]),
      updates: number(row["pending_updates"]),
      bytes: number(row["pending_bytes"]),
      oldest: number(row["oldest"]),
    }));
  const headersOf = (workspace: WorkspaceId): ReadonlyArray<OutgoingHeader> => headers.all(workspace).map(toHeader);

  return {
    pendingDocuments: (workspace) => database.read("pendingDocuments", () => pendingOf(workspace)),

    pendingUpdates: (workspace, document) =>
      database.read("pendingUpdates", () => {
        const key = documents.keyOf(workspace, document);
        return key === undefined ? [] : pendingUpdates.all(key).map(toUpdate(workspace, document));
      }),

    freeze: (workspace, fence, entries) =>
      database.guarded("freeze", () => {
        guard.leads("freeze", fence);
        outbox.freeze("freeze", workspace, guard.here("freeze", workspace).position.nextCounter, entries);
      }),

    outgoing: (workspace, limit) => database.read("outgoing", () => waiting.all(workspace, limit).map(toOutgoing)),

    unacknowledged: (workspace) =>
      database.read("unacknowledged", () => {
        const row = nextCounter.get(workspace);
        return {
          pending: pendingOf(workspace),
          outgoing: headersOf(workspace),
          streams: streams.all(workspace),
          nextCounter: row === undefined ? 1 : number(row["next_counter"]),
        };
      }),

    outgoingHeaders: (workspace) => database.read("outgoingHeaders", () => headersOf(workspace)),

    moveOutgoing: (workspace, fence, moves) =>
      database.guarded("moveOutgoing", () => {
        guard.leads("moveOutgoing", fence);
        guard.here("moveOutgoing", workspace);
        for (const change of moves) {
          const { transition, counter } = change;
          const row = move.get(storedState(transition), transition.attempts, workspace, counter, transition.from);
          if (row === undefined || !isRemarkable(transition)) continue;
          streams.change(workspace, documentId(row["document"]), change);
        }
      }),

    settle: (workspace, fence, settled, at) =>
      database.guarded("settle", () => {
        guard.leads("settle", fence);
        outbox.settle(workspace, guard.here("settle", workspace).device, settled);
        synced.run(at, workspace);
      }),

    replaceOutgoing: (workspace, fence, replacement, change) =>
      database.guarded("replaceOutgoing", () => {
        guard.leads("replaceOutgoing", fence);
        const { counter } = replacement;
        const refused = find.get(workspace, counter);
        if (refused === undefined) throw new Fenced({ operation: "replaceOutgoing" });
        const device = deviceId(refused["device"]);
        const document = documentId(refused["document"]);
        guard.holds("replaceOutgoing", device === replacement.device);
        guard.holds("replaceOutgoing", text(refused["state"]) === change.transition.from);

        log.replace(workspace, replacement);
        replace.run(
          replacement.document,
          replacement.kind,
          replacement.entry.length,
          replacement.hash,
          JSON.stringify(replacement.refs),
          replacement.frozenAt,
          replacement.frozen.attempts,
          storedState(replacement.frozen),
          workspace,
          counter,
        );
        const key = documents.keyOf(workspace, document);
        if (key === undefined) return;
        const updates = requeue.all(key, device, counter);
        raisePending.run(
          updates.length,
          updates.reduce((sum, row) => sum + number(row["bytes"]), 0),
          key,
        );
        const through = Math.max(0, ...updates.map((row) => number(row["id"])));
        streams.change(workspace, document, { ...change, counter, through });
      }),

    replaceSettled: (workspace, fence, replacement) =>
      database.guarded("replaceSettled", () => {
        guard.leads("replaceSettled", fence);
        const { counter, device } = replacement;
        guard.holds("replaceSettled", guard.here("replaceSettled", workspace).device === device);
        guard.holds("replaceSettled", find.get(workspace, counter) === undefined);
        guard.holds("replaceSettled", log.forgetSeq(workspace, device, counter));
        log.replace(workspace, replacement);
        outbox.add(workspace, replacement);
      }),
  };
};
