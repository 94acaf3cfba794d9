/**
 * Healing a server that came back from an older backup (rule 11, Promise 13): compare versions per author, supply what it
 * lacks in the order of the log, then go through its log again from the beginning. Nothing here is thrown away for it.
 */
import { openEntry } from "@cairn/crypto";
import {
  decodeEntry,
  emptyLogChain,
  encodeBatch,
  EntryKind,
  type Hash,
  LIMITS,
  type PushResult,
} from "@cairn/protocol";
import { compareVersions, takeBatch } from "@cairn/sync";
import { Clock, Effect } from "effect";
import type { CairnErrorCode } from "../errors.ts";
import type { Fence } from "../store/store-changes.ts";
import type { Fenced, LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import type { LogRecord } from "../store/records.ts";
import type { ServerCalls, TransportFailure } from "../transport/Transport.ts";
import { decodeContent } from "./entry-content.ts";
import { toOutgoing } from "./Freezing.ts";
import { voidEntry } from "./Outbox.ts";
import type { SessionKeeper } from "./Session.ts";
import { uploadChunks } from "./Uploads.ts";
import type { WorkspaceContext } from "./WorkspaceContext.ts";

const LOG_STEP = 500;

const lacking = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  context: WorkspaceContext,
  ranges: ReturnType<typeof compareVersions>["supply"],
): Effect.fn.Return<ReadonlyArray<LogRecord>, StoreFailure> {
  const records: Array<LogRecord> = [];
  for (const { device, from, to } of ranges) {
    for (let next = from; next <= to;) {
      const step = yield* store.logOf(context.workspace, device, next, LOG_STEP);
      const last = step.at(-1);
      if (last === undefined) break;
      records.push(...step.filter(({ counter }) => counter <= to));
      next = last.counter + 1;
    }
  }
  // The order of the log keeps both orders that the server asks for: counters of an author, and the membership chain.
  return records.toSorted(
    (left, right) =>
      (left.seq ?? Number.MAX_SAFE_INTEGER) - (right.seq ?? Number.MAX_SAFE_INTEGER) || left.counter - right.counter,
  );
});

/** The chunks that the server asks for and that this device has. */
const missingHere = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  context: WorkspaceContext,
  results: ReadonlyArray<PushResult>,
): Effect.fn.Return<ReadonlyArray<Hash>, StoreFailure> {
  const wanted = [...new Set(results.flatMap((result) => (result.status === "refused" ? (result.missing ?? []) : [])))];
  const states = yield* store.chunkStates(context.workspace, wanted);
  return wanted.filter((hash) => states.has(hash));
});

/**
 * Own entries that the server took once, has lost, and takes no more, because the key has changed meanwhile: their edits go
 * out anew, and voids take their counters (rules 4 and 21). Whoever received the old ones applies nothing twice.
 */
const authorAnew = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  context: WorkspaceContext,
  fence: Fence,
  records: ReadonlyArray<LogRecord>,
): Effect.fn.Return<void, StoreFailure | Fenced> {
  const now = yield* Clock.currentTimeMillis;
  for (const record of records) {
    const entry = decodeEntry(record.entry);
    const { refs } = entry.header;
    const { time, type, updates } = decodeContent(
      yield* Effect.promise(() => openEntry(entry, context.sealing, context.keys.signing.publicKey)),
    );
    yield* store.appendUpdates(
      updates.map((update, index) => ({
        workspace: context.workspace,
        document: record.document,
        type,
        update,
        time,
        refs: index === 0 ? refs : [],
        row: undefined,
      })),
    );
    const replacement = yield* Effect.promise(() => voidEntry(context, record.counter));
    yield* store.replaceSettled(context.workspace, fence, toOutgoing(context, replacement, now));
  }
});

/** The own entries among those that were pushed, from the refused one on, that have to be authored anew. */
const outdated = (
  context: WorkspaceContext,
  pushed: ReadonlyArray<LogRecord>,
  { counter, expected = 0 }: Refused,
): ReadonlyArray<LogRecord> =>
  pushed
    .filter((record) => record.device === context.device && record.counter >= counter)
    // Those without `seq` are in the outbox, where the answer to the next push settles them.
    .filter(({ kind, seq }) => seq !== undefined && (kind === EntryKind.update || kind === EntryKind.snapshot))
    .filter(({ entry }) => decodeEntry(entry).header.epoch < expected)
    .toSorted((left, right) => left.counter - right.counter);

type Refused = Extract<PushResult, { readonly status: "refused" }>;

const ownRefusal = (context: WorkspaceContext, results: ReadonlyArray<PushResult>): Refused | undefined =>
  results.find((result): result is Refused => result.status === "refused" && result.device === context.device);

/**
 * Supplies what the server lacks, and starts its log anew in this store. Idempotent. Returns why it does not take what this
 * device wrote, where a person has to know.
 */
export const heal = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  context: WorkspaceContext,
  fence: Fence,
  calls: ServerCalls,
  sessions: SessionKeeper,
): Effect.fn.Return<CairnErrorCode | undefined, TransportFailure | StoreFailure | Fenced> {
  const { token } = yield* sessions.current;
  const state = yield* calls.state(context.workspace, token);
  const ours = yield* store.versions(context.workspace);
  const supply = yield* lacking(store, context, compareVersions(ours, state.devices).supply);
  let waiting = supply;
  let refused: Refused | undefined;
  while (waiting.length > 0) {
    const batch = takeBatch(waiting, { entries: LIMITS.batchEntries, bytes: LIMITS.batchBytes });
    const bytes = encodeBatch(batch.map(({ entry }) => entry));
    let { results } = yield* calls.push(context.workspace, token, bytes);
    const missing = yield* missingHere(store, context, results);
    if (missing.length > 0) {
      // A server from before an attachment lacks its chunks too, whatever it acknowledged once.
      yield* uploadChunks(store, context, calls, sessions, missing, () => undefined);
      ({ results } = yield* calls.push(context.workspace, token, bytes));
    }
    refused ??= ownRefusal(context, results);
    waiting = waiting.slice(batch.length);
  }
  if (refused?.code === "key-epoch") yield* authorAnew(store, context, fence, outdated(context, supply, refused));
  yield* store.rebase(context.workspace, fence, {
    cursor: 0,
    chain: emptyLogChain(context.workspace),
    server: state.server,
    serverEpoch: state.serverEpoch,
  });
  if (refused === undefined || transient.has(refused.code)) return undefined;
  return refused.code === "quota-exceeded" ? refused.code : "server-refused";
});

/** What pulling or the next push puts right. */
const transient: ReadonlySet<Refused["code"]> = new Set(["gap", "key-epoch", "membership-head", "refs-missing"]);
