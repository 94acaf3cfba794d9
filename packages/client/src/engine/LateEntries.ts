/**
 * Entries that the log has and that could not be applied when they came, but may be later: sealed under a key that came
 * behind them, or of a form that a newer version of the app understands. They are named in the store, and tried again when
 * the chain has brought something and when somebody comes to lead. The order in which they are applied does not matter:
 * documents merge.
 */
import { decodeEntry, type DocumentId, DeviceId, type WorkspaceId } from "@cairn/protocol";
import { Clock, Effect, Schema } from "effect";
import type { Fence, NewReceivedUpdate } from "../store/store-changes.ts";
import type { Fenced, LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import { openContent, updatesOf } from "./entry-opening.ts";
import type { WorkspaceContext } from "./WorkspaceContext.ts";

/** An entry by its place in the log. */
export interface LateEntry {
  readonly device: DeviceId;
  readonly counter: number;
}

/** Others may author as many as they like. Those beyond stay in the log, for whoever reads it anew. */
const MAX_LATE = 1_000;

/** Where the names are kept: beside the secrets, though they are none. */
export const lateEntriesName = (workspace: WorkspaceId): string => `late-entries/${workspace}`;

const StoredEntries = Schema.Array(Schema.Struct({ device: DeviceId, counter: Schema.Int }));
const isStoredEntries = Schema.is(StoredEntries);

const lateEntries = (
  store: LocalStoreShape,
  workspace: WorkspaceId,
): Effect.Effect<ReadonlyArray<LateEntry>, StoreFailure> =>
  Effect.map(store.secret(lateEntriesName(workspace)), (stored) => (isStoredEntries(stored) ? stored : []));

const keep = (store: LocalStoreShape, workspace: WorkspaceId, entries: ReadonlyArray<LateEntry>) =>
  entries.length === 0
    ? store.removeSecret(lateEntriesName(workspace))
    : store.putSecret(lateEntriesName(workspace), entries.slice(0, MAX_LATE));

/** Names entries before they are stored as received: after a crash in between there is a name too many, and none too few. */
export const keepLateEntries = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  workspace: WorkspaceId,
  entries: ReadonlyArray<LateEntry>,
): Effect.fn.Return<void, StoreFailure> {
  if (entries.length === 0) return;
  const known = yield* lateEntries(store, workspace);
  const fresh = entries.filter(
    ({ device, counter }) => !known.some((one) => one.device === device && one.counter === counter),
  );
  yield* keep(store, workspace, [...known, ...fresh]);
});

/** Tries them again, in the engine that leads. Returns the documents that got something by it. */
export const applyLateEntries = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  context: WorkspaceContext,
  fence: Fence,
): Effect.fn.Return<ReadonlySet<DocumentId>, StoreFailure | Fenced> {
  const { workspace } = context;
  const named = yield* lateEntries(store, workspace);
  if (named.length === 0) return new Set();
  const updates: Array<NewReceivedUpdate> = [];
  const left: Array<LateEntry> = [];
  for (const { device, counter } of named) {
    const [record] = yield* store.logOf(workspace, device, counter, 1);
    // The page that it came with was not stored; it comes again.
    if (record?.counter !== counter) continue;
    const entry = decodeEntry(record.entry);
    const opened = yield* Effect.promise(() => openContent(context, entry));
    if (opened.type === "content") updates.push(...updatesOf(entry, opened.content));
    else if (opened.mayChange) left.push({ device, counter });
  }
  if (left.length === named.length) return new Set();
  if (updates.length > 0) {
    const position = yield* store.position(workspace);
    if (position === undefined) return new Set();
    const { cursor, chain } = position;
    const at = yield* Clock.currentTimeMillis;
    // Where this engine dies before the names are gone, the same updates are stored twice, and merge into the same document.
    yield* store.receive({ workspace, fence, from: cursor, cursor, chain, entries: [], updates, settled: [], at });
    yield* Effect.logInfo("entries that had to wait are applied").pipe(
      Effect.annotateLogs({ workspace, entries: named.length - left.length }),
    );
  }
  yield* keep(store, workspace, left);
  return new Set(updates.map(({ document }) => document));
});
