/** The sealed log, and receiving into it. */
import { Dexie } from "dexie";
import { ownBytes } from "../../platform/channel/Endpoint.ts";
import type { LocalStoreShape } from "../LocalStore.ts";
import type { Receipt } from "../store-changes.ts";
import type { LogRecord, UpdateRecord } from "../records.ts";
import { type DexieConnection, readProfile } from "./connection.ts";
import { type DocumentChange, documentTables, touchDocuments } from "./documents.ts";
import { insertIntoLog, setSeq, settleOutgoing } from "./entries.ts";
import { requireLeader, requireThat, requireWorkspace } from "./guard.ts";
import { type CairnDatabase, type LogRow, ofWorkspace } from "./tables.ts";

const toLog = ({ waits: _, ...entry }: LogRow): LogRecord => entry;
const storeReceived = async (database: CairnDatabase, receipt: Receipt, known: ReadonlySet<string>): Promise<void> => {
  const { workspace } = receipt;
  const profile = await readProfile(database);
  let id = profile.lastUpdate;
  const rows: Array<UpdateRecord> = [];
  const changes: Array<DocumentChange> = [];
  for (const update of receipt.updates) {
    // Promise 2: what the log has is not applied again.
    if (known.has(`${update.device}/${update.counter}`)) continue;
    id += 1;
    const { document, type, time } = update;
    rows.push({ ...update, update: ownBytes(update.update), id, workspace, state: "received", refs: [] });
    changes.push({ workspace, document, type, time, id, pendingBytes: undefined, shown: false, view: undefined });
  }
  if (rows.length === 0) return;
  await database.updates.bulkAdd(rows);
  await touchDocuments(database, changes);
  await database.profile.put({ ...profile, lastUpdate: id });
};

type LogOperations = Pick<LocalStoreShape, "receive" | "rebase" | "logOf" | "logOfKind" | "logPage" | "versions">;

export const logOperations = (connection: DexieConnection): LogOperations => {
  const { profile, workspaces, positions, outgoing, streams, log, heads, updates } = connection.database;
  const received = [
    profile,
    workspaces,
    positions,
    outgoing,
    streams,
    log,
    heads,
    updates,
    ...documentTables(connection.database),
  ];

  return {
    receive: (receipt) =>
      connection.guarded("receive", received, async (database) => {
        const { workspace, fence, from, cursor, chain, entries, settled, at } = receipt;
        await requireLeader(database, "receive", fence);
        const { record, position } = await requireWorkspace(database, "receive", workspace);
        requireThat("receive", position.cursor === from);

        const known = await insertIntoLog(database, workspace, entries);
        for (const { device, counter, seq } of known) await setSeq(database, workspace, device, counter, seq);
        const names = new Set(known.map(({ device, counter }) => `${device}/${counter}`));
        await storeReceived(database, receipt, names);
        // Hazard 14: cursor, entries and exactly the acknowledged counters change together.
        await settleOutgoing(database, workspace, record.device, settled);
        await database.positions.put({ ...position, cursor, chain, lastSyncedAt: at });
      }),

    rebase: (workspace, fence, change) =>
      connection.guarded("rebase", [profile, workspaces, positions], async (database) => {
        await requireLeader(database, "rebase", fence);
        const { ahead: _, ...position } = (await requireWorkspace(database, "rebase", workspace)).position;
        const { cursor, chain, server, serverEpoch } = change;
        await database.positions.put({ ...position, cursor, chain, server, serverEpoch });
      }),

    logOf: (workspace, device, from, limit) =>
      connection.read("logOf", [log], async () => {
        const range = log.where(":id").between([workspace, device, from], [workspace, device, Dexie.maxKey]);
        return (await range.limit(limit).toArray()).map(toLog);
      }),

    logOfKind: (workspace, kind) =>
      connection.read("logOfKind", [log], async () => {
        const acknowledged = log
          .where("[workspace+kind+seq]")
          .between([workspace, kind, Dexie.minKey], [workspace, kind, Dexie.maxKey]);
        const waiting = await log.where("[workspace+kind+waits]").equals([workspace, kind, 1]).toArray();
        waiting.sort((left, right) => left.counter - right.counter || (left.device < right.device ? -1 : 1));
        return [...(await acknowledged.toArray()), ...waiting].map(toLog);
      }),

    logPage: (workspace, after, limit) =>
      connection.read("logPage", [log], async () => {
        const lower = after === undefined ? [workspace, Dexie.minKey] : [workspace, after.device, after.counter];
        const page = await log.where(":id").between(lower, [workspace, Dexie.maxKey], false).limit(limit).toArray();
        return page.map(toLog);
      }),

    versions: (workspace) =>
      connection.read("versions", [heads], async () => {
        const rows = await ofWorkspace(heads, workspace).toArray();
        return new Map(rows.map(({ device, counter }) => [device, counter]));
      }),
  };
};
