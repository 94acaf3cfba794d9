/** The sealed log in memory, and receiving into it. */
import type { LocalStoreShape, LogRecord } from "@cairn/client/effect";
import type { WorkspaceId } from "@cairn/protocol";
import { touch } from "./memory-documents.ts";
import { holds, insertLog, led, setSeq, settleOutgoing } from "./memory-outbox.ts";
import type { MemoryStorage } from "./memory-storage.ts";
import { atomically, type Run } from "./memory-transaction.ts";

type LogOperations = Pick<LocalStoreShape, "receive" | "rebase" | "logOf" | "logOfKind" | "logPage" | "versions">;

const byDevice = (left: LogRecord, right: LogRecord): number =>
  left.device < right.device ? -1 : left.device > right.device ? 1 : left.counter - right.counter;

export const logOperations = (storage: MemoryStorage, run: Run): LogOperations => {
  const all = (workspace: WorkspaceId): ReadonlyArray<LogRecord> =>
    [...(storage.workspaces.get(workspace)?.log.values() ?? [])].flatMap((entries) => [...entries.values()]);

  return {
    receive: ({ workspace, fence, from, cursor, chain, entries, updates, settled, at }) =>
      atomically(run, "receive", () => {
        const stored = led(storage, "receive", workspace, fence);
        holds("receive", stored.position.cursor === from);
        // Promise 2: what the log has is not applied again.
        const known = new Set<string>();
        for (const entry of entries) {
          if (insertLog(stored, entry)) continue;
          setSeq(stored, entry.device, entry.counter, entry.seq);
          known.add(`${entry.device}/${entry.counter}`);
        }
        for (const update of updates) {
          if (known.has(`${update.device}/${update.counter}`)) continue;
          storage.lastUpdate += 1;
          const { document, type, device, counter, time } = update;
          const record = {
            id: storage.lastUpdate,
            workspace,
            document,
            type,
            update: update.update.slice(),
            state: "received" as const,
            device,
            counter,
            time,
            refs: [],
          };
          touch(stored, record, false, undefined);
        }
        settleOutgoing(stored, settled);
        stored.position = { ...stored.position, cursor, chain, lastSyncedAt: at };
      }),

    rebase: (workspace, fence, { cursor, chain, server, serverEpoch }) =>
      atomically(run, "rebase", () => {
        const stored = led(storage, "rebase", workspace, fence);
        const { ahead: _, ...position } = stored.position;
        stored.position = { ...position, cursor, chain, server, serverEpoch };
      }),

    logOf: (workspace, device, from, limit) =>
      run("logOf", () => {
        const stored = storage.workspaces.get(workspace);
        const entries = stored?.log.get(device);
        const found: Array<LogRecord> = [];
        const last = stored?.heads.get(device) ?? 0;
        for (let counter = Math.max(from, 0); counter <= last && found.length < limit; counter += 1) {
          const record = entries?.get(counter);
          if (record !== undefined) found.push(record);
        }
        return found;
      }),

    logOfKind: (workspace, kind) =>
      run("logOfKind", () =>
        all(workspace)
          .filter((record) => record.kind === kind)
          .toSorted((left, right) => {
            if (left.seq === undefined && right.seq !== undefined) return 1;
            if (left.seq !== undefined && right.seq === undefined) return -1;
            if (left.seq !== right.seq) return (left.seq ?? 0) - (right.seq ?? 0);
            return left.counter - right.counter || byDevice(left, right);
          }),
      ),

    logPage: (workspace, after, limit) =>
      run("logPage", () =>
        all(workspace)
          .filter(
            ({ device, counter }) =>
              after === undefined || device > after.device || (device === after.device && counter > after.counter),
          )
          .toSorted(byDevice)
          .slice(0, limit),
      ),

    versions: (workspace) => run("versions", () => new Map(storage.workspaces.get(workspace)?.heads)),
  };
};
