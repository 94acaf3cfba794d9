/**
 * `@cairn/client/worker`: what an app's worker module calls. The module runs twice: as the engine, which the page starts,
 * and as the import worker, which the engine starts and may kill (rule 15). Its name tells which of the two it is.
 */
import type { DocumentSchema } from "@cairn/schema";
import { Effect, Exit, Layer, Scope } from "effect";
import { makeWorkerImporter, serveImports } from "../documents/WorkerImporter.ts";
import { Importer } from "../documents/Importer.ts";
import { makeEngine } from "../engine/Engine.ts";
import type { EngineApi, EngineEvent } from "../engine/EngineApi.ts";
import { toCairnError } from "../engine/failures.ts";
import { layer as dexieStore } from "../store/DexieStore.ts";
import { layerFetch } from "../transport/FetchTransport.ts";
import { exposeApi, toPlainError } from "./channel/api-channel.ts";
import type { Endpoint } from "./channel/Endpoint.ts";
import { type Port, portEndpoint, scopeEndpoint, workerThread } from "./channel/web-endpoint.ts";
import { type EngineStart, schemaFingerprint } from "./EngineConnection.ts";
import { Leadership } from "./Leadership.ts";
import { Locks } from "./Locks.ts";
import { Notifier } from "./Notifier.ts";
import { PeerLeases } from "./PeerLeases.ts";
import { CHANNEL_VERSION, type FromWorker, IMPORT_WORKER, type ToWorker } from "./worker-protocol.ts";

export interface CairnWorkerOptions {
  /** The same schema as the page's. */
  readonly schema: DocumentSchema;
}

/** What this module uses of a `DedicatedWorkerGlobalScope`. */
interface WorkerScope extends Port {
  readonly name: string;
  readonly location: { readonly href: string };
  close(): void;
}

/** Runs Cairn in this worker. Call it once, at the top of the app's worker module. */
export const runCairnWorker = (options: CairnWorkerOptions): void => {
  // TypeScript knows either pages or workers; this package has both, and declares what it needs of the second.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const scope = globalThis as unknown as WorkerScope;
  if (scope.name === IMPORT_WORKER) {
    serveImports(scopeEndpoint(scope), { schema: options.schema, now: () => performance.now() });
  } else {
    serveEngine(scopeEndpoint(scope), scope.location.href, options.schema);
  }
};

const serveEngine = (page: Endpoint<ToWorker, FromWorker>, module: string, schema: DocumentSchema): void => {
  const lifetime = Scope.makeUnsafe();
  page.listen((message) => {
    if (message.type === "open") {
      Effect.runPromise(Scope.provide(startEngine(message.start, module), lifetime)).then(
        (engine) => {
          exposeApi<EngineEvent>(portEndpoint(message.port), engine);
          page.post({ type: "opened" });
        },
        (error: unknown) => page.post({ type: "refused", error: toPlainError(toCairnError(error)) }),
      );
    } else {
      void Effect.runPromise(Scope.close(lifetime, Exit.void)).finally(() => page.post({ type: "closed" }));
    }
  });
  page.post({ type: "hello", version: CHANNEL_VERSION, schema: schemaFingerprint(schema) });
};

/** The engine over this browser's store, locks and network. */
const startEngine = Effect.fnUntraced(function* (start: EngineStart, module: string) {
  const { profile } = start;
  const importer = Layer.effect(
    Importer,
    makeWorkerImporter({
      spawn: () => workerThread(new Worker(module, { type: "module", name: IMPORT_WORKER })),
    }),
  );
  const services = Layer.mergeAll(Leadership.layer(profile), PeerLeases.layer(profile), importer, layerFetch).pipe(
    Layer.provideMerge(
      Layer.mergeAll(dexieStore({ name: profile }), Locks.web(navigator.locks), Notifier.broadcast(profile)),
    ),
  );
  const context = yield* Layer.build(services);
  const engine: EngineApi = yield* makeEngine({
    server: start.server,
    deviceName: start.deviceName,
    deviceKeyForm: "platform",
  }).pipe(Effect.provideContext(context));
  return engine;
});
