/** Starts the engine's worker for a page, and keeps the connection to it. */
import type { DocumentSchema } from "@cairn/schema";
import type { OpenOptions } from "../api.ts";
import type { EngineApi, EngineEvent } from "../engine/EngineApi.ts";
import { CairnError } from "../errors.ts";
import { checkedOptions, requireOption } from "../page/check-arguments.ts";
import { type ApiConnection, connectApi, fromPlainError } from "./channel/api-channel.ts";
import type { Thread } from "./channel/Endpoint.ts";
import { portEndpoint, workerThread } from "./channel/web-endpoint.ts";
import type { EngineConnection, EngineStart } from "./EngineConnection.ts";
import { makeBrowserStorage, rememberedDatabase, rememberDatabase } from "./browser-storage.ts";
import { schemaFingerprint } from "./schema-fingerprint.ts";
import { makeStorageConnection } from "./StorageConnection.ts";
import { ENGINE_VERSION } from "./Versions.ts";
import { CHANNEL_VERSION, type FromWorker, type ToWorker } from "./worker-protocol.ts";

/** Milliseconds for the worker's module to load. */
const HELLO_WITHIN = 60_000;
/** Milliseconds for the engine to give back its locks and its database. */
const CLOSE_WITHIN = 5_000;

type WorkerThread = Thread<FromWorker, ToWorker>;

/** Starts the engine in a worker. Rejects with `insecure-context`, `build-mismatch`, `engine-lost` or `storage-*`. */
export const startBrowserEngine = async <S extends DocumentSchema>(
  options: OpenOptions<S>,
): Promise<EngineConnection> => {
  const worker = requireOption(options.worker, "worker", "a function that starts the app's worker module");
  const { server, invite, deviceName } = checkedOptions(options);
  // Rule 29: no cryptography, no Web Locks and no persistent storage elsewhere.
  if (!globalThis.isSecureContext) throw new CairnError("insecure-context");

  const thread: WorkerThread = workerThread(worker());
  const inbox = makeInbox(thread);
  const profile = options.name ?? "cairn";
  const remembered = rememberedDatabase(profile);
  const platform = makeBrowserStorage();
  let connection: ApiConnection<EngineApi> | undefined;
  try {
    const { port1, port2 } = new MessageChannel();
    connection = connectApi<EngineEvent, EngineApi>(portEndpoint(port1), { returned: platform.called });
    const erase = options.afterLoss === "start-anew" && remembered !== undefined;
    const start: EngineStart = {
      profile,
      server,
      invite,
      deviceName: deviceName ?? "Browser",
      sync: options.sync,
      version: [ENGINE_VERSION, options.schema.version, options.appVersion ?? 0],
      expected: erase ? undefined : remembered,
      erase,
    };
    const schema = schemaFingerprint(options.schema);
    thread.post({ type: "open", version: CHANNEL_VERSION, schema, start, port: port2 }, [port2]);
    await inbox.next("hello", HELLO_WITHIN);
    const { made } = await inbox.next("opened", undefined);
    rememberDatabase(profile, made);
  } catch (error) {
    thread.close();
    throw error;
  }

  const { api, fail } = connection;
  inbox.onLost((error) => {
    // What it did not say to be stored is unknown: nothing of it is trusted any more, and its locks are given up.
    thread.close();
    fail(error);
  });
  return {
    engine: api,
    storage: makeStorageConnection(api, platform),
    close: async () => {
      thread.post({ type: "close" });
      try {
        await inbox.next("closed", CLOSE_WITHIN);
      } catch {
        // It hangs. What it held ends with it.
      }
      thread.close();
      fail(new CairnError("closed"));
    },
  };
};

/** The worker's messages as promises. A refusal or a failure of the worker rejects whatever is waited for. */
const makeInbox = (thread: WorkerThread) => {
  const received = new Map<FromWorker["type"], FromWorker>();
  let wake = (): void => {};
  let lost: CairnError | undefined;
  let report = (_error: CairnError): void => {};
  thread.listen((message) => {
    received.set(message.type, message);
    wake();
  });
  thread.onFailure((cause) => {
    lost = new CairnError("engine-lost", undefined, { cause });
    wake();
    report(lost);
  });

  const next = <T extends FromWorker["type"]>(
    type: T,
    within: number | undefined,
  ): Promise<Extract<FromWorker, { readonly type: T }>> =>
    new Promise((resolve, reject) => {
      const isExpected = (message: FromWorker | undefined): message is Extract<FromWorker, { readonly type: T }> =>
        message?.type === type;
      const timer = within === undefined ? undefined : setTimeout(() => reject(new CairnError("engine-lost")), within);
      wake = () => {
        const expected = received.get(type);
        const refused = received.get("refused");
        if (isExpected(expected)) resolve(expected);
        else if (refused?.type === "refused") reject(fromPlainError(refused.error));
        else if (lost !== undefined) reject(lost);
        else return;
        clearTimeout(timer);
      };
      wake();
    });

  return {
    next,
    onLost: (callback: (error: CairnError) => void): void => {
      report = callback;
      if (lost !== undefined) callback(lost);
    },
  };
};
