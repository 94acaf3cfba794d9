/** Entries of this device from the moment that they leave PENDING until the server has acknowledged them. */
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import { Fenced, type LocalStoreShape } from "../LocalStore.ts";
import type { NewOutgoing, PendingDocument } from "../store-changes.ts";
import type { OutgoingHeader, OutgoingRecord, UpdateRecord } from "../records.ts";
import type { DexieConnection } from "./connection.ts";
import { withPending } from "./documents.ts";
import { isRemarkable, storedState } from "../streams.ts";
import { changeStream, insertIntoLog, replaceInLog, settleOutgoing } from "./entries.ts";
import { requireLeader, requireThat, requireWorkspace } from "./guard.ts";

import { type CairnDatabase, ofWorkspace, type OutgoingRow, toUpdate, updatesOf } from "./tables.ts";

const toOutgoing = ({ device: _, bytes: __, ...row }: OutgoingRow, entry: Uint8Array): OutgoingRecord => ({
  ...row,
  entry,
});

/** An entry's row: its bytes are in the log. */
const toRow = (workspace: WorkspaceId, entry: Omit<NewOutgoing, "updates">): OutgoingRow => {
  const { device, counter, document, kind, entry: bytes, hash, refs, frozenAt, frozen } = entry;
  const { attempts } = frozen;
  const state = storedState(frozen);
  return { workspace, device, counter, document, kind, bytes: bytes.length, hash, refs, state, attempts, frozenAt };
};

export const changePending = async (
  database: CairnDatabase,
  workspace: WorkspaceId,
  document: DocumentId,
  count: number,
  bytes: number,
): Promise<void> => {
  const row = await database.documents.get([workspace, document]);
  if (row !== undefined && count !== 0) await database.documents.put(withPending(row, count, bytes));
};

export const sumOfBytes = (updates: ReadonlyArray<UpdateRecord>): number =>
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
  await database.outgoing.bulkAdd(entries.map(({ updates: _, ...entry }) => toRow(workspace, entry)));
  for (const entry of entries) await freezeUpdates(database, operation, workspace, entry);
  await database.positions.put({ ...position, nextCounter: nextCounter + entries.length });
};

const requeue = async (
  database: CairnDatabase,
  { workspace, document, device, counter }: OutgoingRow,
): Promise<number> => {
  const updates = await updatesOf(database, workspace, document)
    .filter((update) => update.state === "frozen" && update.device === device && update.counter === counter)
    .toArray();
  await database.updates.bulkPut(
    updates.map((update) => ({ ...update, state: "pending", device: undefined, counter: undefined, waits: 1 })),
  );
  await changePending(database, workspace, document, updates.length, sumOfBytes(updates));
  return Math.max(0, ...updates.map(({ id }) => id));
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

export const outboxOperations = (connection: DexieConnection): OutboxOperations => {
  const { profile, workspaces, positions, documents, updates, outgoing, streams, log, heads } = connection.database;
  const waiting = (workspace: WorkspaceId, document: DocumentId) =>
    updates.where("[workspace+document+waits]").equals([workspace, document, 1]);
  const pendingOf = async (workspace: WorkspaceId): Promise<ReadonlyArray<PendingDocument>> => {
    const rows = await ofWorkspace(documents, workspace, "[workspace+pendingUpdates]").toArray();
    const oldest = await Promise.all(rows.map(({ document }) => waiting(workspace, document).first()));
    return rows.map(({ document, pendingUpdates = 0, pendingBytes, updatedAt }, index) => ({
      document,
      updates: pendingUpdates,
      bytes: pendingBytes,
      oldest: oldest[index]?.time ?? updatedAt,
    }));
  };
  const headersOf = async (workspace: WorkspaceId): Promise<ReadonlyArray<OutgoingHeader>> =>
    (await ofWorkspace(outgoing, workspace).toArray()).map(
      ({ device, counter, document, kind, state, attempts, frozenAt, bytes }) => ({
        device,
        counter,
        document,
        kind,
        state,
        attempts,
        frozenAt,
        bytes,
      }),
    );

  return {
    pendingDocuments: (workspace) =>
      connection.read("pendingDocuments", [documents, updates], () => pendingOf(workspace)),

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

    unacknowledged: (workspace) =>
      connection.read("unacknowledged", [documents, updates, outgoing, streams, positions], async () => {
        const [pending, sent, trouble, position] = await Promise.all([
          pendingOf(workspace),
          headersOf(workspace),
          ofWorkspace(streams, workspace).toArray(),
          positions.get(workspace),
        ]);
        return { pending, outgoing: sent, streams: trouble, nextCounter: position?.nextCounter ?? 1 };
      }),

    settle: (workspace, fence, settled, at) =>
      connection.guarded("settle", [profile, workspaces, positions, outgoing, streams, log], async (database) => {
        await requireLeader(database, "settle", fence);
        const { record, position } = await requireWorkspace(database, "settle", workspace);
        await settleOutgoing(database, workspace, record.device, settled);
        await database.positions.put({ ...position, lastSyncedAt: at });
      }),

    outgoingHeaders: (workspace) => connection.read("outgoingHeaders", [outgoing], () => headersOf(workspace)),

    moveOutgoing: (workspace, fence, moves) =>
      connection.guarded("moveOutgoing", [profile, workspaces, positions, outgoing, streams], async (database) => {
        await requireLeader(database, "moveOutgoing", fence);
        await requireWorkspace(database, "moveOutgoing", workspace);
        for (const change of moves) {
          const { transition, counter } = change;
          const row = await database.outgoing.get([workspace, counter]);
          if (row?.state !== transition.from) continue;
          const state = storedState(transition);
          await database.outgoing.put({ ...row, state, attempts: transition.attempts });
          if (isRemarkable(transition)) await changeStream(database, workspace, row.document, change);
        }
      }),

    replaceOutgoing: (workspace, fence, replacement, change) =>
      connection.guarded("replaceOutgoing", [profile, documents, updates, outgoing, streams, log], async (database) => {
        await requireLeader(database, "replaceOutgoing", fence);
        const { device, counter, document, kind, entry, hash } = replacement;
        const refused = await database.outgoing.get([workspace, counter]);
        if (refused?.device !== device || refused.state !== change.transition.from) {
          throw new Fenced({ operation: "replaceOutgoing" });
        }
        await replaceInLog(database, workspace, { device, counter, kind, document, hash, entry }, "keep");
        await database.outgoing.put(toRow(workspace, replacement));
        const through = await requeue(database, refused);
        // An entry of no document, or of one that is not here, has no stream.
        if ((await database.documents.get([workspace, refused.document])) === undefined) return;
        await changeStream(database, workspace, refused.document, { ...change, counter, through });
      }),

    replaceSettled: (workspace, fence, replacement) =>
      connection.guarded("replaceSettled", [profile, workspaces, positions, outgoing, log], async (database) => {
        await requireLeader(database, "replaceSettled", fence);
        const { record } = await requireWorkspace(database, "replaceSettled", workspace);
        const { device, counter, document, kind, entry, hash } = replacement;
        requireThat("replaceSettled", record.device === device);
        requireThat("replaceSettled", (await database.outgoing.get([workspace, counter])) === undefined);
        const voided = { device, counter, kind, document, hash, entry };
        const replaced = await replaceInLog(database, workspace, voided, "forget");
        requireThat("replaceSettled", replaced);
        await database.outgoing.add(toRow(workspace, replacement));
      }),
  };
};
