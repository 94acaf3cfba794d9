/**
 * `@cairn/client/worker`: what an app's worker module calls. The module runs twice: as the engine, which the page starts,
 * and as the import worker, which the engine starts and may kill (rule 15). Its name tells which of the two it is, and
 * each loads only its part.
 */
import type { DocumentSchema } from "@cairn/schema";
import type { LookedMessage } from "../first-look/FirstLook.ts";
import { readFirstLook } from "../first-look/read-first-look.ts";
import type { Endpoint } from "./channel/Endpoint.ts";
import { type Port, scopeEndpoint } from "./channel/web-endpoint.ts";
import { IMPORT_WORKER } from "./worker-protocol.ts";

export interface CairnWorkerOptions {
  /** The same schema as the page's, or a function that loads it: nothing of it is needed for a first look. */
  readonly schema: DocumentSchema | (() => Promise<DocumentSchema>);
  /**
   * The profile (`OpenOptions.name`) whose first lists this worker reads before anything else, for `firstLookOf` in the page.
   * Only where the worker's address changes with every build, as bundlers name files: another build may declare its
   * documents in another way.
   */
  readonly firstLook?: string | undefined;
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
export const runCairnWorker = ({ firstLook, importBudgetMillis, schema }: CairnWorkerOptions): void => {
  // TypeScript knows either pages or workers; this package has both, and declares what it needs of the second.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const scope = globalThis as unknown as WorkerScope;
  const early = keepEarly(scope);
  const loadSchema = async (): Promise<DocumentSchema> => (typeof schema === "function" ? schema() : schema);
  const serve = async (): Promise<void> => {
    if (scope.name === IMPORT_WORKER) {
      const [{ serveImports }, loaded] = await Promise.all([import("../documents/serve-imports.ts"), loadSchema()]);
      serveImports(early(), { schema: loaded, now: () => performance.now() });
      return;
    }
    if (firstLook !== undefined) await Promise.race([look(scope, firstLook), wait(LOOK_WITHIN)]);
    const [{ serveEngine }, loaded] = await Promise.all([import("./serve-engine.ts"), loadSchema()]);
    serveEngine(early(), scope.location.href, loaded, importBudgetMillis);
  };
  // Whoever started this worker hears of it as an error of the worker.
  serve().catch((error: unknown) => scope.reportError(error));
};

/** The engine waits no longer for a look, in milliseconds. */
const LOOK_WITHIN = 250;

/** Tells the page what its lists show. What is loaded beside a look would keep its answers waiting. */
const look = async (scope: WorkerScope, profile: string): Promise<void> => {
  const found = await readFirstLook(profile, scope.location.href).catch(() => undefined);
  const message: LookedMessage = { type: "looked", look: found };
  scope.postMessage(message, []);
};

const wait = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis));

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
