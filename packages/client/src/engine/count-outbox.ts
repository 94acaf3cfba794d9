/** What of a workspace waits for the server, entry by entry and in sums. */
import { type DocumentId, NO_DOCUMENT } from "@cairn/protocol";
import type { EntryState } from "@cairn/sync";
import type { PendingDocument } from "../store/store-changes.ts";
import type { OutgoingHeader, StreamRecord } from "../store/records.ts";
import type { OutboxEntry, OutboxState } from "../sync-api.ts";

/** Entries that are listed one by one. */
const LISTED = 200;

const NO_STATES: Readonly<Record<EntryState, number>> = {
  PENDING: 0,
  IN_FLIGHT: 0,
  SYNCED: 0,
  RETRYABLE_ERROR: 0,
  FATAL_ERROR: 0,
  DEAD_LETTER: 0,
};

/** The documents whose edits are parked: none of them leaves (hazard 15). */
export const heldDocuments = (streams: ReadonlyArray<StreamRecord>): ReadonlySet<DocumentId> =>
  new Set(streams.filter(({ state }) => state === "DEAD_LETTER").map(({ document }) => document));

/** What a workspace's outbox holds, summed up. */
export type CountedOutbox = Pick<OutboxState, "depth" | "bytes" | "oldestAt" | "states" | "entries" | "attempts">;

export const sumOfBytes = (parts: ReadonlyArray<{ readonly bytes: number }>): number =>
  parts.reduce((sum, { bytes }) => sum + bytes, 0);

/** What waits, entry by entry: frozen ones, and the waiting edits of each document as one that is still to be. */
export const countOutbox = (
  pending: ReadonlyArray<PendingDocument>,
  headers: ReadonlyArray<OutgoingHeader>,
  streams: ReadonlyArray<StreamRecord>,
): CountedOutbox => {
  const byDocument = new Map(streams.map((stream) => [stream.document, stream]));
  const waiting = pending.map(({ document, updates, bytes, oldest }): OutboxEntry => ({
    document,
    state: byDocument.get(document)?.state ?? "PENDING",
    counter: undefined,
    edits: updates,
    bytes,
    attempts: byDocument.get(document)?.attempts ?? 0,
    since: oldest,
  }));
  const frozen = headers.map(({ document, state, counter, bytes, attempts, frozenAt }): OutboxEntry => ({
    document: document === NO_DOCUMENT ? undefined : document,
    state,
    counter,
    edits: 0,
    bytes,
    attempts,
    since: frozenAt,
  }));
  const entries = [...frozen, ...waiting].toSorted((left, right) => left.since - right.since);
  const states = { ...NO_STATES };
  for (const { state } of entries) states[state] += 1;
  return {
    depth: entries.length,
    bytes: sumOfBytes(entries),
    oldestAt: entries[0]?.since,
    states,
    entries: entries.slice(0, LISTED),
    attempts: entries.reduce((sum, { attempts }) => sum + attempts, 0),
  };
};
