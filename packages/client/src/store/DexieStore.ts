/**
 * The local store in browsers: one IndexedDB database for each profile, shared by all tabs. Runs in a worker or a page.
 *
 * Every write has strict durability. While one transaction of `appendUpdates` is on its way to the disk, further edits
 * gather for the next.
 */
import { Dexie, type Table } from "dexie";
import { Effect, Layer } from "effect";
import { Fenced, LocalStore, type LocalStoreShape, type StoreFailure } from "./LocalStore.ts";
import { AppendQueue } from "./dexie/append-queue.ts";
import { chunkOperations } from "./dexie/chunks.ts";
import { DexieConnection, readProfile } from "./dexie/connection.ts";
import { documentOperations } from "./dexie/document-operations.ts";
import { logOperations } from "./dexie/log.ts";
import { freezeEntries, outboxOperations } from "./dexie/outbox.ts";
import { streamOperations } from "./dexie/streams.ts";
import { successionOperations } from "./dexie/succession.ts";
import { requireThat } from "./dexie/guard.ts";
import { ofWorkspace } from "./dexie/tables.ts";

export interface DexieStoreOptions {
  /** The database's name: one for each profile. */
  readonly name: string;
  /** How long opening waits for other tabs to let go of an older version of the database, in milliseconds. Default 3,000. */
  readonly blockedMillis?: number;
  /** The database that has to be there, by what `onOpened` was told. Another one means that it was deleted: `lost`. */
  readonly expected?: string | undefined;
  /** Hears which database was opened: random, from when it was made. */
  readonly onOpened?: ((made: string) => void) | undefined;
}

const DEFAULT_BLOCKED_MILLIS = 3_000;

const make = (connection: DexieConnection): LocalStoreShape => {
  const { database } = connection;
  const { profile, workspaces, positions, documents, outgoing, log, heads, updates, secrets } = database;
  const keyedByWorkspace: ReadonlyArray<Table> = [
    documents,
    database.views,
    database.words,
    database.snapshots,
    outgoing,
    database.streams,
    log,
    heads,
    database.chunks,
    database.chunkStates,
  ];
  const queue = new AppendQueue(connection);

  return {
    profile: connection.read("profile", [profile], async () => (await readProfile(database)).profile),

    putProfile: ({ format, currentWorkspace, homeWorkspace }) =>
      connection.write("putProfile", [profile], async () => {
        const row = await readProfile(database);
        await profile.put({ ...row, profile: { format, currentWorkspace, homeWorkspace } });
      }),

    claimLeadership: connection.write("claimLeadership", [profile], async () => {
      const row = await readProfile(database);
      await profile.put({ ...row, epoch: row.epoch + 1 });
      return row.epoch + 1;
    }),

    workspaces: connection.read("workspaces", [workspaces], async () =>
      (await workspaces.toArray()).toSorted((left, right) => left.addedAt - right.addedAt),
    ),

    addWorkspace: (record, position, entries) =>
      connection.guarded(
        "addWorkspace",
        [workspaces, positions, documents, updates, outgoing, log, heads],
        async () => {
          requireThat("addWorkspace", record.workspace === position.workspace);
          if ((await workspaces.get(record.workspace)) !== undefined) throw new Fenced({ operation: "addWorkspace" });
          await workspaces.add(record);
          await positions.add(position);
          await freezeEntries(database, "addWorkspace", record.workspace, entries);
        },
      ),

    updateWorkspace: (workspace, change) =>
      connection.write("updateWorkspace", [workspaces], async () => {
        const record = await workspaces.get(workspace);
        if (record === undefined) return;
        const { role = record.role } = change;
        const server = "server" in change ? change.server : record.server;
        const { paused: before, ...rest } = record;
        const paused = "paused" in change ? change.paused : before;
        await workspaces.put({ ...rest, role, server, ...(paused === true ? { paused } : {}) });
      }),

    removeWorkspace: (workspace) =>
      connection.write("removeWorkspace", database.tables, async () => {
        await ofWorkspace(updates, workspace, "[workspace+document+id]").delete();
        for (const table of keyedByWorkspace) await ofWorkspace(table, workspace).delete();
        await positions.delete(workspace);
        await workspaces.delete(workspace);
      }),

    position: (workspace) => connection.read("position", [positions], () => positions.get(workspace)),

    appendUpdates: (edits) => queue.append(edits),
    ...outboxOperations(connection),
    ...streamOperations(connection),
    ...successionOperations(connection),
    ...logOperations(connection),
    ...documentOperations(connection),
    ...chunkOperations(connection),

    secret: (name) => connection.read("secret", [secrets], async () => (await secrets.get(name))?.value),
    putSecret: (name, value) =>
      connection.write("putSecret", [secrets], async () => {
        await secrets.put({ name, value });
      }),
    removeSecret: (name) => connection.write("removeSecret", [secrets], () => secrets.delete(name)),

    close: Effect.promise(async () => {
      await queue.close();
      connection.close();
    }),
  };
};

/** Deletes the database of a profile, whatever is left in it. */
export const eraseDexieStore = (name: string): Promise<void> => Dexie.delete(name);

/** The store over one database, closed with the layer. */
export const layer = (options: DexieStoreOptions): Layer.Layer<LocalStore, StoreFailure> =>
  Layer.effect(
    LocalStore,
    Effect.acquireRelease(
      DexieConnection.open(options.name, options.blockedMillis ?? DEFAULT_BLOCKED_MILLIS, options.expected).pipe(
        Effect.map((connection) => {
          options.onOpened?.(connection.made);
          return make(connection);
        }),
      ),
      (store) => store.close,
    ),
  );
