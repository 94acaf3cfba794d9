/** Rows of the tables as records. Columns hold what these types said when they were written; the readers check their shape. */
import type { OutboxMoment } from "../../sync-api.ts";
import { DeviceId, DocumentId, Hash, LinkId, ServerId, WorkspaceId } from "@cairn/protocol";
import { ENTRY_STATES, type EntryState } from "@cairn/sync";
import type { SQLOutputValue } from "node:sqlite";
import type {
  DocumentRecord,
  LogRecord,
  OutgoingHeader,
  OutgoingRecord,
  PositionRecord,
  StreamRecord,
  UpdateRecord,
  WorkspaceRecord,
} from "../records.ts";
import { UpdateState } from "./tables.ts";

export type Row = Record<string, SQLOutputValue>;
type Column = SQLOutputValue | undefined;

const wrong = (what: string): never => {
  throw new TypeError(`the database holds something else than ${what}`);
};
export const text = (column: Column): string => (typeof column === "string" ? column : wrong("text"));
export const number = (column: Column): number => (typeof column === "number" ? column : wrong("a number"));
export const bytes = (column: Column): Uint8Array => (column instanceof Uint8Array ? column : wrong("bytes"));
const optional = <A>(column: Column, read: (column: Column) => A): A | undefined =>
  column === null || column === undefined ? undefined : read(column);

// Only typed ids were stored, so that their form needs no second check on every row.
const unchecked = { disableChecks: true } as const;
export const workspaceId = (column: Column): WorkspaceId => WorkspaceId.make(text(column), unchecked);
export const documentId = (column: Column): DocumentId => DocumentId.make(text(column), unchecked);
export const deviceId = (column: Column): DeviceId => DeviceId.make(text(column), unchecked);
export const hash = (column: Column): Hash => Hash.make(text(column), unchecked);
const linkId = (column: Column): LinkId => LinkId.make(text(column), unchecked);
const serverId = (column: Column): ServerId => ServerId.make(text(column), unchecked);
export const optionalWorkspaceId = (column: Column): WorkspaceId | undefined => optional(column, workspaceId);

const role = (column: Column): WorkspaceRecord["role"] =>
  column === "owner" || column === "writer" || column === "reader" ? column : wrong("a role");

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const fields = (column: Column): Readonly<Record<string, unknown>> => {
  const parsed: unknown = JSON.parse(text(column));
  return isRecord(parsed) ? parsed : wrong("fields");
};

const hashes = (column: Column): ReadonlyArray<Hash> => {
  const parsed: unknown = JSON.parse(text(column));
  return Array.isArray(parsed) ? parsed.map(hash) : wrong("hashes");
};

const entryState = (column: Column): EntryState =>
  ENTRY_STATES.find((state) => state === column) ?? wrong("the state of an entry");

export const numbers = (column: Column): ReadonlyArray<number> => {
  const parsed: unknown = JSON.parse(text(column));
  return Array.isArray(parsed) ? parsed.map((value: Column) => number(value)) : wrong("numbers");
};

/** How often each document was made anew. */
export const rebuilds = (column: Column): Readonly<Record<DocumentId, number>> => {
  const parsed: unknown = JSON.parse(text(column));
  if (typeof parsed !== "object" || parsed === null) return wrong("rebuilds");
  return Object.fromEntries(
    Object.entries(parsed).map(([id, times]: [string, Column]) => [documentId(id), number(times)]),
  );
};

export const texts = (column: Column): ReadonlyArray<string> => {
  const parsed: unknown = JSON.parse(text(column));
  return Array.isArray(parsed) && parsed.every((part) => typeof part === "string") ? parsed : wrong("texts");
};

export const toWorkspace = (row: Row): WorkspaceRecord => ({
  workspace: workspaceId(row["workspace"]),
  device: deviceId(row["device"]),
  role: role(row["role"]),
  createdHere: row["created_here"] === 1,
  server: optional(row["server_origin"], text),
  joinedBy: optional(row["joined_by"], linkId),
  addedAt: number(row["added_at"]),
  ...(row["paused"] === 1 ? { paused: true } : {}),
  ...(row["retired_leases"] === null ? {} : { retiredLeases: numbers(row["retired_leases"]) }),
  ...(row["rebuilds"] === null ? {} : { rebuilds: rebuilds(row["rebuilds"]) }),
});

export const toPosition = (row: Row): PositionRecord => ({
  workspace: workspaceId(row["workspace"]),
  cursor: number(row["cursor"]),
  chain: hash(row["chain"]),
  server: optional(row["server"], serverId),
  serverEpoch: number(row["server_epoch"]),
  nextCounter: number(row["next_counter"]),
  lastSyncedAt: optional(row["last_synced_at"], number),
  ...(row["ahead"] === null ? {} : { ahead: number(row["ahead"]) }),
});

export const toDocument = (row: Row): DocumentRecord => ({
  workspace: workspaceId(row["workspace"]),
  document: documentId(row["document"]),
  type: text(row["type"]),
  fields: fields(row["fields"]),
  projection: text(row["projection"]),
  deleted: row["deleted"] === 1,
  createdAt: number(row["created_at"]),
  updatedAt: number(row["updated_at"]),
  merging: row["merging"] === 1,
});

const stateNames = new Map<Column, UpdateRecord["state"]>([
  [UpdateState.pending, "pending"],
  [UpdateState.frozen, "frozen"],
  [UpdateState.received, "received"],
]);

export const toUpdate =
  (workspace: WorkspaceId, document: DocumentId) =>
  (row: Row): UpdateRecord => ({
    id: number(row["id"]),
    workspace,
    document,
    type: text(row["type"]),
    update: bytes(row["bytes"]),
    state: stateNames.get(row["state"]) ?? wrong("a state"),
    device: optional(row["device"], deviceId),
    counter: optional(row["counter"], number),
    time: number(row["time"]),
    refs: optional(row["refs"], hashes) ?? [],
    firstForm: optional(row["first_form"], hash),
    appliedAgain: optional(row["applied_again"], hashes),
    formerEdits: optional(row["former_edits"], bytes),
  });

export const toOutgoing = (row: Row): OutgoingRecord => ({
  workspace: workspaceId(row["workspace"]),
  counter: number(row["counter"]),
  document: documentId(row["document"]),
  kind: number(row["kind"]),
  entry: bytes(row["entry"]),
  hash: hash(row["hash"]),
  refs: hashes(row["refs"]),
  state: entryState(row["state"]),
  attempts: number(row["attempts"]),
  frozenAt: number(row["frozen_at"]),
});

export const toHeader = (row: Row): OutgoingHeader => ({
  device: deviceId(row["device"]),
  counter: number(row["counter"]),
  document: documentId(row["document"]),
  kind: number(row["kind"]),
  state: entryState(row["state"]),
  attempts: number(row["attempts"]),
  frozenAt: number(row["frozen_at"]),
  bytes: number(row["bytes"]),
});

/** Written by `JSON.stringify` of such a list. */
const moments = (column: Column): ReadonlyArray<OutboxMoment> => {
  const parsed: unknown = JSON.parse(text(column));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only this store writes the column
  return Array.isArray(parsed) ? (parsed as ReadonlyArray<OutboxMoment>) : wrong("a history");
};

export const toStream = (row: Row): StreamRecord => ({
  workspace: workspaceId(row["workspace"]),
  document: documentId(row["document"]),
  state: row["state"] === "DEAD_LETTER" ? "DEAD_LETTER" : "PENDING",
  attempts: number(row["attempts"]),
  code: optional(row["code"], text),
  message: optional(row["message"], text),
  since: number(row["since"]),
  through: number(row["through"]),
  history: moments(row["history"]),
});

export const toLog = (row: Row): LogRecord => ({
  workspace: workspaceId(row["workspace"]),
  device: deviceId(row["device"]),
  counter: number(row["counter"]),
  seq: optional(row["seq"], number),
  kind: number(row["kind"]),
  document: documentId(row["document"]),
  hash: hash(row["hash"]),
  entry: bytes(row["entry"]),
});
