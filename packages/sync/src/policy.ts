/** How patiently the outbox tries. All of it can be chosen by the app. */
import { LIMITS } from "@cairn/protocol";
import { type BackoffLimits, DEFAULT_BACKOFF } from "./backoff.ts";
import { DEFAULT_ATTEMPTS } from "./entry-state.ts";

export interface SyncPolicy {
  readonly backoff: BackoffLimits;
  /** Definite refusals of the same edits before they are parked. */
  readonly attempts: number;
  /** Connected, something pending and nothing moving for this long is a stall. Milliseconds. */
  readonly stallMillis: number;
  /** A full workspace, or one that somebody stopped, is looked at again this often. Milliseconds. */
  readonly probeMillis: number;
  /** The most that goes out at once. */
  readonly batch: { readonly entries: number; readonly bytes: number };
}

export const DEFAULT_POLICY: SyncPolicy = {
  backoff: DEFAULT_BACKOFF,
  attempts: DEFAULT_ATTEMPTS,
  stallMillis: 60_000,
  probeMillis: 60_000,
  batch: { entries: LIMITS.batchEntries, bytes: LIMITS.batchBytes },
};

/** What an app says; what it leaves out is the default. */
export interface SyncChoices {
  readonly backoff?:
    | { readonly baseMillis?: number | undefined; readonly ceilingMillis?: number | undefined }
    | undefined;
  readonly attempts?: number | undefined;
  readonly stallMillis?: number | undefined;
  readonly probeMillis?: number | undefined;
  readonly batch?: { readonly entries?: number | undefined; readonly bytes?: number | undefined } | undefined;
}

/** A number within bounds; what is no number is the default. */
const within = (value: number | undefined, low: number, high: number, usual: number): number =>
  value === undefined || Number.isNaN(value) ? usual : Math.min(high, Math.max(low, value));

/** A policy that works whatever an app says: nothing is 0, and nothing more than the protocol allows. */
export const policyOf = (choices: SyncChoices = {}): SyncPolicy => {
  const { backoff, batch } = DEFAULT_POLICY;
  const baseMillis = within(choices.backoff?.baseMillis, 1, 60_000, backoff.baseMillis);
  return {
    backoff: {
      baseMillis,
      ceilingMillis: within(
        choices.backoff?.ceilingMillis,
        baseMillis,
        3_600_000,
        Math.max(baseMillis, backoff.ceilingMillis),
      ),
    },
    attempts: Math.floor(within(choices.attempts, 1, 1_000, DEFAULT_POLICY.attempts)),
    stallMillis: within(choices.stallMillis, 20, 86_400_000, DEFAULT_POLICY.stallMillis),
    probeMillis: within(choices.probeMillis, 10, 86_400_000, DEFAULT_POLICY.probeMillis),
    batch: {
      entries: Math.floor(within(choices.batch?.entries, 1, LIMITS.batchEntries, batch.entries)),
      bytes: within(choices.batch?.bytes, 1_024, LIMITS.batchBytes, batch.bytes),
    },
  };
};
