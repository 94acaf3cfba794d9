/** Small, distinct values of the types that a local store keeps. */
import type {
  DocumentView,
  Fence,
  LogRecord,
  NewLocalUpdate,
  NewOutgoing,
  NewReceivedUpdate,
  PositionRecord,
  Receipt,
  StreamChange,
  WorkspaceRecord,
} from "@cairn/client/effect";
import {
  type DeviceId,
  deviceIdFromBytes,
  type DocumentId,
  documentIdFromBytes,
  EntryKind,
  type Hash,
  hashFromBytes,
  serverIdFromBytes,
  workspaceIdFromBytes,
} from "@cairn/protocol";
import { orderKey } from "@cairn/schema";
import { type EntryEvent, type EntryState, freezing, transition } from "@cairn/sync";

/** A change of state, as an engine decides it. */
export const changeOf = (
  event: EntryEvent,
  state: EntryState = "IN_FLIGHT",
  change: { readonly attempts?: number; readonly at?: number; readonly code?: string; readonly message?: string } = {},
): StreamChange => {
  const { attempts = 0, at = 8, ...reason } = change;
  const decided = transition({ state, attempts }, event);
  if (decided === undefined) throw new TypeError(`${event} changes nothing of what is ${state}`);
  return { transition: decided, at, ...reason };
};

const filled = (length: number, ...numbers: ReadonlyArray<number>): Uint8Array => {
  const bytes = new Uint8Array(length);
  for (const [index, number] of numbers.entries()) new DataView(bytes.buffer).setUint32(index * 4, number);
  return bytes;
};
const id = (kind: number, number: number) => filled(16, kind, number);

export const workspaceOf = (number: number) => workspaceIdFromBytes(id(1, number));
export const documentOf = (number: number) => documentIdFromBytes(id(2, number));
export const deviceOf = (number: number) => deviceIdFromBytes(id(3, number));
export const serverOf = (number: number) => serverIdFromBytes(id(4, number));
export const hashOf = (...numbers: ReadonlyArray<number>): Hash => hashFromBytes(filled(32, ...numbers));
export const bytesOf = (...numbers: ReadonlyArray<number>): Uint8Array => Uint8Array.from(numbers);

export const WORKSPACE = workspaceOf(1);
export const OTHER_WORKSPACE = workspaceOf(2);
/** The device of every sample workspace. */
export const DEVICE = deviceOf(1);
export const PEER = deviceOf(2);
export const NOTE = documentOf(1);
export const OTHER_NOTE = documentOf(2);

export const workspaceRecord = (workspace = WORKSPACE): WorkspaceRecord => ({
  workspace,
  device: DEVICE,
  role: "owner",
  createdHere: true,
  server: undefined,
  joinedBy: undefined,
  addedAt: 1_000,
});

export const positionRecord = (workspace = WORKSPACE): PositionRecord => ({
  workspace,
  cursor: 0,
  chain: hashOf(0),
  server: undefined,
  serverEpoch: 0,
  nextCounter: 1,
  lastSyncedAt: undefined,
});

export const edit = (change: Partial<NewLocalUpdate> = {}): NewLocalUpdate => ({
  workspace: WORKSPACE,
  document: NOTE,
  type: "note",
  update: bytesOf(1, 2, 3),
  time: 2_000,
  refs: [],
  row: undefined,
  ...change,
});

/** The declaration that sample rows are made by. */
export const FINGERPRINT = "sample";

/** A row whose title is indexed and searched for. */
export const viewOf = (title: string, change: Partial<DocumentView> = {}): DocumentView => ({
  deleted: false,
  createdAt: 5,
  projection: {
    fingerprint: FINGERPRINT,
    fields: { title },
    indexed: [{ path: "title", keys: [orderKey(title)] }],
    searchText: title,
  },
  ...change,
});

/** What the store says of a document with such a row. */
export const shownBy = ({ deleted, createdAt, projection }: DocumentView) => ({
  deleted,
  createdAt,
  ...(projection === undefined ? {} : { fields: projection.fields, projection: projection.fingerprint }),
});

export const outgoingEntry = (
  counter: number,
  updates: ReadonlyArray<number>,
  change: Partial<NewOutgoing> = {},
): NewOutgoing => ({
  counter,
  device: DEVICE,
  document: NOTE,
  kind: EntryKind.update,
  entry: bytesOf(9, counter),
  hash: hashOf(9, counter),
  refs: [],
  frozenAt: 3_000,
  frozen: freezing(0),
  updates,
  ...change,
});

export const logEntry = (
  device: DeviceId,
  counter: number,
  seq: number | undefined,
  document: DocumentId = NOTE,
): Omit<LogRecord, "workspace"> => ({
  device,
  counter,
  seq,
  kind: EntryKind.update,
  document,
  hash: hashOf(8, counter),
  entry: bytesOf(8, counter),
});

export const receivedUpdate = (device: DeviceId, counter: number, document: DocumentId = NOTE): NewReceivedUpdate => ({
  device,
  counter,
  document,
  type: "note",
  update: bytesOf(7, counter),
  time: 2_500,
});

export const receipt = (fence: Fence, from: number, change: Partial<Receipt> = {}): Receipt => ({
  workspace: WORKSPACE,
  fence,
  from,
  cursor: from + 1,
  chain: hashOf(5, from + 1),
  entries: [],
  updates: [],
  settled: [],
  at: 4_000,
  ...change,
});
