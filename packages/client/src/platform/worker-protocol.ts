/**
 * How a page and its engine's worker begin. The worker says that it is there; the page answers with what to open and one
 * end of a channel; the engine's API runs over that channel (`channel/api-channel.ts`).
 */
import type { PlainError } from "./channel/api-channel.ts";
import type { EngineStart } from "./EngineConnection.ts";

/** Raised whenever these messages or `EngineApi` change in a way that the other side would misread. */
export const CHANNEL_VERSION = 3;

/** The name under which the app's worker module runs as the import worker. */
export const IMPORT_WORKER = "cairn-import";

export type FromWorker =
  | { readonly type: "hello"; readonly version: number; readonly schema: string }
  /** `made` names the database that was opened. */
  | { readonly type: "opened"; readonly made: string }
  | { readonly type: "refused"; readonly error: PlainError }
  | { readonly type: "closed" };

export type ToWorker =
  | { readonly type: "open"; readonly start: EngineStart; readonly port: MessagePort }
  | { readonly type: "close" };
