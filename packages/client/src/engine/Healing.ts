/**
 * Healing a server that came back from an older backup (rule 11, Promise 13): compare versions per author, supply what it
 * lacks in the order of the log, then go through its log again from the beginning. Nothing here is thrown away for it.
 */
import { emptyLogChain, encodeBatch, type Hash, LIMITS, type PushResult } from "@cairn/protocol";
import { compareVersions, takeBatch } from "@cairn/sync";
import { Effect } from "effect";
import type { Fence, Fenced, LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import type { LogRecord } from "../store/records.ts";
import type { ServerCalls, TransportFailure } from "../transport/Transport.ts";
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

/** Supplies what the server lacks, and starts its log anew in this store. Idempotent. */
export const heal = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  context: WorkspaceContext,
  fence: Fence,
  calls: ServerCalls,
  sessions: SessionKeeper,
): Effect.fn.Return<void, TransportFailure | StoreFailure | Fenced> {
  const { token } = yield* sessions.current;
  const state = yield* calls.state(context.workspace, token);
  const ours = yield* store.versions(context.workspace);
  let waiting = yield* lacking(store, context, compareVersions(ours, state.devices).supply);
  while (waiting.length > 0) {
    const batch = takeBatch(waiting, { entries: LIMITS.batchEntries, bytes: LIMITS.batchBytes });
    const bytes = encodeBatch(batch.map(({ entry }) => entry));
    const { results } = yield* calls.push(context.workspace, token, bytes);
    const missing = yield* missingHere(store, context, results);
    if (missing.length > 0) {
      // A server from before an attachment lacks its chunks too, whatever it acknowledged once.
      yield* uploadChunks(store, context, calls, sessions, missing, () => undefined);
      yield* calls.push(context.workspace, token, bytes);
    }
    waiting = waiting.slice(batch.length);
  }
  yield* store.rebase(context.workspace, fence, {
    cursor: 0,
    chain: emptyLogChain(context.workspace),
    server: state.server,
    serverEpoch: state.serverEpoch,
  });
});
