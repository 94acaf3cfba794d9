/** Single entries in the log and in the outbox, inside a transaction that somebody else opened. */
import { type DeviceId, type DocumentId, NO_DOCUMENT, type WorkspaceId } from "@cairn/protocol";
import { ownBytes } from "../../platform/channel/Endpoint.ts";
import type { LogRecord } from "../records.ts";
import { type StreamChange, nextStream } from "../streams.ts";
import type { CairnDatabase, LogRow } from "./tables.ts";

const toRow = (workspace: WorkspaceId, entry: Omit<LogRecord, "workspace">): LogRow => {
  const { device, counter, seq, kind, document, hash, entry: bytes } = entry;
  // Received entries are views of the page that they came in: each row would be stored with all of it.
  const row = { workspace, device, counter, seq, kind, document, hash, entry: ownBytes(bytes) };
  return seq === undefined ? { ...row, waits: 1 } : row;
};

/** Stores entries that the log does not have; returns those that it has. */
export const insertIntoLog = async <Entry extends Omit<LogRecord, "workspace">>(
  database: CairnDatabase,
  workspace: WorkspaceId,
  entries: ReadonlyArray<Entry>,
): Promise<ReadonlyArray<Entry>> => {
  const known: Array<Entry> = [];
  const added = new Map<string, Entry>();
  const devices = [...new Set(entries.map(({ device }) => device))];
  const heads = new Map<DeviceId, number>();
  for (const head of await database.heads.bulkGet(
    devices.map((device): [WorkspaceId, DeviceId] => [workspace, device]),
  )) {
    if (head !== undefined) heads.set(head.device, head.counter);
  }
  const raised = new Map(heads);
  for (const entry of entries) {
    const { device, counter } = entry;
    const name = `${device}/${counter}`;
    // Beyond the highest counter of its author there is nothing to look for.
    const isBehind = counter <= (heads.get(device) ?? 0);
    if (added.has(name) || (isBehind && (await isInLog(database, [workspace, device, counter])))) {
      known.push(entry);
      continue;
    }
    added.set(name, entry);
    raised.set(device, Math.max(raised.get(device) ?? 0, counter));
  }
  await database.log.bulkAdd([...added.values()].map((entry) => toRow(workspace, entry)));
  const higher = [...raised].filter(([device, counter]) => counter > (heads.get(device) ?? 0));
  await database.heads.bulkPut(higher.map(([device, counter]) => ({ workspace, device, counter })));
  return known;
};

const isInLog = async (database: CairnDatabase, key: [WorkspaceId, DeviceId, number]): Promise<boolean> =>
  (await database.log.where(":id").equals(key).count()) > 0;

export const setSeq = async (
  database: CairnDatabase,
  workspace: WorkspaceId,
  device: DeviceId,
  counter: number,
  seq: number | undefined,
): Promise<void> => {
  if (seq === undefined) return;
  const row = await database.log.get([workspace, device, counter]);
  if (row !== undefined) await database.log.put(toRow(workspace, { ...row, seq }));
};

/** Another entry under the same counter (rule 4). False where there is none to replace. */
export const replaceInLog = async (
  database: CairnDatabase,
  workspace: WorkspaceId,
  entry: Omit<LogRecord, "workspace" | "seq">,
  seq: "keep" | "forget",
): Promise<boolean> => {
  const row = await database.log.get([workspace, entry.device, entry.counter]);
  if (row === undefined) return false;
  await database.log.put(toRow(workspace, { ...entry, seq: seq === "keep" ? row.seq : undefined }));
  return true;
};

/** Exactly these counters leave the outbox, whatever else has come since (hazard 14). */
export const settleOutgoing = async (
  database: CairnDatabase,
  workspace: WorkspaceId,
  device: DeviceId,
  settled: ReadonlyArray<{ readonly counter: number; readonly seq: number | undefined }>,
): Promise<void> => {
  for (const { counter, seq } of settled) {
    const row = await database.outgoing.get([workspace, counter]);
    if (row !== undefined) {
      await database.outgoing.delete([workspace, counter]);
      await endStream(database, workspace, row.document);
    }
    await setSeq(database, workspace, row?.device ?? device, counter, seq);
  }
};

/** Something of the document was acknowledged: what was PENDING has had its trouble. */
const endStream = async (database: CairnDatabase, workspace: WorkspaceId, document: DocumentId): Promise<void> => {
  const stream = await database.streams.get([workspace, document]);
  if (stream?.state === "PENDING") await database.streams.delete([workspace, document]);
};

/** A change of state in a document's stream. An entry of no document has none. */
export const changeStream = async (
  database: CairnDatabase,
  workspace: WorkspaceId,
  document: DocumentId,
  change: StreamChange,
): Promise<void> => {
  if (document === NO_DOCUMENT) return;
  const known = await database.streams.get([workspace, document]);
  await database.streams.put(nextStream(workspace, document, known, change));
};
