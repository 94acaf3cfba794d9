/** A device's identity gives way to its successor (rule 12), in memory. Preconditions are checked before anything changes. */
import { Fenced, isStreamOver, isUnacknowledged, type LocalStoreShape, type UpdateRecord } from "@cairn/client/effect";
import { freezeEntries, holds, led } from "./memory-outbox.ts";
import type { MemoryStorage } from "./memory-storage.ts";
import { atomically, type Run } from "./memory-transaction.ts";

const OPERATION = "succeed";

export const successionOperations = (storage: MemoryStorage, run: Run): Pick<LocalStoreShape, "succeed"> => ({
  succeed: ({ workspace, fence, from, to, ahead, admission, documents }) =>
    atomically(run, OPERATION, () => {
      const stored = led(storage, OPERATION, workspace, fence);
      holds(OPERATION, stored.record.device === from && admission.counter === 1);
      holds(OPERATION, stored.log.get(admission.device)?.has(1) !== true);
      const named = new Set(documents.map(({ document }) => document));
      const sent = new Set([...stored.outgoing.values()].map(({ document }) => document));
      for (const [document, { pending }] of stored.documents) {
        holds(OPERATION, named.has(document) || (pending.length === 0 && !sent.has(document)));
      }
      const remade = documents.map(({ document, acknowledged, unacknowledged }) => {
        const found = stored.documents.get(document);
        if (found === undefined) throw new Fenced({ operation: OPERATION });
        const open = [...found.updates.values()].filter((update) => isUnacknowledged(update, stored.outgoing));
        const changes = new Map(unacknowledged.map((change) => [change.id, change]));
        holds(OPERATION, open.length === changes.size && open.every(({ id }) => changes.has(id)));
        return { document, found, acknowledged, open, changes };
      });

      for (const { document, found, acknowledged, open, changes } of remade) {
        found.updates.clear();
        found.snapshot = undefined;
        found.pending = [];
        for (const row of open) {
          const { update, refs = [], firstForm, appliedAgain } = changes.get(row.id) ?? {};
          if (update === undefined) continue;
          const anew: UpdateRecord = {
            ...row,
            update: update.slice(),
            refs: [...refs],
            firstForm,
            appliedAgain,
            formerEdits: undefined,
            state: "pending",
            device: undefined,
            counter: undefined,
          };
          found.updates.set(row.id, anew);
          found.pending = [...found.pending, row.id];
        }
        for (const update of acknowledged) {
          storage.lastUpdate += 1;
          const id = storage.lastUpdate;
          found.updates.set(id, {
            ...update,
            update: update.update.slice(),
            id,
            workspace,
            state: "received",
            refs: [],
          });
        }
        // One more id than there are updates: the row has to be made anew even where nothing was received.
        storage.lastUpdate += 1;
        found.latest = storage.lastUpdate;
        found.unprojected = storage.lastUpdate;
        found.record = { ...found.record, merging: false };
        const stream = stored.streams.get(document);
        if (stream !== undefined && isStreamOver(stream, found.pending)) stored.streams.delete(document);
      }
      stored.outgoing.clear();
      // Under their counters the server has others.
      const own = stored.log.get(from);
      for (const [counter, { seq }] of own ?? []) if (seq === undefined) own?.delete(counter);
      if (own === undefined || own.size === 0) {
        stored.log.delete(from);
        stored.heads.delete(from);
      } else stored.heads.set(from, Math.max(...own.keys()));
      const { retiredLeases: _, ...rest } = stored.record;
      stored.record = { ...rest, device: to };
      stored.position = { ...stored.position, nextCounter: 1, ahead };
      freezeEntries(OPERATION, stored, [admission]);
    }),
});
