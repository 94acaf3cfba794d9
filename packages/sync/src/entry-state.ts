/**
 * The state of what a device has written until the server has it: one pure, total function, and no other way to change it.
 * Engines and stores persist what it returns and nothing else.
 *
 * A document's waiting edits are PENDING, and are one entry from the moment that they are frozen (rule 1). A refused entry
 * gives up its counter to a void (rule 4), and its edits are PENDING again or parked; the void is an entry of its own.
 *
 * | event \ state | PENDING | IN_FLIGHT | RETRYABLE_ERROR | FATAL_ERROR | DEAD_LETTER | SYNCED |
 * | --- | --- | --- | --- | --- | --- | --- |
 * | frozen | IN_FLIGHT | - | - | - | - | - |
 * | sent | - | - | IN_FLIGHT | - | - | - |
 * | unanswered | - | RETRYABLE_ERROR | - | - | - | - |
 * | recovered | - | RETRYABLE_ERROR | - | - | - | - |
 * | acknowledged | - | SYNCED | SYNCED | SYNCED | - | - |
 * | refused | - | RETRYABLE_ERROR +1, or FATAL_ERROR | same | - | - | - |
 * | outdated | - | PENDING +1, or FATAL_ERROR | same | - | - | - |
 * | no-room | - | PENDING | PENDING | - | - | - |
 * | too-large | - | PENDING | PENDING | - | - | - |
 * | never | - | FATAL_ERROR | FATAL_ERROR | - | - | - |
 * | voided | - | - | - | DEAD_LETTER | - | - |
 * | unsendable | DEAD_LETTER | - | - | - | - | - |
 * | retried | - | - | - | - | PENDING, attempts 0 | - |
 * | discarded | - | - | - | - | GONE | - |
 *
 * `-` changes nothing. `+1` uses up an attempt: with the last one the entry becomes a FATAL_ERROR. Only definite refusals
 * of that entry do so (rule 30): no network, no answer, a busy server, a full workspace and a restart never do. A
 * DEAD_LETTER leaves only by a person's action, and what the server has acknowledged is never anything else than SYNCED.
 *
 * Waiting for a token, being revoked, offline, paused, out of room or stalled are states of the workspace
 * (`sync-condition.ts`), not of an entry.
 */

/** The states, in the order of a good life and then of a bad one. */
export const ENTRY_STATES = [
  /** Edits that wait for an entry; they merge. */
  "PENDING",
  /** Frozen under a counter, and on its way or next in line: the same bytes on every retry. */
  "IN_FLIGHT",
  /** The server has it for good (Promise 1). */
  "SYNCED",
  /** Frozen, and not answered or refused for now: it is sent again, unchanged. */
  "RETRYABLE_ERROR",
  /** Refused for good, about to give up its counter to a void. */
  "FATAL_ERROR",
  /** Parked with the document's later edits until a person decides. */
  "DEAD_LETTER",
] as const;
export type EntryState = (typeof ENTRY_STATES)[number];

export const ENTRY_EVENTS = [
  /** A counter was taken; the edits were sealed and signed under it. */
  "frozen",
  /** Handed to a transport again. */
  "sent",
  /** The connection ended, nothing was answered in time, or the server failed: nobody knows whether it was stored. */
  "unanswered",
  /** The engine started, or took over, and found it on its way. */
  "recovered",
  /** The server has it: by the answer to a push, or by a page that names it. */
  "acknowledged",
  /** A definite refusal of this entry that may pass, such as chunks that the server lacks though they were sent. */
  "refused",
  /** Sealed or signed for an older membership: its edits go out anew, in a new entry (rule 21). */
  "outdated",
  /** The workspace is full: its edits wait for room, and its counter holds up nothing that frees some (rule 28). */
  "no-room",
  /** Larger than the server takes: its edits go out in smaller entries. */
  "too-large",
  /** Never acceptable. */
  "never",
  /** The void under its counter is stored. */
  "voided",
  /** No entry can hold it: known before a counter was taken. */
  "unsendable",
  /** A person had it tried again. */
  "retried",
  /** A person gave it up, or took it into another document. */
  "discarded",
] as const;
export type EntryEvent = (typeof ENTRY_EVENTS)[number];

/** Definite refusals of one entry, or of the same edits in one entry after the other, before they are parked. */
export const DEFAULT_ATTEMPTS = 8;

/** What is known of an entry. */
export interface EntryStanding {
  readonly state: EntryState;
  /** Definite refusals so far. */
  readonly attempts: number;
}

declare const decided: unique symbol;

/** A decided change of state. Only `transition` makes it, and stores take nothing else. */
export interface Transition {
  readonly [decided]: true;
  readonly event: EntryEvent;
  readonly from: EntryState;
  /** `GONE`: no longer anything; its edits were given up by a person. */
  readonly to: EntryState | "GONE";
  /** After the change. */
  readonly attempts: number;
}

/** Where each event leads from each state; what is not here changes nothing. */
const TABLE: Readonly<Record<EntryEvent, Readonly<Partial<Record<EntryState, EntryState | "GONE">>>>> = {
  frozen: { PENDING: "IN_FLIGHT" },
  sent: { RETRYABLE_ERROR: "IN_FLIGHT" },
  unanswered: { IN_FLIGHT: "RETRYABLE_ERROR" },
  recovered: { IN_FLIGHT: "RETRYABLE_ERROR" },
  acknowledged: { IN_FLIGHT: "SYNCED", RETRYABLE_ERROR: "SYNCED", FATAL_ERROR: "SYNCED" },
  refused: { IN_FLIGHT: "RETRYABLE_ERROR", RETRYABLE_ERROR: "RETRYABLE_ERROR" },
  outdated: { IN_FLIGHT: "PENDING", RETRYABLE_ERROR: "PENDING" },
  "no-room": { IN_FLIGHT: "PENDING", RETRYABLE_ERROR: "PENDING" },
  "too-large": { IN_FLIGHT: "PENDING", RETRYABLE_ERROR: "PENDING" },
  never: { IN_FLIGHT: "FATAL_ERROR", RETRYABLE_ERROR: "FATAL_ERROR" },
  voided: { FATAL_ERROR: "DEAD_LETTER" },
  unsendable: { PENDING: "DEAD_LETTER" },
  retried: { DEAD_LETTER: "PENDING" },
  discarded: { DEAD_LETTER: "GONE" },
};

/** The events that use up an attempt. */
const USES_ATTEMPT: ReadonlySet<EntryEvent> = new Set(["refused", "outdated"]);

/**
 * What an event makes of an entry; undefined where it changes nothing.
 *
 * @param limit attempts before the entry is given up; at least 1
 */
export const transition = (
  { state, attempts }: EntryStanding,
  event: EntryEvent,
  limit: number = DEFAULT_ATTEMPTS,
): Transition | undefined => {
  const to = TABLE[event][state];
  if (to === undefined) return undefined;
  const used = attempts + (USES_ATTEMPT.has(event) ? 1 : 0);
  if (USES_ATTEMPT.has(event) && used >= Math.max(1, limit)) return decide(event, state, "FATAL_ERROR", used);
  return decide(event, state, to, event === "retried" ? 0 : used);
};

const decide = (
  event: EntryEvent,
  from: EntryState,
  to: EntryState | "GONE",
  attempts: number,
  // The brand exists in types alone: it is what keeps anybody else from making one.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
): Transition => ({ event, from, to, attempts }) as Transition;

/** What becomes of edits that leave PENDING under a counter. */
export const freezing = (attempts: number): Transition => decide("frozen", "PENDING", "IN_FLIGHT", attempts);
