/**
 * The outbox at work: waiting edits become frozen entries, frozen entries become batches, answers settle them. What to do
 * is decided by `@cairn/sync`; this seals, stores and sends.
 */
import { currentRole, sealEntry, signEntry } from "@cairn/crypto";
import {
  decodeEntry,
  encodeBatch,
  type Entry,
  entryHash,
  EntryKind,
  type EntryHeader,
  type Hash,
  LIMITS,
  NO_DOCUMENT,
  PROTOCOL_VERSION,
  type PushResponse,
  sortHashes,
} from "@cairn/protocol";
import {
  documentsToFreeze,
  type Edits,
  freezing,
  settlePush,
  type Settlement,
  takeBatch,
  takeUpdates,
  transition,
} from "@cairn/sync";
import { Clock, Effect } from "effect";
import type { Fence, Fenced, LocalStoreShape, NewOutgoing, StoreFailure } from "../store/LocalStore.ts";
import type { OutgoingRecord, UpdateRecord } from "../store/records.ts";
import type { DocumentImportsShape } from "./DocumentImports.ts";
import { encodeContent } from "./entry-content.ts";
import { extendContext, type WorkspaceContext } from "./WorkspaceContext.ts";

/** Documents whose edits become entries in one go. */
const FREEZE_DOCUMENTS = 64;
/** Plain bytes of one entry's updates: sealed and with its header it stays below `LIMITS.entryBytes`. */
const CONTENT_BYTES = LIMITS.entryBytes - LIMITS.headerBytes - 64 * 1024;

const headerOf = (
  context: WorkspaceContext,
  part: Pick<EntryHeader, "kind" | "document" | "counter" | "epoch" | "refs">,
): EntryHeader => ({
  version: PROTOCOL_VERSION,
  workspace: context.workspace,
  device: context.device,
  covers: [],
  extensions: [],
  ...part,
});

/** An entry as the outbox keeps it. */
export const toOutgoing = (
  context: WorkspaceContext,
  entry: Entry,
  now: number,
  attempts = 0,
): Omit<NewOutgoing, "updates"> => ({
  device: context.device,
  counter: entry.header.counter,
  document: entry.header.document,
  kind: entry.header.kind,
  entry: entry.bytes,
  hash: entryHash(entry.bytes),
  refs: entry.header.refs,
  frozenAt: now,
  frozen: freezing(attempts),
});

/** The edits of one document that go into its next entry: as many as one entry can hold. */
const nextRun = (updates: ReadonlyArray<UpdateRecord>): ReadonlyArray<UpdateRecord> =>
  takeUpdates(updates, { bytes: CONTENT_BYTES, refs: LIMITS.refs });

const seal = Effect.fnUntraced(function* (
  context: WorkspaceContext,
  imports: DocumentImportsShape,
  run: ReadonlyArray<UpdateRecord>,
  counter: number,
) {
  const [first] = run;
  if (first === undefined) return undefined;
  const updates = yield* imports.merge(context.workspace, first.document, run);
  const content = encodeContent({ type: first.type, time: Math.max(...run.map(({ time }) => time)), updates });
  const header = headerOf(context, {
    kind: EntryKind.update,
    document: first.document,
    counter,
    epoch: context.keyring.newest,
    refs: sortHashes(run.flatMap(({ refs }) => refs)),
  });
  return yield* Effect.promise(() =>
    sealEntry({ header, content, sealing: context.sealing, author: context.keys.signing }),
  );
});

/**
 * Freezes what may leave PENDING now: one entry for each document that has none under way (rule 6). Returns how many.
 * Updates that are too large for any entry are sealed alone and refused by their size: `parkOversized` keeps them aside.
 */
export const freezePending = Effect.fnUntraced(
  function* (
    store: LocalStoreShape,
    context: WorkspaceContext,
    imports: DocumentImportsShape,
    fence: Fence,
  ): Effect.fn.Return<number, StoreFailure | Fenced> {
    // Edits of a device that may only read by now stay here: sending them would be refused for good (Promise 9).
    if (context.keyring.newest === 0 || currentRole(context.membership, context.device) === "reader") return 0;
    const { workspace } = context;
    const pending = yield* store.pendingDocuments(workspace);
    if (pending.length === 0) return 0;
    const { documents } = yield* store.outgoingSize(workspace);
    const streams = yield* store.streams(workspace);
    const held = new Set(streams.filter(({ state }) => state === "DEAD_LETTER").map(({ document }) => document));
    const attempts = new Map(streams.map((stream) => [stream.document, stream.attempts]));
    // Hazard 15: what is parked is a document's stream; the others go on.
    const chosen = documentsToFreeze(
      pending.filter(({ document }) => !held.has(document)),
      new Set(documents),
      FREEZE_DOCUMENTS,
    );
    const position = yield* store.position(workspace);
    if (chosen.length === 0 || position === undefined) return 0;
    const now = yield* Clock.currentTimeMillis;
    const entries: Array<NewOutgoing> = [];
    for (const document of chosen) {
      const run = nextRun(yield* store.pendingUpdates(workspace, document));
      const entry = yield* seal(context, imports, run, position.nextCounter + entries.length);
      if (entry !== undefined) {
        entries.push({ ...toOutgoing(context, entry, now, attempts.get(document)), updates: run.map(({ id }) => id) });
      }
    }
    if (entries.length > 0) yield* store.freeze(workspace, fence, entries);
    return entries.length;
  },
  (effect, _store, context) => context.authoring.withPermits(1)(effect),
);

/** The next batch, or undefined where nothing waits. */
export const nextBatch = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  context: WorkspaceContext,
): Effect.fn.Return<ReadonlyArray<OutgoingRecord> | undefined, StoreFailure> {
  const waiting = yield* store.outgoing(context.workspace, LIMITS.batchEntries);
  const batch = takeBatch(waiting, { entries: LIMITS.batchEntries, bytes: LIMITS.batchBytes });
  return batch.length === 0 ? undefined : batch;
});

/** The bytes of a batch, the same on every transport and every retry (rule 8). */
export const batchBytes = (batch: ReadonlyArray<OutgoingRecord>): Uint8Array =>
  encodeBatch(batch.map(({ entry }) => entry));

/** Chunks that the batch refers to and that the server has not acknowledged. */
export const missingChunks = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  context: WorkspaceContext,
  batch: ReadonlyArray<OutgoingRecord>,
): Effect.fn.Return<ReadonlyArray<Hash>, StoreFailure> {
  const refs = [...new Set(batch.flatMap((record) => record.refs))];
  if (refs.length === 0) return refs;
  const states = yield* store.chunkStates(context.workspace, refs);
  return refs.filter((hash) => states.get(hash) === "local");
});

/** The entry that stands for nothing under a counter whose own entry will never be taken (rule 4). */
export const voidEntry = (context: WorkspaceContext, counter: number): Promise<Entry> =>
  signEntry(
    headerOf(context, { kind: EntryKind.void, document: NO_DOCUMENT, counter, epoch: 0, refs: [] }),
    new Uint8Array(0),
    context.keys.signing,
  );

/** Puts a void in the place of a refused entry. */
const replaceByVoid = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  context: WorkspaceContext,
  fence: Fence,
  refused: { readonly counter: number; readonly edits: Edits },
  now: number,
) {
  const { counter, edits } = refused;
  const standing = (yield* store.outgoingHeaders(context.workspace)).find((entry) => entry.counter === counter);
  if (standing === undefined) return;
  const { code, message } = edits.type === "park" ? edits : { code: undefined, message: undefined };
  let decided = transition(standing, edits.type === "park" ? "never" : "outdated");
  if (decided === undefined) return;
  const entry = yield* Effect.promise(() => voidEntry(context, counter));
  if (decided.to === "FATAL_ERROR") {
    yield* store.moveOutgoing(context.workspace, fence, [{ transition: decided, counter, at: now, code, message }]);
    decided = transition({ state: "FATAL_ERROR", attempts: decided.attempts }, "voided") ?? decided;
  }
  yield* store.replaceOutgoing(context.workspace, fence, toOutgoing(context, entry, now), {
    transition: decided,
    at: now,
    code,
    message,
  });
});

/** Settles the answer to a batch in the store, and says what has to happen next. */
export const settle = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  context: WorkspaceContext,
  fence: Fence,
  batch: ReadonlyArray<OutgoingRecord>,
  response: PushResponse,
): Effect.fn.Return<Settlement, StoreFailure | Fenced> {
  const settlement = settlePush(batch, response.results);
  const now = yield* Clock.currentTimeMillis;
  if (settlement.settled.length > 0) yield* store.settle(context.workspace, fence, settlement.settled, now);
  const settled = new Set(settlement.settled.map(({ counter }) => counter));
  for (const record of batch) {
    // Taken by the server behind the head that this device named, so it is the chain's next link.
    if (record.kind === EntryKind.membership && settled.has(record.counter)) {
      yield* extendContext(store, context, decodeEntry(record.entry));
    }
  }
  if (settlement.refused !== undefined) yield* replaceByVoid(store, context, fence, settlement.refused, now);
  return settlement;
});
