/** Entries of this device from the moment that they leave PENDING until the server has acknowledged them. */
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import { Fenced, type LocalStoreShape, type NewOutgoing } from "../LocalStore.ts";
import type { OutgoingRecord, UpdateRecord } from "../records.ts";
import type { DexieConnection } from "./connection.ts";
import { withPending } from "./documents.ts";
import { insertIntoLog, replaceInLog, settleOutgoing } from "./entries.ts";
import { requireLeader, requireThat, requireWorkspace } from "./guard.ts";

import { type CairnDatabase, ofWorkspace, type OutgoingRow, toUpdate, updatesOf } from "./tables.ts";

const toOutgoing = ({ device: _, bytes: __, ...row }: OutgoingRow, entry: Uint8Array): OutgoingRecord => ({
  ...row,
  entry,
});

const changePending = async (
  database: CairnDatabase,
  workspace: WorkspaceId,
  document: DocumentId,
  count: number,
  bytes: number,
): Promise<void> => {
  const row = await database.documents.get([workspace, document]);
  if (row !== undefined && count !== 0) await database.documents.put(withPending(row, count, bytes));
};

const sumOfBytes = (updates: ReadonlyArray<UpdateRecord>): number =>
  updates.reduce((sum, { update }) => sum + update.length, 0);

const freezeUpdates = async (
  database: CairnDatabase,
  operation: string,
  workspace: WorkspaceId,
  { updates, document, device, counter }: NewOutgoing,
): Promise<void> => {
  const rows = (await database.updates.bulkGet([...updates])).map((row) => {
    if (row?.workspace !== workspace || row.document !== document || row.state !== "pending") {
      throw new Fenced({ operation });
    }
    return row;
  });
  requireThat(operation, new Set(updates).size === updates.length);
  await database.updates.bulkPut(rows.map((row) => ({ ...toUpdate(row), state: "frozen", device, counter })));
  await changePending(database, workspace, document, -rows.length, -sumOfBytes(rows));
};

/** Takes counters, fills outbox and log, freezes updates. Rule 1. */
export const freezeEntries = async (
  database: CairnDatabase,
  operation: string,
  workspace: WorkspaceId,
  entries: ReadonlyArray<NewOutgoing>,
): Promise<void> => {
  const { position } = await requireWorkspace(database, operation, workspace);
  const { nextCounter } = position;
  requireThat(
    operation,
    entries.every(({ counter }, index) => counter === nextCounter + index),
  );
  const known = await insertIntoLog(
    database,
    workspace,
    entries.map((entry) => ({ ...entry, seq: undefined })),
  );
  requireThat(operation, known.length === 0);
  await database.outgoing.bulkAdd(
    entries.map(({ updates: _, entry, ...header }) => ({
      ...header,
      workspace,
      attempts: 0,
      bytes: entry.length,
    })),
  );
  for (const entry of entries) await freezeUpdates(database, operation, workspace, entry);
  await database.positions.put({ ...position, nextCounter: nextCounter + entries.length });
};

const requeue = async (
  database: CairnDatabase,
  { workspace, document, device, counter }: OutgoingRow,
): Promise<void> => {
  const updates = await updatesOf(database, workspace, document)
    .filter((update) => update.state === "frozen" && update.device === device && update.counter === counter)
    .toArray();
  await database.updates.bulkPut(
    updates.map((update) => ({ ...update, state: "pending", device: undefined, counter: undefined, waits: 1 })),
  );
  await changePending(database, workspace, document, updates.length, sumOfBytes(updates));
};

type OutboxOperations = Pick<
  LocalStoreShape,
  | "pendingDocuments"
  | "pendingUpdates"
  | "freeze"
  | "outgoing"
  | "outgoingSize"
  | "settle"
  | "replaceOutgoing"
  | "replaceSettled"
  | "parked"
>;

export const outboxOperations = (connection: DexieConnection): OutboxOperations => {
  const { profile, workspaces, positions, documents, updates, outgoing, parked, log, heads } = connection.database;
  const waiting = (workspace: WorkspaceId, document: DocumentId) =>
    updates.where("[workspace+document+waits]").equals([workspace, document, 1]);

  return {
    pendingDocuments: (workspace) =>
      connection.read("pendingDocuments", [documents, updates], async () => {
        const rows = await ofWorkspace(documents, workspace, "[workspace+pendingUpdates]").toArray();
        const oldest = await Promise.all(rows.map(({ document }) => waiting(workspace, document).first()));
        return rows.map(({ document, pendingUpdates = 0, pendingBytes, updatedAt }, index) => ({
          document,
          updates: pendingUpdates,
          bytes: pendingBytes,
          oldest: oldest[index]?.time ?? updatedAt,
        }));
      }),

    pendingUpdates: (workspace, document) =>
      connection.read("pendingUpdates", [updates], async () =>
        (await waiting(workspace, document).toArray()).map(toUpdate),
      ),

    freeze: (workspace, fence, entries) =>
      connection.guarded(
        "freeze",
        [profile, workspaces, positions, documents, updates, outgoing, log, heads],
        async (database) => {
          await requireLeader(database, "freeze", fence);
          await freezeEntries(database, "freeze", workspace, entries);
        },
      ),

    outgoing: (workspace, limit) =>
      connection.read("outgoing", [outgoing, log], async () => {
        const rows = await ofWorkspace(outgoing, workspace).limit(limit).toArray();
        const entries = await log.bulkGet(rows.map(({ device, counter }) => [workspace, device, counter]));
        return rows.map((row, index) => {
          const entry = entries[index]?.entry;
          if (entry === undefined) throw new Error("an entry of the outbox is missing in the log");
          return toOutgoing(row, entry);
        });
      }),

    outgoingSize: (workspace) =>
      connection.read("outgoingSize", [outgoing], async () => {
        const rows = await ofWorkspace(outgoing, workspace).toArray();
        return {
          entries: rows.length,
          bytes: rows.reduce((sum, row) => sum + row.bytes, 0),
          documents: [...new Set(rows.map(({ document }) => document))],
        };
      }),

    settle: (workspace, fence, settled, at) =>
      connection.guarded("settle", [profile, workspaces, positions, outgoing, log], async (database) => {
        await requireLeader(database, "settle", fence);
        const { record, position } = await requireWorkspace(database, "settle", workspace);
        await settleOutgoing(database, workspace, record.device, settled);
        await database.positions.put({ ...position, lastSyncedAt: at });
      }),

    replaceOutgoing: (workspace, fence, replacement, edits) =>
      connection.guarded("replaceOutgoing", [profile, documents, updates, outgoing, parked, log], async (database) => {
        await requireLeader(database, "replaceOutgoing", fence);
        const { device, counter, document, kind, entry, hash, refs, frozenAt } = replacement;
        const refused = await database.outgoing.get([workspace, counter]);
        if (refused?.device !== device) throw new Fenced({ operation: "replaceOutgoing" });
        await replaceInLog(database, workspace, { device, counter, kind, document, hash, entry }, "keep");
        await database.outgoing.put({
          workspace,
          device,
          counter,
          document,
          kind,
          bytes: entry.length,
          hash,
          refs,
          attempts: refused.attempts + 1,
          frozenAt,
        });
        if (edits.type === "requeue") return requeue(database, refused);
        if ((await database.parked.get([workspace, counter])) !== undefined) return;
        const { code, message, parkedAt } = edits;
        await database.parked.add({ workspace, counter, document: refused.document, code, message, parkedAt });
      }),

    replaceSettled: (workspace, fence, replacement) =>
      connection.guarded("replaceSettled", [profile, workspaces, positions, outgoing, log], async (database) => {
        await requireLeader(database, "replaceSettled", fence);
        const { record } = await requireWorkspace(database, "replaceSettled", workspace);
        const { device, counter, document, kind, entry, hash, refs, frozenAt } = replacement;
        requireThat("replaceSettled", record.device === device);
        requireThat("replaceSettled", (await database.outgoing.get([workspace, counter])) === undefined);
        const voided = { device, counter, kind, document, hash, entry };
        const replaced = await replaceInLog(database, workspace, voided, "forget");
        requireThat("replaceSettled", replaced);
        const bytes = entry.length;
        await database.outgoing.add({
          workspace,
          device,
          counter,
          document,
          kind,
          bytes,
          hash,
          refs,
          attempts: 0,
          frozenAt,
        });
      }),

    parked: (workspace) => connection.read("parked", [parked], () => ofWorkspace(parked, workspace).toArray()),
  };
};
