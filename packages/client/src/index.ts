/** `@cairn/client` in browsers. */
import type { DocumentSchema } from "@cairn/schema";
import type { Cairn, OpenOptions } from "./api.ts";
import { openOver } from "./platform/EngineConnection.ts";
import { startBrowserEngine } from "./platform/browser-engine.ts";

export * from "./public.ts";

/**
 * Opens a profile. Needs `schema` and `worker`, a function that starts the module which calls `runCairnWorker` with the
 * same schema. Works at once and offline; nothing leaves the device without `server`. Rejects with a `CairnError`:
 * `insecure-context`, `storage-unavailable`, `storage-full`, `build-mismatch`, `engine-lost`.
 */
export const openCairn = <S extends DocumentSchema>(options: OpenOptions<S>): Promise<Cairn<S>> =>
  openOver(options.schema, startBrowserEngine(options), options.firstLists);
