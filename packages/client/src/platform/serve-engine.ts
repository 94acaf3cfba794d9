/** The engine inside its worker: started by the page's word, it answers over the channel that came with it. */
import type { DocumentSchema } from "@cairn/schema";
import { Effect, Exit, Layer, Scope } from "effect";
import { workerImporterLayer } from "../documents/WorkerImporter.ts";
import { makeEngine } from "../engine/Engine.ts";
import type { EngineApi, EngineEvent } from "../engine/EngineApi.ts";
import { toCairnError } from "../engine/failures.ts";
import { CairnError } from "../errors.ts";
import { eraseDexieStore, layer as dexieStore } from "../store/DexieStore.ts";
import { layerFetch } from "../transport/FetchTransport.ts";
import { exposeApi, toPlainError } from "./channel/api-channel.ts";
import type { Endpoint } from "./channel/Endpoint.ts";
import { portEndpoint, workerThread } from "./channel/web-endpoint.ts";
import type { EngineStart } from "./EngineConnection.ts";
import { Leadership } from "./Leadership.ts";
import { Locks } from "./Locks.ts";
import { Notifier } from "./Notifier.ts";
import { PeerLeases } from "./PeerLeases.ts";
import { schemaFingerprint } from "./schema-fingerprint.ts";
import { Versions } from "./Versions.ts";
import { CHANNEL_VERSION, type FromWorker, IMPORT_WORKER, type ToWorker } from "./worker-protocol.ts";

/** Serves the page that started this worker. `module` is the worker's own module, which import workers start from too. */
export const serveEngine = (
  page: Endpoint<ToWorker, FromWorker>,
  module: string,
  schema: DocumentSchema,
  importBudgetMillis?: number,
): void => {
  const lifetime = Scope.makeUnsafe();
  page.listen((message) => {
    if (message.type === "open") {
      if (message.version !== CHANNEL_VERSION || message.schema !== schemaFingerprint(schema)) {
        page.post({ type: "refused", error: toPlainError(new CairnError("build-mismatch")) });
        return;
      }
      page.post({ type: "hello" });
      Effect.runPromise(Scope.provide(startEngine(message.start, module, schema, importBudgetMillis), lifetime)).then(
        ({ engine, made }) => {
          exposeApi<EngineEvent>(portEndpoint(message.port), engine);
          page.post({ type: "opened", made });
        },
        (error: unknown) => page.post({ type: "refused", error: toPlainError(toCairnError(error)) }),
      );
    } else if (message.type === "close") {
      void Effect.runPromise(Scope.close(lifetime, Exit.void)).finally(() => page.post({ type: "closed" }));
    }
  });
};

/** Milliseconds: a page has its first list by then. */
const LEAD_AFTER = 500;

/** The engine over this browser's store, locks and network. */
const startEngine = Effect.fnUntraced(function* (
  start: EngineStart,
  module: string,
  schema: DocumentSchema,
  importBudgetMillis: number | undefined,
) {
  const { profile } = start;
  let made = "";
  const store = dexieStore({ name: profile, expected: start.expected, onOpened: (opened) => void (made = opened) });
  if (start.erase) {
    yield* Effect.tryPromise({
      try: () => eraseDexieStore(profile),
      catch: (cause) => new CairnError("storage-unavailable", undefined, { cause }),
    });
  }
  const importer = workerImporterLayer({
    spawn: () => workerThread(new Worker(module, { type: "module", name: IMPORT_WORKER })),
    budget: importBudgetMillis,
  });
  const services = Layer.mergeAll(Leadership.layer(profile), PeerLeases.layer(profile), importer, layerFetch).pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        store,
        Locks.web(navigator.locks),
        Notifier.broadcast(profile),
        Versions.broadcast(profile, start.version),
      ),
    ),
  );
  const context = yield* Layer.build(services);
  const engine: EngineApi = yield* makeEngine({
    schema,
    profile,
    server: start.server,
    invite: start.invite,
    deviceName: start.deviceName,
    sync: start.sync,
    deviceKeyForm: "platform",
    leadAfterMillis: LEAD_AFTER,
    keepFirstLook: { build: module },
  }).pipe(Effect.provideContext(context));
  return { engine, made };
});
