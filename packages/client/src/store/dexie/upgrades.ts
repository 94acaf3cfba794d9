/** From one version of the tables to the next. Each runs in the transaction of the database's own upgrade: all or nothing. */
import type { DeviceId, DocumentId, WorkspaceId } from "@cairn/protocol";
import type { Transaction } from "dexie";
import type { StreamRecord } from "../records.ts";
import { UNKNOWN_DECLARATION } from "./tables-version.ts";
import type { DocumentRow, OutgoingRow, UpdateRow } from "./tables.ts";

/** What version 1 kept of edits that were refused for good, by the counter of their voided entry. */
interface ParkedRow {
  readonly workspace: WorkspaceId;
  readonly counter: number;
  readonly document: DocumentId;
  readonly code: string;
  readonly message: string;
  readonly parkedAt: number;
}

/** 1 to 2: states are explicit, and what is parked is a document's stream with its waiting edits. */
export const makeStatesExplicit = async (transaction: Transaction): Promise<void> => {
  await transaction.table<OutgoingRow>("outgoing").toCollection().modify({ state: "IN_FLIGHT" });
  const devices = new Map(
    (await transaction.table<{ workspace: WorkspaceId; device: DeviceId }>("workspaces").toArray()).map((record) => [
      record.workspace,
      record.device,
    ]),
  );
  const parked = transaction.table<ParkedRow>("parked");
  for (const row of await parked.toArray()) await toStream(transaction, row, devices.get(row.workspace));
  await parked.clear();
};

const toStream = async (
  transaction: Transaction,
  { workspace, counter, document, code, message, parkedAt }: ParkedRow,
  device: DeviceId | undefined,
): Promise<void> => {
  const updates = transaction.table<UpdateRow>("updates");
  const refused = (
    await updates
      .where("[workspace+document+id]")
      .between([workspace, document, 0], [workspace, document, Infinity])
      .toArray()
  ).filter((update) => update.state === "frozen" && update.device === device && update.counter === counter);
  if (refused.length === 0) return;
  await updates.bulkPut(
    refused.map((update) => ({ ...update, state: "pending", device: undefined, counter: undefined, waits: 1 })),
  );
  const documents = transaction.table<DocumentRow, [WorkspaceId, DocumentId]>("documents");
  const row = await documents.get([workspace, document]);
  if (row !== undefined) {
    await documents.put({
      ...row,
      pendingUpdates: (row.pendingUpdates ?? 0) + refused.length,
      pendingBytes: row.pendingBytes + refused.reduce((sum, { update }) => sum + update.length, 0),
    });
  }
  const streams = transaction.table<StreamRecord, [WorkspaceId, DocumentId]>("streams");
  const known = await streams.get([workspace, document]);
  await streams.put({
    workspace,
    document,
    state: "DEAD_LETTER",
    attempts: 0,
    code,
    message,
    since: parkedAt,
    through: Math.max(known?.through ?? 0, ...refused.map(({ id }) => id)),
    history: [],
  });
};

/** What rows were before version 3: one part of what is now written with every edit stood in the view. */
interface OldView {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly deleted: boolean;
  readonly createdAt: number;
}

const ROWS_AT_ONCE = 500;
/** 2 to 3: rows say by which declaration they were made (by none that is known), and are made anew by and by. */
export const makeRowsIndexable = async (transaction: Transaction): Promise<void> => {
  const documents = transaction.table<DocumentRow, [WorkspaceId, DocumentId]>("documents");
  const views = transaction.table<OldView, [WorkspaceId, DocumentId]>("views");
  const keys = await documents.toCollection().primaryKeys();
  for (let start = 0; start < keys.length; start += ROWS_AT_ONCE) {
    const some = keys.slice(start, start + ROWS_AT_ONCE);
    const found = await views.bulkGet(some);
    const rows = (await documents.bulkGet(some)).flatMap((row, index) => {
      const view = found[index];
      if (row === undefined) return [];
      const { deleted = false, createdAt = row.updatedAt } = view ?? {};
      return [{ ...row, deleted, createdAt, projection: UNKNOWN_DECLARATION, entries: [] }];
    });
    await documents.bulkPut(rows);
  }
};
