/**
 * Settling: what the answer to a push means for the outbox. Pure and total over the answers that the protocol knows.
 */
import type { Hash, PushResult } from "@cairn/protocol";

/** An entry of the outbox, as far as settling cares. */
export interface Waiting {
  readonly counter: number;
  readonly hash: Hash;
}

/** What to do about the edits of an entry that will never be taken. */
export type Edits =
  /** They go out again in a new entry. */
  | { readonly type: "requeue" }
  /** They are kept aside with the reason. */
  | { readonly type: "park"; readonly code: string; readonly message: string };

export interface Settlement {
  /** Acknowledged: these counters, and no others, leave the outbox (hazard 14). */
  readonly settled: ReadonlyArray<{ readonly counter: number; readonly seq: number | undefined }>;
  /** Refused for good: to be replaced by a void under its counter (rule 4). At most one, the first. */
  readonly refused: { readonly counter: number; readonly edits: Edits } | undefined;
  /** What has to happen before the rest is sent again. */
  readonly next:
    | { readonly type: "continue" }
    /** The server lacks entries that this device has: supply its own from here on (rules 2 and 11). */
    | { readonly type: "resupply"; readonly from: number }
    /** Upload these chunks first; the entry stays as it is. */
    | { readonly type: "upload"; readonly missing: ReadonlyArray<Hash> }
    /** Pull, so that membership and key epoch are known, then go on. */
    | { readonly type: "pull" }
    /** The workspace is full. */
    | { readonly type: "quota" }
    /** Another entry has this identity: the profile was cloned or restored (rules 3 and 12). */
    | { readonly type: "identity-conflict"; readonly counter: number };
}

/** Reads the results of one push of `sent`, in the order in which they were sent. */
export const settlePush = (sent: ReadonlyArray<Waiting>, results: ReadonlyArray<PushResult>): Settlement => {
  const sentCounters = new Set(sent.map((entry) => entry.counter));
  const settled: Array<{ counter: number; seq: number | undefined }> = [];
  for (const result of results) {
    // A server that answers about entries that were not sent settles nothing with it.
    if (!sentCounters.has(result.counter)) continue;
    switch (result.status) {
      case "stored":
        settled.push({ counter: result.counter, seq: result.seq });
        break;
      case "duplicate":
        settled.push({ counter: result.counter, seq: result.seq });
        break;
      case "skipped":
        break;
      case "identity-conflict":
        return { settled, refused: undefined, next: { type: "identity-conflict", counter: result.counter } };
      case "refused":
        return { settled, ...settleRefusal(result) };
    }
  }
  return { settled, refused: undefined, next: { type: "continue" } };
};

const settleRefusal = (result: Extract<PushResult, { status: "refused" }>): Pick<Settlement, "refused" | "next"> => {
  const park = { type: "park", code: result.code, message: result.message } as const;
  switch (result.code) {
    case "gap":
      return { refused: undefined, next: { type: "resupply", from: result.expected ?? 1 } };
    case "refs-missing":
      return { refused: undefined, next: { type: "upload", missing: result.missing ?? [] } };
    case "quota-exceeded":
      return { refused: undefined, next: { type: "quota" } };
    case "key-epoch":
    // A link of the membership chain holds no edits; whoever proposed it proposes it anew (rule 20).
    case "membership-head":
      return { refused: { counter: result.counter, edits: { type: "requeue" } }, next: { type: "pull" } };
    case "covers":
    case "document-purged":
    case "invalid":
    case "not-a-member":
    case "role":
    case "signature":
    case "too-large":
      return { refused: { counter: result.counter, edits: park }, next: { type: "continue" } };
  }
};
