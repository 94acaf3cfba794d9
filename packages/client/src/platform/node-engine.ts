/** The engine in a Node process, over a folder. */
import type { DocumentSchema } from "@cairn/schema";
import { Effect, Exit, Layer, Scope } from "effect";
import { stat, statfs } from "node:fs/promises";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import type { OpenOptions } from "../api.ts";
import { inProcessImporterLayer } from "../documents/InProcessImporter.ts";
import { startedWorkerImporterLayer } from "../documents/WorkerImporter.ts";
import { makeEngine } from "../engine/Engine.ts";
import { toCairnError } from "../engine/failures.ts";
import { CairnError } from "../errors.ts";
import { checkedOptions, checkImportBudget, requireOption } from "../page/check-arguments.ts";
import { layer as sqliteStore, ProfileInUse } from "../store/SqliteStore.ts";
import { layerFetch } from "../transport/FetchTransport.ts";
import { nodeWorkerThread } from "./channel/node-endpoint.ts";
import type { EngineConnection } from "./EngineConnection.ts";
import { Leadership } from "./Leadership.ts";
import { Locks } from "./Locks.ts";
import { makeNotifierHub, Notifier } from "./Notifier.ts";
import { PeerLeases } from "./PeerLeases.ts";
import { schemaFingerprint } from "./schema-fingerprint.ts";
import { makeStorageConnection, type StoragePlatform } from "./StorageConnection.ts";

/** Opens the folder's profile. Rejects with `profile-in-use`, `storage-*`, `imports-unavailable` or `build-mismatch`. */
export const startNodeEngine = async <S extends DocumentSchema>(options: OpenOptions<S>): Promise<EngineConnection> => {
  const { server, invite, deviceName } = checkedOptions(options);
  checkImportBudget(options.importBudgetMillis, options.importThread !== undefined);
  const directory = resolve(requireOption(options.directory, "directory", "the folder that holds the local store"));
  // The folder's lock leaves one engine: its locks and events need no further than this process.
  const services = Layer.mergeAll(Leadership.layer(directory), PeerLeases.layer(directory), layerFetch).pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        importerLayer(options),
        sqliteStore({ directory }),
        Locks.inProcess,
        Notifier.inProcess(makeNotifierHub()),
      ),
    ),
  );
  const lifetime = Scope.makeUnsafe();
  const start = Effect.flatMap(Layer.build(services), (context) =>
    makeEngine({
      schema: options.schema,
      profile: directory,
      server,
      invite,
      deviceName: deviceName ?? hostname(),
      sync: options.sync,
      deviceKeyForm: "file",
    }).pipe(Effect.provideContext(context)),
  );
  const close = (): Promise<void> => Effect.runPromise(Scope.close(lifetime, Exit.void));
  try {
    const engine = await Effect.runPromise(Scope.provide(start, lifetime));
    return {
      engine,
      storage: makeStorageConnection(engine, folderStorage(directory)),
      close,
    };
  } catch (error) {
    await close();
    throw error instanceof ProfileInUse ? new CairnError("profile-in-use", error.message) : toCairnError(error);
  }
};

/** In the app's import thread, or without one in this thread, where nothing can be given up (rule 15). */
const importerLayer = <S extends DocumentSchema>({ importBudgetMillis, importThread, schema }: OpenOptions<S>) =>
  importThread === undefined
    ? inProcessImporterLayer({ schema, now: () => performance.now() })
    : startedWorkerImporterLayer({
        spawn: () => nodeWorkerThread(importThread()),
        schema: schemaFingerprint(schema),
        budget: importBudgetMillis,
      });

/** A folder is kept until somebody deletes it; its room is that of the disk. */
const folderStorage = (directory: string): StoragePlatform => ({
  read: async () => {
    const sizeOf = (file: string): Promise<number> =>
      stat(join(directory, file)).then(
        ({ size }) => size,
        () => 0,
      );
    const [database, log, disk] = await Promise.all([
      sizeOf("cairn.db"),
      sizeOf("cairn.db-wal"),
      statfs(directory).catch(() => undefined),
    ]);
    const usage = database + log;
    return { keeping: "kept", usage, quota: disk === undefined ? undefined : usage + disk.bavail * disk.bsize };
  },
  keep: () => Promise.resolve(),
});
