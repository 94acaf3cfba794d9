/**
 * The local store in Node: one folder for each profile, with one SQLite database and the secrets as files beside it.
 *
 * Transactions are synchronous and never overlap, so each sees and changes everything at once. Only the disk is waited for,
 * and `appendUpdates` gathers edits for a few milliseconds and commits them together.
 */
import type { WorkspaceId } from "@cairn/protocol";
import { Effect, Layer } from "effect";
import { Fenced, LocalStore, type LocalStoreShape, type StoreFailure } from "./LocalStore.ts";
import { AppendQueue } from "./sqlite/append-queue.ts";
import { chunkOperations } from "./sqlite/chunks.ts";
import { type ProfileInUse, SqliteDatabase } from "./sqlite/database.ts";
import { documentOperations } from "./sqlite/document-operations.ts";
import { documentRows } from "./sqlite/documents.ts";
import { sqliteGuard } from "./sqlite/guard.ts";
import { logOperations, logRows } from "./sqlite/log.ts";
import { outboxOperations, outboxRows } from "./sqlite/outbox.ts";
import { number, optionalWorkspaceId, toPosition, toWorkspace } from "./sqlite/rows.ts";
import { streamOperations, streamRows } from "./sqlite/streams.ts";
import { successionOperations } from "./sqlite/succession.ts";
import { indexRows } from "./sqlite/row-index.ts";
import { secretOperations } from "./sqlite/secret-files.ts";

export { ProfileInUse } from "./sqlite/database.ts";

export interface SqliteStoreOptions {
  /** The profile's folder; made, for its owner alone, where there is none. */
  readonly directory: string;
  /** Commits of edits begin at least this many milliseconds apart; what comes meanwhile shares the next. Default 3. */
  readonly gatherMillis?: number;
}

const DEFAULT_GATHER_MILLIS = 3;

const make = (database: SqliteDatabase, gatherMillis: number): LocalStoreShape => {
  const guard = sqliteGuard(database);
  const index = indexRows(database);
  const documents = documentRows(database, index);
  const log = logRows(database);
  const streams = streamRows(database);
  const outbox = outboxRows(database, guard, log, documents, streams);
  const queue = new AppendQueue(database, documents, gatherMillis);

  const profile = database.prepare("SELECT * FROM profile");
  const putProfile = database.prepare("UPDATE profile SET format = ?, current_workspace = ?, home_workspace = ?");
  const raiseEpoch = database.prepare("UPDATE profile SET epoch = epoch + 1 RETURNING epoch");
  const workspaces = database.prepare("SELECT * FROM workspaces ORDER BY added_at, workspace");
  const workspace = database.prepare("SELECT * FROM workspaces WHERE workspace = ?");
  const addWorkspace = database.prepare(`
    INSERT INTO workspaces (workspace, device, role, created_here, server_origin, joined_by, added_at,
      cursor, chain, server, server_epoch, next_counter, last_synced_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (workspace) DO NOTHING`);
  const setServer = database.prepare("UPDATE workspaces SET server_origin = ? WHERE workspace = ?");
  const setRole = database.prepare("UPDATE workspaces SET role = ? WHERE workspace = ?");
  const setPaused = database.prepare("UPDATE workspaces SET paused = ? WHERE workspace = ?");
  const ofDocuments = "WHERE document IN (SELECT key FROM documents WHERE workspace = ?)";
  const removals = [
    `DELETE FROM updates ${ofDocuments}`,
    `DELETE FROM views ${ofDocuments}`,
    `DELETE FROM words ${ofDocuments}`,
    "DELETE FROM entries WHERE key IN (SELECT key FROM documents WHERE workspace = ?)",
    `DELETE FROM snapshots ${ofDocuments}`,
    ...["documents", "outgoing", "streams", "log", "heads", "chunks", "workspaces"].map(
      (table) => `DELETE FROM ${table} WHERE workspace = ?`,
    ),
  ].map((sql) => database.prepare(sql));

  return {
    profile: database.read("profile", () => {
      const row = profile.get();
      if (row?.["format"] !== 1) return undefined;
      return {
        format: 1,
        currentWorkspace: optionalWorkspaceId(row["current_workspace"]),
        homeWorkspace: optionalWorkspaceId(row["home_workspace"]),
      };
    }),

    putProfile: ({ format, currentWorkspace, homeWorkspace }) =>
      database.write("putProfile", () => {
        putProfile.run(format, currentWorkspace ?? null, homeWorkspace ?? null);
      }),

    claimLeadership: database.write("claimLeadership", () => number(raiseEpoch.get()?.["epoch"])),

    workspaces: database.read("workspaces", () => workspaces.all().map(toWorkspace)),

    addWorkspace: (record, position, outgoing) =>
      database.guarded("addWorkspace", () => {
        guard.holds("addWorkspace", record.workspace === position.workspace);
        const { changes } = addWorkspace.run(
          record.workspace,
          record.device,
          record.role,
          record.createdHere ? 1 : 0,
          record.server ?? null,
          record.joinedBy ?? null,
          record.addedAt,
          position.cursor,
          position.chain,
          position.server ?? null,
          position.serverEpoch,
          position.nextCounter,
          position.lastSyncedAt ?? null,
        );
        if (changes === 0) throw new Fenced({ operation: "addWorkspace" });
        outbox.freeze("addWorkspace", record.workspace, position.nextCounter, outgoing);
      }),

    updateWorkspace: (id, change) =>
      database.write("updateWorkspace", () => {
        if ("server" in change) setServer.run(change.server ?? null, id);
        if (change.role !== undefined) setRole.run(change.role, id);
        if ("paused" in change) setPaused.run(change.paused === true ? 1 : 0, id);
      }),

    removeWorkspace: (id: WorkspaceId) =>
      database.write("removeWorkspace", () => {
        for (const removal of removals) removal.run(id);
      }),

    position: (id) =>
      database.read("position", () => {
        const row = workspace.get(id);
        return row === undefined ? undefined : toPosition(row);
      }),

    appendUpdates: (updates) => queue.append(updates),
    ...outboxOperations(database, guard, log, outbox, documents, streams),
    ...streamOperations(database, guard, documents, streams),
    ...successionOperations(database, guard, outbox, documents),
    ...logOperations(database, guard, log, outbox, documents),
    ...documentOperations(database, documents, index),
    ...chunkOperations(database),
    ...secretOperations(database),

    close: Effect.sync(() => {
      queue.close();
      database.close();
    }),
  };
};

/** The store of one folder, closed with the layer. A second process on the folder gets `ProfileInUse`. */
export const layer = (options: SqliteStoreOptions): Layer.Layer<LocalStore, StoreFailure | ProfileInUse> =>
  Layer.effect(
    LocalStore,
    Effect.acquireRelease(
      SqliteDatabase.open(options.directory).pipe(
        Effect.map((database) => make(database, options.gatherMillis ?? DEFAULT_GATHER_MILLIS)),
      ),
      (store) => store.close,
    ),
  );
