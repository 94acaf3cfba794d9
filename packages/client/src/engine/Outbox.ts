/**
 * The outbox at work: frozen entries become batches, answers settle them. What an answer means is decided by
 * `@cairn/sync`, and every change of an entry's state is its `transition`; this signs voids, stores and tells.
 */
import { signEntry } from "@cairn/crypto";
import {
  decodeEntry,
  encodeBatch,
  type Entry,
  EntryKind,
  type Hash,
  NO_DOCUMENT,
  type PushResponse,
} from "@cairn/protocol";
import {
  type EntryEvent,
  type EntryStanding,
  type RefusedEntry,
  settlePush,
  type Settlement,
  type SyncPolicy,
  takeBatch,
  type Transition,
  transition,
} from "@cairn/sync";
import { Clock, Effect } from "effect";
import type { Fenced, StoreFailure } from "../store/LocalStore.ts";
import type { OutgoingHeader, OutgoingRecord } from "../store/records.ts";
import { CONTENT_BYTES, type Freezing, headerOf, toOutgoing } from "./Freezing.ts";
import { extendContext, type WorkspaceContext } from "./WorkspaceContext.ts";

/** What the outbox works with. */
export interface OutboxWork extends Freezing {
  readonly policy: SyncPolicy;
}

type Failure = StoreFailure | Fenced;

/** The entry that stands for nothing under a counter whose own entry will never be taken (rule 4). */
export const voidEntry = (context: WorkspaceContext, counter: number): Promise<Entry> =>
  signEntry(
    headerOf(context, { kind: EntryKind.void, document: NO_DOCUMENT, counter, epoch: 0, refs: [] }),
    new Uint8Array(0),
    context.keys.signing,
  );

/** Applies one event to entries where they are; those that it does not concern stay as they are. */
const moveAll = Effect.fnUntraced(function* (
  { store, context, fence, status, policy }: OutboxWork,
  entries: ReadonlyArray<Pick<OutgoingHeader, "counter" | "document"> & EntryStanding>,
  event: EntryEvent,
  reason: { readonly code?: string; readonly message?: string } = {},
): Effect.fn.Return<void, Failure> {
  const at = yield* Clock.currentTimeMillis;
  const moves = entries.flatMap((entry) => {
    const decided = transition(entry, event, policy.attempts);
    return decided === undefined
      ? []
      : [{ entry, change: { transition: decided, counter: entry.counter, at, ...reason } }];
  });
  if (moves.length === 0) return;
  yield* store.moveOutgoing(
    context.workspace,
    fence,
    moves.map(({ change }) => change),
  );
  for (const { entry, change } of moves) {
    const { document, counter } = entry;
    yield* status.moved(change.transition, { document, counter, code: reason.code });
  }
});

/** Everything that was on its way when nobody was there to hear of it: a crash, a closed tab, another leader. */
export const recoverOutbox = Effect.fnUntraced(function* (work: OutboxWork): Effect.fn.Return<void, Failure> {
  const headers = yield* work.store.outgoingHeaders(work.context.workspace);
  yield* moveAll(work, headers, "recovered");
  for (const header of headers) {
    if (header.state === "FATAL_ERROR") yield* giveUp(work, header, undefined);
  }
});

/** The connection ended: nobody knows what became of what was on its way. */
export const loseAnswers = Effect.fnUntraced(function* (work: OutboxWork): Effect.fn.Return<void, Failure> {
  if (!work.status.isStale() && work.status.outbox().states.IN_FLIGHT === 0) return;
  yield* moveAll(work, yield* work.store.outgoingHeaders(work.context.workspace), "unanswered");
});

/** The next batch, on its way from now on; undefined where nothing waits. */
export const nextBatch = Effect.fnUntraced(function* (
  work: OutboxWork,
  entries: number,
): Effect.fn.Return<ReadonlyArray<OutgoingRecord> | undefined, Failure> {
  for (;;) {
    const waiting = yield* work.store.outgoing(work.context.workspace, entries);
    const fatal = waiting.findIndex(({ state }) => state === "FATAL_ERROR");
    const [first] = waiting;
    if (fatal === 0 && first !== undefined) {
      // The connection ended before its void was in its place, and nothing goes past it (promise 14).
      yield* giveUp(work, first, undefined);
      continue;
    }
    const batch = takeBatch(fatal < 0 ? waiting : waiting.slice(0, fatal), { ...work.policy.batch, entries });
    if (batch.length === 0) return undefined;
    yield* moveAll(work, batch, "sent");
    return batch.map((record) => ({ ...record, state: "IN_FLIGHT" }));
  }
});

/** The bytes of a batch, the same on every transport and every retry (rule 8). */
export const batchBytes = (batch: ReadonlyArray<OutgoingRecord>): Uint8Array =>
  encodeBatch(batch.map(({ entry }) => entry));

/** Chunks that the batch refers to and that the server has not acknowledged. */
export const missingChunks = Effect.fnUntraced(function* (
  { store, context }: Pick<OutboxWork, "store" | "context">,
  batch: ReadonlyArray<OutgoingRecord>,
): Effect.fn.Return<ReadonlyArray<Hash>, StoreFailure> {
  const refs = [...new Set(batch.flatMap((record) => record.refs))];
  if (refs.length === 0) return refs;
  const states = yield* store.chunkStates(context.workspace, refs);
  return refs.filter((hash) => states.get(hash) === "local");
});

/** Puts a void in the place of an entry, whose edits become what the transition says. */
const replaceByVoid = Effect.fnUntraced(function* (
  { store, context, fence, status }: OutboxWork,
  { counter, document }: Pick<OutgoingHeader, "counter" | "document">,
  decided: Transition,
  reason: { readonly code?: string | undefined; readonly message?: string | undefined },
): Effect.fn.Return<void, Failure> {
  const entry = yield* Effect.promise(() => voidEntry(context, counter));
  const at = yield* Clock.currentTimeMillis;
  const change = { transition: decided, at, ...reason };
  yield* store.replaceOutgoing(context.workspace, fence, toOutgoing(context, entry, at), change);
  yield* status.moved(decided, { document, counter, code: reason.code });
});

/** A FATAL_ERROR gives up its counter, and its edits are parked (rule 4, hazard 15). */
const giveUp = Effect.fnUntraced(function* (
  work: OutboxWork,
  entry: Pick<OutgoingHeader, "counter" | "document" | "attempts">,
  refused: Pick<RefusedEntry, "code" | "message"> | undefined,
): Effect.fn.Return<void, Failure> {
  const parked = transition({ state: "FATAL_ERROR", attempts: entry.attempts }, "voided");
  if (parked !== undefined)
    yield* replaceByVoid(work, entry, parked, { code: refused?.code, message: refused?.message });
});

/** What the server says of one entry, done. */
export const refuse = Effect.fnUntraced(function* (
  work: OutboxWork,
  record: OutgoingRecord,
  refused: Pick<RefusedEntry, "event" | "code" | "message">,
): Effect.fn.Return<void, Failure> {
  const { event, code, message } = refused;
  const decided = transition(record, event, work.policy.attempts);
  if (decided === undefined) return;
  if (event === "too-large") {
    const known = work.contentBytes.get(record.document) ?? CONTENT_BYTES;
    work.contentBytes.set(record.document, Math.floor(Math.min(known, record.entry.length) / 2));
  }
  if (decided.to === "PENDING") return yield* replaceByVoid(work, record, decided, { code, message });
  yield* moveAll(work, [record], event, { code, message });
  if (decided.to === "FATAL_ERROR") yield* giveUp(work, { ...record, attempts: decided.attempts }, refused);
});

/** What has to happen next. `void-refused`: a server that takes no void takes nothing more of this device (rule 4). */
export type Next = Settlement["next"] | { readonly type: "void-refused" };

/** Settles the answer to a batch in the store, and says what has to happen next. */
export const settle = Effect.fnUntraced(function* (
  work: OutboxWork,
  batch: ReadonlyArray<OutgoingRecord>,
  response: PushResponse,
): Effect.fn.Return<{ readonly settled: number; readonly next: Next }, Failure> {
  const { store, context, fence, status, policy } = work;
  const settlement = settlePush(batch, response.results);
  const now = yield* Clock.currentTimeMillis;
  if (settlement.settled.length > 0) yield* store.settle(context.workspace, fence, settlement.settled, now);
  const settled = new Set(settlement.settled.map(({ counter }) => counter));
  for (const record of batch) {
    if (!settled.has(record.counter)) continue;
    const acknowledged = transition(record, "acknowledged", policy.attempts);
    if (acknowledged !== undefined) yield* status.moved(acknowledged, record);
    // Taken by the server behind the head that this device named, so it is the chain's next link.
    if (record.kind === EntryKind.membership) yield* extendContext(store, context, decodeEntry(record.entry));
  }
  const { refused } = settlement;
  const record = batch.find(({ counter }) => counter === refused?.counter);
  if (refused === undefined || record === undefined) return { settled: settled.size, next: settlement.next };
  if (record.kind === EntryKind.void) return { settled: settled.size, next: { type: "void-refused" } };
  yield* refuse(work, record, refused);
  return { settled: settled.size, next: settlement.next };
});
