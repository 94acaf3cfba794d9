/** The sealed log, and receiving into it. */
import type { DeviceId, WorkspaceId } from "@cairn/protocol";
import type { LocalStoreShape } from "../LocalStore.ts";
import type { LogRecord } from "../records.ts";
import type { SqliteDatabase } from "./database.ts";
import { type DocumentRows, DocumentTouches } from "./documents.ts";
import type { Guard } from "./guard.ts";
import type { OutboxRows } from "./outbox.ts";
import { deviceId, number, toLog } from "./rows.ts";
import { UpdateState } from "./tables.ts";

export type LogRows = ReturnType<typeof logRows>;

/** Writing single rows of the log, inside a transaction that somebody else opened. */
export const logRows = (database: SqliteDatabase) => {
  const insert = database.prepare(`
    INSERT INTO log (workspace, device, counter, seq, kind, document, hash, entry) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (workspace, device, counter) DO NOTHING`);
  const raiseHead = database.prepare(`
    INSERT INTO heads (workspace, device, counter) VALUES (?, ?, ?)
    ON CONFLICT (workspace, device) DO UPDATE SET counter = excluded.counter WHERE excluded.counter > counter`);
  const setSeq = database.prepare("UPDATE log SET seq = ? WHERE workspace = ? AND device = ? AND counter = ?");
  const replace = database.prepare(
    "UPDATE log SET kind = ?, document = ?, hash = ?, entry = ? WHERE workspace = ? AND device = ? AND counter = ?",
  );
  const forgetSeq = database.prepare(
    "UPDATE log SET seq = NULL WHERE workspace = ? AND device = ? AND counter = ? RETURNING counter",
  );

  return {
    /** False, and nothing stored, where the log has an entry of this device and counter. */
    insert: (workspace: WorkspaceId, entry: Omit<LogRecord, "workspace">): boolean => {
      const { changes } = insert.run(
        workspace,
        entry.device,
        entry.counter,
        entry.seq ?? null,
        entry.kind,
        entry.document,
        entry.hash,
        entry.entry,
      );
      if (changes === 0) return false;
      raiseHead.run(workspace, entry.device, entry.counter);
      return true;
    },
    setSeq: (workspace: WorkspaceId, device: DeviceId, counter: number, seq: number | undefined): void => {
      if (seq !== undefined) setSeq.run(seq, workspace, device, counter);
    },
    /** False where there is no such entry. */
    forgetSeq: (workspace: WorkspaceId, device: DeviceId, counter: number): boolean =>
      forgetSeq.get(workspace, device, counter) !== undefined,
    replace: (workspace: WorkspaceId, entry: Omit<LogRecord, "workspace" | "seq">): void => {
      replace.run(entry.kind, entry.document, entry.hash, entry.entry, workspace, entry.device, entry.counter);
    },
  };
};

type LogOperations = Pick<LocalStoreShape, "receive" | "rebase" | "logOf" | "logOfKind" | "logPage" | "versions">;

export const logOperations = (
  database: SqliteDatabase,
  guard: Guard,
  log: LogRows,
  outbox: OutboxRows,
  documents: DocumentRows,
): LogOperations => {
  const insertReceived = database.prepare(`
    INSERT INTO updates (id, document, type, bytes, state, device, counter, time)
    VALUES (?, ?, ?, ?, ${UpdateState.received}, ?, ?, ?)`);
  const advance = database.prepare(
    "UPDATE workspaces SET cursor = ?, chain = ?, last_synced_at = ? WHERE workspace = ?",
  );
  const rebase = database.prepare(
    "UPDATE workspaces SET cursor = ?, chain = ?, server = ?, server_epoch = ?, ahead = NULL WHERE workspace = ?",
  );
  const ofDevice = database.prepare(
    "SELECT * FROM log WHERE workspace = ? AND device = ? AND counter >= ? ORDER BY counter LIMIT ?",
  );
  const acknowledgedOfKind = database.prepare(
    "SELECT * FROM log WHERE workspace = ? AND kind = ? AND seq IS NOT NULL ORDER BY seq, counter, device",
  );
  const waitingOfKind = database.prepare(
    "SELECT * FROM log WHERE workspace = ? AND kind = ? AND seq IS NULL ORDER BY counter, device",
  );
  const page = database.prepare(
    "SELECT * FROM log WHERE workspace = ? AND (device, counter) > (?, ?) ORDER BY device, counter LIMIT ?",
  );
  const heads = database.prepare("SELECT device, counter FROM heads WHERE workspace = ?");

  return {
    receive: ({ workspace, fence, from, cursor, chain, entries, updates, settled, at }) =>
      database.guarded("receive", () => {
        guard.leads("receive", fence);
        const { device, position } = guard.here("receive", workspace);
        guard.holds("receive", position.cursor === from);

        // Promise 2: what the log has is not applied again.
        const known = new Set<string>();
        for (const entry of entries) {
          if (log.insert(workspace, entry)) continue;
          log.setSeq(workspace, entry.device, entry.counter, entry.seq);
          known.add(`${entry.device}/${entry.counter}`);
        }

        const touches = new DocumentTouches(documents);
        let id = documents.lastUpdate();
        for (const update of updates) {
          if (known.has(`${update.device}/${update.counter}`)) continue;
          id += 1;
          const touch = touches.of(workspace, update.document, update.type, update.time);
          insertReceived.run(id, touch.key, update.type, update.update, update.device, update.counter, update.time);
          if (touch.type === "") touch.type = update.type;
          touch.updatedAt = Math.max(touch.updatedAt, update.time);
          touch.latest = id;
          touch.unshown = id;
        }
        touches.write();
        documents.setLastUpdate(id);

        // Hazard 14: cursor, entries and exactly the acknowledged counters change together.
        outbox.settle(workspace, device, settled);
        advance.run(cursor, chain, at, workspace);
      }),

    rebase: (workspace, fence, position) =>
      database.guarded("rebase", () => {
        guard.leads("rebase", fence);
        guard.here("rebase", workspace);
        rebase.run(position.cursor, position.chain, position.server ?? null, position.serverEpoch, workspace);
      }),

    logOf: (workspace, device, from, limit) =>
      database.read("logOf", () => ofDevice.all(workspace, device, from, limit).map(toLog)),

    logOfKind: (workspace, kind) =>
      database.read("logOfKind", () =>
        [...acknowledgedOfKind.all(workspace, kind), ...waitingOfKind.all(workspace, kind)].map(toLog),
      ),

    logPage: (workspace, after, limit) =>
      // No id is shorter than the empty text, no counter is below 1.
      database.read("logPage", () => page.all(workspace, after?.device ?? "", after?.counter ?? 0, limit).map(toLog)),

    versions: (workspace) =>
      database.read(
        "versions",
        () => new Map(heads.all(workspace).map((row) => [deviceId(row["device"]), number(row["counter"])])),
      ),
  };
};
