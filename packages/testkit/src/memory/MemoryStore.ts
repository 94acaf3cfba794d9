/**
 * A local store in memory, over storage that outlives it: closing the store, or forgetting it as a crash does, leaves the
 * storage as of the last commit. Every operation is one synchronous step, so that whoever simulates a device decides what
 * happens between any two of them.
 */
import {
  appendRefusal,
  type ChunkRecord,
  type DocumentView,
  Fenced,
  LocalStore,
  type LocalStoreShape,
  shownEdits,
  StoreFailure,
} from "@cairn/client/effect";
import type { Hash, WorkspaceId } from "@cairn/protocol";
import { Effect, Layer } from "effect";
import { documentOperations, plainView, touch } from "./memory-documents.ts";
import { logOperations } from "./memory-log.ts";
import { freezeEntries, outboxOperations } from "./memory-outbox.ts";
import { streamOperations } from "./memory-streams.ts";
import { successionOperations } from "./memory-succession.ts";
import type { MemoryStorage } from "./memory-storage.ts";
import { atomically, type Run } from "./memory-transaction.ts";

export { MemoryStorage } from "./memory-storage.ts";

const unavailable = (operation: string, reason: string): StoreFailure =>
  new StoreFailure({ reason: "unavailable", operation, cause: new Error(reason) });

type WorkspaceOperations = Pick<
  LocalStoreShape,
  | "profile"
  | "putProfile"
  | "claimLeadership"
  | "workspaces"
  | "addWorkspace"
  | "updateWorkspace"
  | "removeWorkspace"
  | "position"
  | "appendUpdates"
>;

const workspaceOperations = (storage: MemoryStorage, run: Run): WorkspaceOperations => ({
  profile: run("profile", () => storage.profile),
  putProfile: (profile) =>
    run("putProfile", () => {
      storage.profile = { ...profile };
    }),
  claimLeadership: run("claimLeadership", () => (storage.epoch += 1)),

  workspaces: run("workspaces", () => [...storage.workspaces.values()].map(({ record }) => record)),
  addWorkspace: (record, position, outgoing) =>
    atomically(run, "addWorkspace", () => {
      if (record.workspace !== position.workspace || storage.workspaces.has(record.workspace)) {
        throw new Fenced({ operation: "addWorkspace" });
      }
      const stored = {
        record: { ...record },
        position: { ...position },
        documents: new Map(),
        outgoing: new Map(),
        streams: new Map(),
        log: new Map(),
        heads: new Map(),
      };
      freezeEntries("addWorkspace", stored, outgoing);
      storage.workspaces.set(record.workspace, stored);
    }),
  updateWorkspace: (workspace, change) =>
    run("updateWorkspace", () => {
      const stored = storage.workspaces.get(workspace);
      if (stored === undefined) return;
      const role = change.role ?? stored.record.role;
      const server = "server" in change ? change.server : stored.record.server;
      const { paused: before, ...rest } = stored.record;
      const paused = "paused" in change ? change.paused : before;
      stored.record = { ...rest, role, server, ...(paused === true ? { paused } : {}) };
    }),
  removeWorkspace: (workspace) =>
    run("removeWorkspace", () => {
      storage.workspaces.delete(workspace);
      storage.chunks.delete(workspace);
    }),
  position: (workspace) => run("position", () => storage.workspaces.get(workspace)?.position),

  appendUpdates: (updates) =>
    Effect.suspend(() => {
      const refusal = appendRefusal(updates, ({ workspace }) => storage.workspaces.get(workspace)?.record);
      if (refusal === "unknown") {
        return Effect.fail(unavailable("appendUpdates", "the workspace is not on this device"));
      }
      if (refusal !== undefined) {
        return Effect.fail(new StoreFailure({ reason: refusal, operation: "appendUpdates", cause: undefined }));
      }
      // Before anything is stored: a row that no real store could hold refuses all of the call.
      let rows: ReadonlyArray<DocumentView | undefined>;
      try {
        rows = updates.map(({ row }) => (row === undefined ? undefined : plainView(row)));
      } catch (cause) {
        return Effect.fail(new StoreFailure({ reason: "unavailable", operation: "appendUpdates", cause }));
      }
      const shown = shownEdits(updates);
      return run("appendUpdates", () =>
        updates.flatMap((update, index) => {
          const stored = storage.workspaces.get(update.workspace);
          if (stored === undefined) return [];
          storage.lastUpdate += 1;
          const record = {
            id: storage.lastUpdate,
            workspace: update.workspace,
            document: update.document,
            type: update.type,
            update: update.update.slice(),
            state: "pending" as const,
            device: undefined,
            counter: undefined,
            time: update.time,
            refs: [...update.refs],
          };
          touch(stored, record, shown[index] === true, rows[index]);
          return [record.id];
        }),
      );
    }),
});

const chunkOperations = (
  storage: MemoryStorage,
  run: Run,
): Pick<LocalStoreShape, "putChunks" | "chunk" | "chunkStates" | "markUploaded"> => {
  const find = (workspace: WorkspaceId, hash: Hash): ChunkRecord | undefined =>
    storage.chunks.get(workspace)?.get(hash);
  const put = (chunk: ChunkRecord): void => {
    const ofWorkspace = storage.chunks.get(chunk.workspace) ?? new Map<Hash, ChunkRecord>();
    storage.chunks.set(chunk.workspace, ofWorkspace.set(chunk.hash, chunk));
  };
  return {
    putChunks: (chunks) =>
      run("putChunks", () => {
        for (const chunk of chunks) {
          const uploaded = chunk.uploaded || find(chunk.workspace, chunk.hash)?.uploaded === true;
          put({ ...chunk, bytes: chunk.bytes.slice(), uploaded });
        }
      }),
    chunk: (workspace, hash) =>
      run("chunk", () => {
        const found = find(workspace, hash);
        return found === undefined ? undefined : { ...found, bytes: found.bytes.slice() };
      }),
    chunkStates: (workspace, hashes) =>
      run("chunkStates", () => {
        const states = new Map<Hash, "local" | "uploaded">();
        for (const hash of hashes) {
          const found = find(workspace, hash);
          if (found !== undefined) states.set(hash, found.uploaded ? "uploaded" : "local");
        }
        return states;
      }),
    markUploaded: (workspace, hash) =>
      run("markUploaded", () => {
        const found = find(workspace, hash);
        if (found !== undefined) put({ ...found, uploaded: true });
      }),
  };
};

/** What cannot be changed needs no copy. */
const cloneOf = (value: unknown): unknown => (typeof value === "string" ? value : structuredClone(value));

/** Opens a store over storage. */
export const makeMemoryStore = (storage: MemoryStorage): LocalStoreShape => {
  let open = true;
  const run: Run = (operation, body) =>
    Effect.suspend(() => (open ? Effect.succeed(body()) : Effect.fail(unavailable(operation, "the store is closed"))));
  return {
    ...workspaceOperations(storage, run),
    ...outboxOperations(storage, run),
    ...streamOperations(storage, run),
    ...successionOperations(storage, run),
    ...logOperations(storage, run),
    ...documentOperations(storage, run),
    ...chunkOperations(storage, run),
    secret: (name) => run("secret", () => cloneOf(storage.secrets.get(name))),
    putSecret: (name, value) =>
      run("putSecret", () => {
        storage.secrets.set(name, cloneOf(value));
      }),
    removeSecret: (name) =>
      run("removeSecret", () => {
        storage.secrets.delete(name);
      }),
    close: Effect.sync(() => {
      open = false;
    }),
  };
};

/** The store of some storage, closed with the layer. */
export const layerMemoryStore = (storage: MemoryStorage): Layer.Layer<LocalStore> =>
  Layer.effect(
    LocalStore,
    Effect.acquireRelease(
      Effect.sync(() => LocalStore.of(makeMemoryStore(storage))),
      (store) => store.close,
    ),
  );
