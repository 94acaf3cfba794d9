/**
 * Settling: what the answer to a push means for the outbox. Pure and total over the answers that the protocol knows.
 */
import type { Hash, PushResult, RefusalCode } from "@cairn/protocol";
import type { EntryEvent } from "./entry-state.ts";

/** An entry of the outbox, as far as settling cares. */
export interface Waiting {
  readonly counter: number;
  readonly hash: Hash;
}

/** An entry that the server did not take, and what that means for it (`transition`). */
export interface RefusedEntry {
  readonly counter: number;
  readonly event: Extract<EntryEvent, "refused" | "outdated" | "no-room" | "too-large" | "never">;
  readonly code: RefusalCode;
  readonly message: string;
}

export interface Settlement {
  /** Acknowledged: these counters, and no others, leave the outbox (hazard 14). */
  readonly settled: ReadonlyArray<{ readonly counter: number; readonly seq: number | undefined }>;
  /** At most one, the first: nothing behind it was looked at. */
  readonly refused: RefusedEntry | undefined;
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
    | { readonly type: "no-room" }
    /** This device may not write (any more). Its entries stay as they are. */
    | { readonly type: "stopped"; readonly code: Extract<RefusalCode, "role" | "not-a-member"> }
    /** The server says nothing about what was sent. */
    | { readonly type: "nothing" }
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
  return { settled, refused: undefined, next: { type: settled.length > 0 ? "continue" : "nothing" } };
};

const settleRefusal = (result: Extract<PushResult, { status: "refused" }>): Pick<Settlement, "refused" | "next"> => {
  const { counter, code, message } = result;
  const as = (event: RefusedEntry["event"]): RefusedEntry => ({ counter, event, code, message });
  switch (code) {
    case "gap":
      return { refused: undefined, next: { type: "resupply", from: result.expected ?? 1 } };
    case "refs-missing":
      // Rule 30: they were sent and are not there. Repeated for ever that is this entry's fault.
      return { refused: as("refused"), next: { type: "upload", missing: result.missing ?? [] } };
    case "quota-exceeded":
      return { refused: as("no-room"), next: { type: "no-room" } };
    case "too-large":
      return { refused: as("too-large"), next: { type: "continue" } };
    case "key-epoch":
    // A link of the membership chain holds no edits; whoever proposed it proposes it anew (rule 20).
    case "membership-head":
      return { refused: as("outdated"), next: { type: "pull" } };
    case "not-a-member":
    case "role":
      return { refused: undefined, next: { type: "stopped", code } };
    case "covers":
    case "document-purged":
    case "invalid":
    case "signature":
      return { refused: as("never"), next: { type: "continue" } };
  }
};
