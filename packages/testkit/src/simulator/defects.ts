/**
 * The deliberate defects: each is a mistake that a sync engine, its store or its server has really been seen to make, put
 * around a port. A test shows that the simulator finds every one of them.
 */
import type { LocalStoreShape } from "@cairn/client/effect";
import { nextLogChain, type PageItem, type PushResult, type WorkspaceId } from "@cairn/protocol";
import { identityKey } from "@cairn/server";
import { Effect } from "effect";
import { type LoroDoc, LoroMap } from "loro-crdt";
import type { StoredDocument, StoredWorkspace } from "../memory/memory-storage.ts";
import type { Defect } from "./Defect.ts";
import { editNote } from "./note-schema.ts";

/** Does something more after an operation has succeeded. */
const after = <Args extends ReadonlyArray<unknown>, A, E>(
  operation: (...args: Args) => Effect.Effect<A, E>,
  then: (...args: Args) => void,
): ((...args: Args) => Effect.Effect<A, E>) => {
  return (...args) => Effect.tap(operation(...args), () => Effect.sync(() => then(...args)));
};

const dropPending = (document: StoredDocument, ids: ReadonlyArray<number>): void => {
  document.pending = document.pending.filter((id) => !ids.includes(id));
  for (const id of ids) document.updates.delete(id);
};

const hasOutgoing = (stored: StoredWorkspace, document: StoredDocument): boolean =>
  [...stored.outgoing.values()].some((entry) => entry.document === document.record.document);

/** How often a mistake that needs bad luck has it. */
const BAD_LUCK = 0.05;

const inStore: ReadonlyArray<Defect> = [
  {
    name: "clears-outbox-by-workspace",
    description:
      "An acknowledgement empties the workspace's outbox, and not just of what was acknowledged (hazard 14).",
    store: (store, storage) => ({
      ...store,
      settle: after(store.settle, (workspace) => storage.workspaces.get(workspace)?.outgoing.clear()),
    }),
  },
  {
    name: "cursor-before-entries",
    description: "The cursor moves in a transaction of its own, before the one that stores the entries.",
    store: (store, storage, world) => ({
      ...store,
      receive: (receipt) =>
        Effect.suspend(() => {
          const stored = storage.workspaces.get(receipt.workspace);
          // What a crash between the two transactions leaves.
          if (stored === undefined || storage.epoch !== receipt.fence || !world.random.chance(BAD_LUCK)) {
            return store.receive(receipt);
          }
          if (stored.position.cursor === receipt.from) {
            stored.position = { ...stored.position, cursor: receipt.cursor, chain: receipt.chain };
          }
          return Effect.void;
        }),
    }),
  },
  {
    name: "drops-edits-during-a-push",
    description: "An edit of a document whose entry is under way is called saved, and forgotten.",
    store: (store, storage) => ({
      ...store,
      appendUpdates: (updates) =>
        Effect.map(store.appendUpdates(updates), (ids) => {
          for (const [index, { workspace, document: id }] of updates.entries()) {
            const stored = storage.workspaces.get(workspace);
            const document = stored?.documents.get(id);
            if (stored === undefined || document === undefined || !hasOutgoing(stored, document)) continue;
            dropPending(document, ids.slice(index, index + 1));
          }
          return ids;
        }),
    }),
  },
  {
    name: "saved-before-durable",
    description: "The store answers before its transaction has committed (promise 4).",
    store: (store, storage, world) => ({
      ...store,
      appendUpdates: (updates) =>
        Effect.map(store.appendUpdates(updates), (ids) => {
          // What a crash right after the answer leaves.
          if (!world.random.chance(BAD_LUCK)) return ids;
          for (const [index, { workspace, document: id }] of updates.entries()) {
            const document = storage.workspaces.get(workspace)?.documents.get(id);
            if (document !== undefined) dropPending(document, ids.slice(index, index + 1));
          }
          return ids;
        }),
    }),
  },
  {
    name: "freezes-what-it-does-not-hold",
    description: "Freezing marks every waiting edit of the document, also those that came after the entry was sealed.",
    store: (store, storage) => ({
      ...store,
      freeze: after(store.freeze, (workspace, _fence, entries) => {
        for (const entry of entries) {
          const document = storage.workspaces.get(workspace)?.documents.get(entry.document);
          if (document === undefined) continue;
          for (const id of document.pending) {
            const update = document.updates.get(id);
            if (update === undefined) continue;
            document.updates.set(id, { ...update, state: "frozen", device: entry.device, counter: entry.counter });
          }
          document.pending = [];
        }
      }),
    }),
  },
  {
    name: "in-flight-taken-for-sent",
    description: "A new leader takes what the last one had under way for sent.",
    store: (store, storage) => ({
      ...store,
      claimLeadership: Effect.tap(store.claimLeadership, () =>
        Effect.sync(() => {
          for (const stored of storage.workspaces.values()) stored.outgoing.clear();
        }),
      ),
    }),
  },
  {
    name: "received-edits-yield-to-own",
    description: "What is received for a document with waiting edits is put into the log and not into the document.",
    store: (store, storage) => ({
      ...store,
      receive: (receipt) => {
        const documents = storage.workspaces.get(receipt.workspace)?.documents;
        const updates = receipt.updates.filter(({ document }) => (documents?.get(document)?.pending.length ?? 0) === 0);
        return store.receive({ ...receipt, updates });
      },
    }),
  },
  {
    name: "requeue-lost-on-void",
    description: "A refused entry is voided, and its edits do not wait again (rule 4).",
    store: (store, storage) => ({
      ...store,
      replaceOutgoing: (workspace, fence, replacement, change) => {
        const document = storage.workspaces.get(workspace)?.outgoing.get(replacement.counter)?.document;
        return after(store.replaceOutgoing, () => {
          const refused =
            document === undefined ? undefined : storage.workspaces.get(workspace)?.documents.get(document);
          if (refused !== undefined) dropPending(refused, refused.pending);
        })(workspace, fence, replacement, change);
      },
    }),
  },
  {
    name: "discard-drops-later-edits",
    description: "Giving refused edits up gives those behind them up, too.",
    store: (store) => ({
      ...store,
      rebuildDocument: (rebuilding) => {
        const { document, edits } = rebuilding;
        return store.rebuildDocument({ ...rebuilding, edits: edits.filter((edit) => edit.document !== document) });
      },
    }),
  },
  {
    name: "retry-sends-what-is-behind",
    description: "Trying again sends the edits behind the refused ones, without those (promise 4).",
    store: (store, storage) => ({
      ...store,
      moveStream: (workspace, document, change) => {
        const stored = storage.workspaces.get(workspace);
        const { through } = stored?.streams.get(document) ?? { through: 0 };
        return after(store.moveStream, () => {
          const found = stored?.documents.get(document);
          if (change.transition.event !== "retried" || found === undefined) return;
          dropPending(
            found,
            found.pending.filter((id) => id <= through),
          );
        })(workspace, document, change);
      },
    }),
  },
  {
    name: "fork-keeps-the-refused",
    description: "Refused edits that were taken into another document stay in the old one, where nobody else has them.",
    store: (store, storage) => ({
      ...store,
      rebuildDocument: (rebuilding) => {
        const { workspace, document, pending, edits } = rebuilding;
        const isFork = edits.some((edit) => edit.document !== document);
        const before = storage.workspaces.get(workspace)?.documents.get(document)?.updates;
        const kept = isFork ? pending.flatMap((id) => before?.get(id) ?? []) : [];
        return after(store.rebuildDocument, () => {
          const updates = storage.workspaces.get(workspace)?.documents.get(document)?.updates;
          for (const update of kept) updates?.set(update.id, { ...update, state: "frozen" });
        })(rebuilding);
      },
    }),
  },
  {
    name: "dead-letter-holds-up-the-outbox",
    description: "Nothing leaves while edits of some document are parked (hazard 15).",
    store: (store, storage) => ({
      ...store,
      unacknowledged: (workspace) =>
        Effect.map(store.unacknowledged(workspace), (unacknowledged) => {
          const streams = [...(storage.workspaces.get(workspace)?.streams.values() ?? [])];
          const isHeld = streams.some(({ state }) => state === "DEAD_LETTER");
          return isHeld ? { ...unacknowledged, pending: [] } : unacknowledged;
        }),
    }),
  },
  {
    name: "fence-ignored",
    description: "A leader that was replaced goes on writing: nothing asks who leads, nor where the cursor stands.",
    store: (store, storage) => {
      const cursorOf = (workspace: WorkspaceId, otherwise: number): number =>
        storage.workspaces.get(workspace)?.position.cursor ?? otherwise;
      const ignoring: Partial<LocalStoreShape> = {
        receive: (receipt) =>
          Effect.suspend(() =>
            store.receive({ ...receipt, fence: storage.epoch, from: cursorOf(receipt.workspace, receipt.from) }),
          ),
        settle: (workspace, _fence, settled, at) =>
          Effect.suspend(() => store.settle(workspace, storage.epoch, settled, at)),
        freeze: (workspace, _fence, entries) =>
          Effect.suspend(() => {
            // Counters are taken as they come, too.
            const stored = storage.workspaces.get(workspace);
            const first = entries[0]?.counter;
            if (stored !== undefined && first !== undefined && first < stored.position.nextCounter) {
              for (const { device, counter } of entries) {
                stored.log.get(device)?.delete(counter);
                stored.outgoing.delete(counter);
              }
              stored.position = { ...stored.position, nextCounter: first };
            }
            return store.freeze(workspace, storage.epoch, entries);
          }),
      };
      return { ...store, ...ignoring };
    },
  },
];

const inServer: ReadonlyArray<Defect> = [
  {
    name: "no-row-lock",
    description: "Writers of one workspace do not wait for each other: two pushes interleave (promise 3).",
    server: { withoutRowLock: true },
  },
  {
    name: "acknowledges-before-commit",
    description: "The server answers before the commit (promise 1).",
    server: {
      entryLog: (log, world) => ({
        ...log,
        push: (pusher, batch) =>
          Effect.suspend(() => {
            // What a crash between the answer and the commit leaves.
            if (!world.random.chance(BAD_LUCK)) return log.push(pusher, batch);
            return Effect.map(Effect.orDie(log.state(pusher.workspace)), ({ head, chain }) => ({
              head,
              chain,
              results: batch.map(({ header: { device, counter } }, index): PushResult => ({
                status: "stored",
                device,
                counter,
                seq: head + index + 1,
              })),
            }));
          }),
      }),
    },
  },
  {
    name: "retry-stored-again",
    description: "A push that is repeated after a lost answer is stored a second time (promise 2).",
    server: {
      entryLog: (log, _world, database) => ({
        ...log,
        push: (pusher, batch) =>
          Effect.tap(log.push(pusher, batch), ({ results }) =>
            Effect.sync(() => {
              const stored = database.logs.get(pusher.workspace);
              for (const result of results) {
                const seq = stored?.seqByIdentity.get(identityKey(result.device, result.counter)) ?? 0;
                const row = stored?.entries[seq - 1];
                if (result.status !== "duplicate" || stored === undefined || row === undefined) continue;
                const chain = nextLogChain(stored.chain, stored.head + 1, row.hash);
                stored.head += 1;
                stored.chain = chain;
                stored.entries.push({ ...row, seq: stored.head, chain });
              }
            }),
          ),
      }),
    },
  },
  {
    name: "skips-an-entry-on-catching-up",
    description: "A page of several entries leaves one out, as if it did not count any more (promise 3).",
    server: {
      entryLog: (log, world, database) => ({
        ...log,
        pull: (request) =>
          Effect.map(log.pull(request), (page) => {
            const left = page.items.findIndex(({ type }, index) => type === "entry" && index > 0);
            if (left < 0 || !world.random.chance(BAD_LUCK * 4)) return page;
            const items = page.items.map((item, index): PageItem => {
              const chain = database.logs.get(request.workspace)?.entries[item.seq - 1]?.chain;
              return index !== left || chain === undefined
                ? item
                : { type: "skipped", seq: item.seq, until: item.seq, chain };
            });
            return { ...page, items };
          }),
      }),
    },
  },
];

/** The successor that counts for the lines of a note. */
const lineSuccessor = (note: LoroDoc): LoroMap | undefined => {
  const successors = note.getMap("$v2.lines");
  const winner: unknown = successors.get(String(successors.get("$winner")));
  return winner instanceof LoroMap ? winner : undefined;
};

const inPage: ReadonlyArray<Defect> = [
  {
    name: "shared-peer",
    description: "All tabs of a device write under one Loro peer id (hazard L4).",
    sharedPeer: true,
  },
  {
    name: "empties-what-it-moved",
    description: "An app of a newer version deletes the older form of what it has in a newer one (promise 10).",
    page: (note, version) => {
      if (version > 1) note.getList("lines").clear();
    },
  },
  {
    name: "knows-what-it-never-read",
    description: "An app of a newer version says that it has seen whatever older apps wrote meanwhile (promise 10).",
    page: (note, version) => {
      const successor = lineSuccessor(note);
      if (version === 1 || successor === undefined) return;
      // One that is made now has the digest of the older form as it is now.
      const other = note.fork();
      editNote(2, other).addLine("never read");
      successor.set("$base", lineSuccessor(other)?.get("$base"));
      other.free();
    },
  },
];

/** All of them. */
export const defects: ReadonlyArray<Defect> = [...inStore, ...inServer, ...inPage];
