/**
 * How a page and its engine's worker begin. The page says what it is and what to open, and gives one end of a channel; the
 * worker says that it is there, or refuses a page of another build; the engine's API runs over the channel
 * (`channel/api-channel.ts`). The worker may run before there is anything in the page that listens to it.
 */
import type { PlainError } from "./channel/api-channel.ts";
import type { EngineStart } from "./EngineConnection.ts";

/** Raised whenever these messages or `EngineApi` change in a way that the other side would misread. */
export const CHANNEL_VERSION = 4;

/** The name under which the app's worker module runs as the import worker. */
export const IMPORT_WORKER = "cairn-import";

export type FromWorker =
  /** The answer to `open`: it is there, and opens. */
  | { readonly type: "hello" }
  /** `made` names the database that was opened. */
  | { readonly type: "opened"; readonly made: string }
  | { readonly type: "refused"; readonly error: PlainError }
  | { readonly type: "closed" };

export type ToWorker =
  | {
      readonly type: "open";
      readonly version: number;
      /** Fingerprint of the page's schema. */
      readonly schema: string;
      readonly start: EngineStart;
      readonly port: MessagePort;
    }
  | { readonly type: "close" };
