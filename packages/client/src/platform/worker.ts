/**
 * `@cairn/client/worker`: what an app's worker module calls. The module runs twice: as the engine, which the page starts,
 * and as the import worker, which the engine starts and may kill (rule 15). Its name tells which of the two it is, and
 * each loads only its part.
 */
import type { DocumentSchema } from "@cairn/schema";
import type { Endpoint } from "./channel/Endpoint.ts";
import { type Port, scopeEndpoint } from "./channel/web-endpoint.ts";
import { IMPORT_WORKER } from "./worker-protocol.ts";

export interface CairnWorkerOptions {
  /** The same schema as the page's. */
  readonly schema: DocumentSchema;
  /**
   * How long one import may take, in milliseconds, before it is given up, its document is shown as merging, and it is begun
   * again where nothing waits for it (rule 15). Default 3,000.
   */
  readonly importBudgetMillis?: number | undefined;
}

/** What this module uses of a `DedicatedWorkerGlobalScope`. */
interface WorkerScope extends Port {
  readonly name: string;
  readonly location: { readonly href: string };
  close(): void;
  reportError(error: unknown): void;
}

/** Runs Cairn in this worker. Call it once, at the top of the app's worker module. */
export const runCairnWorker = ({ importBudgetMillis, schema }: CairnWorkerOptions): void => {
  // TypeScript knows either pages or workers; this package has both, and declares what it needs of the second.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const scope = globalThis as unknown as WorkerScope;
  const early = keepEarly(scope);
  const loaded =
    scope.name === IMPORT_WORKER
      ? import("../documents/serve-imports.ts").then(({ serveImports }) =>
          serveImports(early(), { schema, now: () => performance.now() }),
        )
      : import("./serve-engine.ts").then(({ serveEngine }) =>
          serveEngine(early(), scope.location.href, schema, importBudgetMillis),
        );
  // Whoever started this worker hears of it as an error of the worker.
  loaded.catch((error: unknown) => scope.reportError(error));
};

/**
 * Messages that come while the rest of the worker is being loaded would be lost, since nobody listens yet. The function that
 * this returns gives an endpoint whose listener gets them first.
 */
const keepEarly = (scope: WorkerScope) => {
  const messages: Array<MessageEvent<unknown>> = [];
  const keep = (event: MessageEvent<unknown>): void => void messages.push(event);
  scope.addEventListener("message", keep);
  return <Received, Sent>(): Endpoint<Received, Sent> => {
    const endpoint = scopeEndpoint<Received, Sent>(scope);
    return {
      ...endpoint,
      listen: (onMessage) => {
        scope.removeEventListener("message", keep);
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what comes is of one build on both sides
        for (const { data } of messages.splice(0)) onMessage(data as Received);
        endpoint.listen(onMessage);
      },
    };
  };
};
