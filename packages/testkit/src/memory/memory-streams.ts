/** The trouble with documents' edits in memory: streams, what they hold back, and documents made anew. */
import {
  Fenced,
  isNothingLeft,
  type LocalStoreShape,
  piecesOf,
  shownEdits,
  type UpdateRecord,
  withRebuild,
} from "@cairn/client/effect";
import { plainView, show, touch } from "./memory-documents.ts";
import { changeStream, holds, led, streamsOf } from "./memory-outbox.ts";
import type { MemoryStorage, StoredDocument } from "./memory-storage.ts";
import { atomically, type Run } from "./memory-transaction.ts";

type StreamOperations = Pick<LocalStoreShape, "streams" | "moveStream" | "splitPending" | "rebuildDocument">;

export const streamOperations = (storage: MemoryStorage, run: Run): StreamOperations => {
  /** Puts an update behind all others. */
  const add = (found: StoredDocument, update: Omit<UpdateRecord, "id">): void => {
    storage.lastUpdate += 1;
    const id = storage.lastUpdate;
    found.updates.set(id, { ...update, id });
    found.latest = id;
    if (update.state === "pending") found.pending = [...found.pending, id];
  };

  return {
    streams: (workspace) => run("streams", () => streamsOf(storage.workspaces.get(workspace))),

    moveStream: (workspace, document, change) =>
      atomically(run, "moveStream", () => {
        const stored = storage.workspaces.get(workspace);
        if (stored === undefined) throw new Fenced({ operation: "moveStream" });
        holds("moveStream", (stored.documents.get(document)?.pending.length ?? 0) > 0);
        holds("moveStream", (stored.streams.get(document)?.state ?? "PENDING") === change.transition.from);
        changeStream(stored, document, change);
      }),

    splitPending: (workspace, fence, document, id, pieces) =>
      atomically(run, "splitPending", () => {
        const found = led(storage, "splitPending", workspace, fence).documents.get(document);
        const waiting = (found?.pending ?? []).filter((pending) => pending >= id);
        const rows = waiting.flatMap((pending) => found?.updates.get(pending) ?? []);
        const [split, ...later] = rows;
        if (found === undefined || split?.id !== id) throw new Fenced({ operation: "splitPending" });
        for (const pending of waiting) found.updates.delete(pending);
        found.pending = found.pending.filter((pending) => pending < id);
        for (const piece of piecesOf(split, pieces)) add(found, { ...piece, update: piece.update.slice() });
        for (const update of later) add(found, update);
      }),

    rebuildDocument: ({ workspace, document, device, discarded, pending, through, acknowledged, edits, row, retire }) =>
      atomically(run, "rebuildDocument", () => {
        const stored = storage.workspaces.get(workspace);
        const found = stored?.documents.get(document);
        if (stored === undefined || found === undefined) throw new Fenced({ operation: "rebuildDocument" });
        holds("rebuildDocument", stored.record.device === device);
        holds("rebuildDocument", stored.streams.get(document)?.state === discarded.from);
        holds("rebuildDocument", ![...stored.outgoing.values()].some((entry) => entry.document === document));
        holds(
          "rebuildDocument",
          found.pending.length === pending.length && found.pending.every((id, index) => id === pending[index]),
        );
        const newest = Math.max(found.snapshot?.through ?? 0, ...found.updates.keys());
        holds("rebuildDocument", newest <= through);
        stored.streams.delete(document);
        found.updates.clear();
        found.pending = [];
        found.snapshot = undefined;
        found.unprojected = undefined;
        show(found, plainView(row));
        found.record = { ...found.record, merging: false };
        for (const { own, ...update } of acknowledged) {
          add(found, {
            ...update,
            update: update.update.slice(),
            workspace,
            state: own ? "frozen" : "received",
            refs: [],
          });
        }
        if (row.projection === undefined) found.unprojected = found.latest;
        if (isNothingLeft({ document, acknowledged, edits })) stored.documents.delete(document);
        const shown = shownEdits(edits);
        for (const [index, { row: view, rebuilds: _, ...edit }] of edits.entries()) {
          storage.lastUpdate += 1;
          const record = {
            ...edit,
            update: edit.update.slice(),
            ...(edit.formerEdits && { formerEdits: edit.formerEdits.slice() }),
            id: storage.lastUpdate,
          };
          touch(
            stored,
            { ...record, state: "pending", device: undefined, counter: undefined },
            shown[index] === true,
            view === undefined ? undefined : plainView(view),
          );
        }
        const retiredLeases = [...new Set([...(stored.record.retiredLeases ?? []), ...retire])];
        stored.record = {
          ...stored.record,
          ...(retiredLeases.length === 0 ? {} : { retiredLeases }),
          rebuilds: withRebuild(stored.record.rebuilds, document),
        };
      }),
  };
};
