/** The outbox in memory. Preconditions are checked before anything changes. */
import {
  type Fence,
  Fenced,
  isRemarkable,
  type LocalStoreShape,
  type LogRecord,
  type NewOutgoing,
  nextStream,
  type OutgoingHeader,
  type PendingDocument,
  storedState,
  type StreamChange,
  type StreamRecord,
} from "@cairn/client/effect";
import { type DeviceId, type DocumentId, NO_DOCUMENT, type WorkspaceId } from "@cairn/protocol";
import { copyOfUpdate } from "./memory-documents.ts";
import type { MemoryStorage, StoredOutgoing, StoredWorkspace } from "./memory-storage.ts";
import { atomically, type Run } from "./memory-transaction.ts";

/** The workspace, unless it is not here or the writer leads no more (hazard 18). */
export const led = (storage: MemoryStorage, operation: string, workspace: WorkspaceId, fence: Fence) => {
  const stored = storage.workspaces.get(workspace);
  if (storage.epoch !== fence || stored === undefined) throw new Fenced({ operation });
  return stored;
};

export const holds = (operation: string, condition: boolean): void => {
  if (!condition) throw new Fenced({ operation });
};

/** False, and nothing stored, where the log has an entry of this device and counter. */
export const insertLog = (stored: StoredWorkspace, entry: Omit<LogRecord, "workspace">): boolean => {
  const { device, counter } = entry;
  const ofDevice = stored.log.get(device) ?? new Map<number, LogRecord>();
  if (ofDevice.has(counter)) return false;
  stored.log.set(device, ofDevice);
  const { seq, kind, document, hash, entry: bytes } = entry;
  ofDevice.set(counter, {
    workspace: stored.record.workspace,
    device,
    counter,
    seq,
    kind,
    document,
    hash,
    entry: bytes,
  });
  stored.heads.set(device, Math.max(stored.heads.get(device) ?? 0, counter));
  return true;
};

const changeLog = (
  stored: StoredWorkspace,
  device: DeviceId,
  counter: number,
  change: Partial<Omit<LogRecord, "workspace" | "device" | "counter">>,
): void => {
  const record = stored.log.get(device)?.get(counter);
  if (record !== undefined) stored.log.get(device)?.set(counter, { ...record, ...change });
};

/** The log gives an entry its sequence. */
export const setSeq = (stored: StoredWorkspace, device: DeviceId, counter: number, seq: number | undefined): void => {
  if (seq !== undefined) changeLog(stored, device, counter, { seq });
};

/** Exactly these counters, whatever else has come since (hazard 14). */
export const settleOutgoing = (
  stored: StoredWorkspace,
  settled: ReadonlyArray<{ readonly counter: number; readonly seq: number | undefined }>,
): void => {
  for (const { counter, seq } of settled) {
    const known = stored.outgoing.get(counter);
    const device = known?.device ?? stored.record.device;
    stored.outgoing.delete(counter);
    // What was PENDING of the document has had its trouble.
    if (known !== undefined && stored.streams.get(known.document)?.state === "PENDING") {
      stored.streams.delete(known.document);
    }
    setSeq(stored, device, counter, seq);
  }
};

const toOutgoing = (stored: StoredWorkspace, entry: Omit<NewOutgoing, "updates">): StoredOutgoing => ({
  workspace: stored.record.workspace,
  device: entry.device,
  counter: entry.counter,
  document: entry.document,
  kind: entry.kind,
  entry: entry.entry,
  hash: entry.hash,
  refs: [...entry.refs],
  state: storedState(entry.frozen),
  attempts: entry.frozen.attempts,
  frozenAt: entry.frozenAt,
});

/** A change of state in a document's stream. An entry of no document has none. */
export const changeStream = (stored: StoredWorkspace, document: DocumentId, change: StreamChange): void => {
  if (document === NO_DOCUMENT) return;
  const known = stored.streams.get(document);
  stored.streams.set(document, nextStream(stored.record.workspace, document, known, change));
};

const inOutboxOrder = (stored: StoredWorkspace | undefined): ReadonlyArray<StoredOutgoing> =>
  [...(stored?.outgoing.values() ?? [])].toSorted((left, right) => left.counter - right.counter);

/** Takes counters, fills outbox and log, freezes updates (rule 1). All or nothing. */
export const freezeEntries = (
  operation: string,
  stored: StoredWorkspace,
  entries: ReadonlyArray<NewOutgoing>,
): void => {
  const { nextCounter } = stored.position;
  const taken = new Set<number>();
  for (const [index, entry] of entries.entries()) {
    holds(operation, entry.counter === nextCounter + index);
    holds(operation, stored.log.get(entry.device)?.has(entry.counter) !== true);
    for (const id of entry.updates) {
      const update = stored.documents.get(entry.document)?.updates.get(id);
      holds(operation, update?.state === "pending" && !taken.has(id));
      taken.add(id);
    }
  }
  for (const entry of entries) {
    insertLog(stored, { ...entry, seq: undefined });
    stored.outgoing.set(entry.counter, toOutgoing(stored, entry));
    const document = stored.documents.get(entry.document);
    if (document === undefined) continue;
    for (const id of entry.updates) {
      const update = document.updates.get(id);
      if (update === undefined) continue;
      document.updates.set(id, { ...update, state: "frozen", device: entry.device, counter: entry.counter });
    }
    document.pending = document.pending.filter((id) => !entry.updates.includes(id));
  }
  stored.position = { ...stored.position, nextCounter: nextCounter + entries.length };
};

/** The highest id of what is pending again; undefined where the document is not here. */
const requeue = (stored: StoredWorkspace, refused: StoredOutgoing): number | undefined => {
  const document = stored.documents.get(refused.document);
  if (document === undefined) return undefined;
  const ids: Array<number> = [];
  for (const [id, update] of document.updates) {
    if (update.state !== "frozen" || update.device !== refused.device || update.counter !== refused.counter) continue;
    document.updates.set(id, { ...update, state: "pending", device: undefined, counter: undefined });
    ids.push(id);
  }
  document.pending = [...document.pending, ...ids].toSorted((left, right) => left - right);
  return Math.max(0, ...ids);
};

const pendingOf = (stored: StoredWorkspace | undefined): ReadonlyArray<PendingDocument> =>
  [...(stored?.documents.values() ?? [])].flatMap(({ record, updates, pending }) => {
    const [first] = pending;
    const oldest = first === undefined ? undefined : updates.get(first);
    if (oldest === undefined) return [];
    const bytes = pending.reduce((sum, id) => sum + (updates.get(id)?.update.length ?? 0), 0);
    return [{ document: record.document, updates: pending.length, bytes, oldest: oldest.time }];
  });

const headersOf = (stored: StoredWorkspace | undefined): ReadonlyArray<OutgoingHeader> =>
  inOutboxOrder(stored).map(({ device, counter, document, kind, state, attempts, frozenAt, entry }) => ({
    device,
    counter,
    document,
    kind,
    state,
    attempts,
    frozenAt,
    bytes: entry.length,
  }));

/** Documents with trouble, in the order of ids. */
export const streamsOf = (stored: StoredWorkspace | undefined): ReadonlyArray<StreamRecord> =>
  [...(stored?.streams.values() ?? [])].toSorted((left, right) => (left.document < right.document ? -1 : 1));

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

export const outboxOperations = (storage: MemoryStorage, run: Run): OutboxOperations => ({
  pendingDocuments: (workspace) => run("pendingDocuments", () => pendingOf(storage.workspaces.get(workspace))),

  pendingUpdates: (workspace, document) =>
    run("pendingUpdates", () => {
      const found = storage.workspaces.get(workspace)?.documents.get(document);
      return (found?.pending ?? []).flatMap((id) => {
        const update = found?.updates.get(id);
        return update === undefined ? [] : [copyOfUpdate(update)];
      });
    }),

  freeze: (workspace, fence, entries) =>
    atomically(run, "freeze", () => freezeEntries("freeze", led(storage, "freeze", workspace, fence), entries)),

  outgoing: (workspace, limit) =>
    run("outgoing", () =>
      inOutboxOrder(storage.workspaces.get(workspace))
        .slice(0, limit)
        .map(({ device: _, ...record }) => record),
    ),

  unacknowledged: (workspace) =>
    run("unacknowledged", () => {
      const stored = storage.workspaces.get(workspace);
      return {
        pending: pendingOf(stored),
        outgoing: headersOf(stored),
        streams: streamsOf(stored),
        nextCounter: stored?.position.nextCounter ?? 1,
      };
    }),

  settle: (workspace, fence, settled, at) =>
    atomically(run, "settle", () => {
      const stored = led(storage, "settle", workspace, fence);
      settleOutgoing(stored, settled);
      stored.position = { ...stored.position, lastSyncedAt: at };
    }),

  outgoingHeaders: (workspace) => run("outgoingHeaders", () => headersOf(storage.workspaces.get(workspace))),

  moveOutgoing: (workspace, fence, moves) =>
    atomically(run, "moveOutgoing", () => {
      const stored = led(storage, "moveOutgoing", workspace, fence);
      for (const change of moves) {
        const { transition, counter } = change;
        const known = stored.outgoing.get(counter);
        if (known?.state !== transition.from) continue;
        stored.outgoing.set(counter, { ...known, state: storedState(transition), attempts: transition.attempts });
        if (isRemarkable(transition)) changeStream(stored, known.document, change);
      }
    }),

  replaceOutgoing: (workspace, fence, replacement, change) =>
    atomically(run, "replaceOutgoing", () => {
      const stored = led(storage, "replaceOutgoing", workspace, fence);
      const { counter } = replacement;
      const refused = stored.outgoing.get(counter);
      if (refused === undefined || refused.device !== replacement.device || refused.state !== change.transition.from) {
        throw new Fenced({ operation: "replaceOutgoing" });
      }
      const { kind, document, hash, entry } = replacement;
      changeLog(stored, refused.device, counter, { kind, document, hash, entry });
      stored.outgoing.set(counter, toOutgoing(stored, replacement));
      const through = requeue(stored, refused);
      if (through !== undefined) changeStream(stored, refused.document, { ...change, counter, through });
    }),

  replaceSettled: (workspace, fence, replacement) =>
    atomically(run, "replaceSettled", () => {
      const stored = led(storage, "replaceSettled", workspace, fence);
      const { counter, device, kind, document, hash, entry } = replacement;
      holds("replaceSettled", stored.record.device === device);
      holds("replaceSettled", !stored.outgoing.has(counter));
      holds("replaceSettled", stored.log.get(device)?.has(counter) === true);
      changeLog(stored, device, counter, { seq: undefined, kind, document, hash, entry });
      stored.outgoing.set(counter, toOutgoing(stored, replacement));
    }),
});
