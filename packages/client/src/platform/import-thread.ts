/**
 * `@cairn/client/import-thread`: what the module of an app's import thread calls, in Node. Imports run there, and an import
 * that exceeds its budget is ended with its thread (rule 15). It loads what imports need, and no engine.
 */
import type { DocumentSchema } from "@cairn/schema";
import { parentPort } from "node:worker_threads";
import { serveImports } from "../documents/serve-imports.ts";
import { nodePortEndpoint } from "./channel/node-endpoint.ts";

export interface ImportThreadOptions {
  /** The same schema as that of `openCairn`. */
  readonly schema: DocumentSchema;
}

/**
 * Runs Cairn's imports in this thread of `node:worker_threads`, which `OpenOptions.importThread` starts. Call it once, at the
 * top of the module. Throws where it is not in such a thread.
 */
export const runImportThread = ({ schema }: ImportThreadOptions): void => {
  if (parentPort === null) throw new Error("`runImportThread` runs in the thread that `importThread` starts.");
  serveImports(nodePortEndpoint(parentPort), { schema, now: () => performance.now() });
};
