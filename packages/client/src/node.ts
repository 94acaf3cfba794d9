/** `@cairn/client` in Node. */
import type { DocumentSchema } from "@cairn/schema";
import type { Cairn, OpenOptions } from "./api.ts";
import { openOver } from "./platform/EngineConnection.ts";
import { startNodeEngine } from "./platform/node-engine.ts";

export * from "./public.ts";

/**
 * Opens a profile. Needs `schema` and `directory`, a folder that no other process has open. Works at once and offline;
 * nothing leaves the device without `server`. Rejects with a `CairnError`: `profile-in-use`, `storage-unavailable`,
 * `storage-full`; where an `importThread` is named and does not start, `imports-unavailable`, and where it has another schema,
 * `build-mismatch`.
 */
export const openCairn = <S extends DocumentSchema>(options: OpenOptions<S>): Promise<Cairn<S>> =>
  openOver(options.schema, startNodeEngine(options), options.firstLists);
