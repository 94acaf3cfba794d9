/**
 * Leaving PENDING: a document's waiting edits become one frozen entry (rules 1 and 6), sealed and signed. What is too large
 * for an entry is split, and what cannot be split is parked before it takes a counter.
 */
import { sealEntry } from "@cairn/crypto";
import {
  type DocumentId,
  type Entry,
  entryHash,
  type EntryHeader,
  EntryKind,
  type Hash,
  LIMITS,
  PROTOCOL_VERSION,
  sortHashes,
} from "@cairn/protocol";
import { documentsToFreeze, freezing, takeUpdates, transition } from "@cairn/sync";
import { Clock, Effect, Result } from "effect";
import { FIRST_LEASE, peerIdOf } from "../documents/peer-ids.ts";
import { updateRanges } from "../documents/update-ranges-later.ts";
import type { CairnErrorCode } from "../errors.ts";
import type { Fence, NewOutgoing } from "../store/store-changes.ts";
import type { Fenced, LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import type { UpdateRecord } from "../store/records.ts";
import type { DocumentImportsShape } from "./DocumentImports.ts";
import { encodeContent, type MadeAnew, type StateMark } from "./entry-content.ts";
import { heldDocuments } from "./count-outbox.ts";
import type { SyncStatus } from "./SyncStatus.ts";
import { roleOf, type WorkspaceContext } from "./WorkspaceContext.ts";

/** Documents whose edits become entries in one go. */
const FREEZE_DOCUMENTS = 64;
/** Plain bytes of one entry's updates: sealed and with its header it stays below `LIMITS.entryBytes`. */
export const CONTENT_BYTES = LIMITS.entryBytes - LIMITS.headerBytes - 64 * 1024;
/** Updates that are joined at once: joined they are a fraction of this (hazard L6). */
const JOINED_BYTES = 4 * CONTENT_BYTES;
/** Below this an update is not split any further: whoever takes no entry of this size takes none. */
export const LEAST_CONTENT_BYTES = 256;

/** What freezing works with. */
export interface Freezing {
  readonly store: LocalStoreShape;
  readonly context: WorkspaceContext;
  readonly imports: DocumentImportsShape;
  readonly fence: Fence;
  readonly status: SyncStatus;
  /** The state mark for a document's next entry, where one is due (rule 18). */
  readonly mark: (document: DocumentId) => Effect.Effect<StateMark | undefined, StoreFailure>;
  /** Documents of which the server took no entry as large as the others', with what fits. */
  readonly contentBytes: Map<DocumentId, number>;
}

export const headerOf = (
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

const sizeOf = (updates: ReadonlyArray<Uint8Array>): number => updates.reduce((sum, { length }) => sum + length, 0);

/** The edits that go into a document's next entry, in as few bytes as can be. */
interface Run {
  readonly updates: ReadonlyArray<UpdateRecord>;
  readonly content: ReadonlyArray<Uint8Array>;
}

const nextRun = Effect.fnUntraced(function* (
  { imports, context: { workspace } }: Freezing,
  document: DocumentId,
  waiting: ReadonlyArray<UpdateRecord>,
  bytes: number,
): Effect.fn.Return<Run, StoreFailure> {
  const all = takeUpdates(waiting, { bytes: Math.max(bytes, JOINED_BYTES), refs: LIMITS.refs });
  const joined = yield* imports.merge(workspace, document, all);
  if (sizeOf(joined) <= bytes) return { updates: all, content: joined };
  const fewer = takeUpdates(waiting, { bytes, refs: LIMITS.refs });
  return { updates: fewer, content: yield* imports.merge(workspace, document, fewer) };
});

/** Parks a document's edits, up to this one, before they take a counter. */
export const park = Effect.fnUntraced(function* (
  { store, context: { workspace }, status }: Freezing,
  document: DocumentId,
  through: number,
  code: CairnErrorCode,
  message: string,
): Effect.fn.Return<void, StoreFailure | Fenced> {
  const parked = transition({ state: "PENDING", attempts: 0 }, "unsendable");
  if (parked === undefined) return;
  const at = yield* Clock.currentTimeMillis;
  yield* store.moveStream(workspace, document, { transition: parked, at, code, message, through });
  yield* status.moved(parked, { document, counter: undefined, code });
});

/**
 * The next run of a document, after what is too large was split; undefined where nothing of it can go out. A single update
 * that is larger than an entry is cut by ranges of its operations.
 */
const fittingRun = Effect.fnUntraced(function* (
  work: Freezing,
  document: DocumentId,
): Effect.fn.Return<Run | undefined, StoreFailure | Fenced> {
  const { store, context, imports, fence } = work;
  const { workspace } = context;
  const bytes = work.contentBytes.get(document) ?? CONTENT_BYTES;
  const waiting = yield* store.pendingUpdates(workspace, document);
  const [first] = waiting;
  if (first === undefined) return undefined;
  if (first.refs.length > LIMITS.refs) {
    yield* park(
      work,
      document,
      first.id,
      "too-large",
      `one edit refers to more than ${LIMITS.refs} pieces of attachments`,
    );
    return undefined;
  }
  const run = yield* nextRun(work, document, waiting, bytes);
  if (sizeOf(run.content) <= bytes) return run;
  // `takeUpdates` takes at least one: it is this one that does not fit.
  const pieces = bytes < LEAST_CONTENT_BYTES ? [] : yield* imports.split(workspace, document, first.update, bytes);
  if (pieces.length < 2 || pieces.some(({ length }) => length > bytes)) {
    const size = Math.max(0, ...pieces.map(({ length }) => length)) || first.update.length;
    const message = `one value of ${size} bytes is larger than the ${bytes} bytes that an entry can hold`;
    yield* park(work, document, first.id, "too-large", message);
    return undefined;
  }
  yield* store.splitPending(workspace, fence, document, first.id, pieces);
  return yield* nextRun(work, document, yield* store.pendingUpdates(workspace, document), bytes);
});

/** Which of these edits were made under another identity, and where what they are by now ends (rule 12). */
const madeAnewIn = async (
  { device }: WorkspaceContext,
  updates: ReadonlyArray<UpdateRecord>,
): Promise<ReadonlyArray<MadeAnew>> => {
  if (updates.every(({ firstForm }) => firstForm === undefined)) return [];
  const { operationsOf } = await updateRanges();
  const peer = peerIdOf(device, FIRST_LEASE);
  return updates.flatMap(({ firstForm, update }) => {
    const ranges = Result.getOrElse(operationsOf(device, update), () => []);
    const end = ranges.find((range) => range.peer === peer)?.end;
    return firstForm === undefined || end === undefined ? [] : [{ firstForm, end }];
  });
};

const seal = (
  context: WorkspaceContext,
  document: DocumentId,
  { updates, content }: Run,
  counter: number,
  mark: StateMark | undefined,
) =>
  Effect.promise(async () =>
    sealEntry({
      header: headerOf(context, {
        kind: EntryKind.update,
        document,
        counter,
        epoch: context.keyring.newest,
        refs: sortHashes(updates.flatMap(({ refs }) => refs)),
      }),
      content: encodeContent({
        type: updates[0]?.type ?? "",
        time: Math.max(...updates.map(({ time }) => time)),
        updates: content,
        mark,
        madeAnew: await madeAnewIn(context, updates),
        appliedAgain: updates.flatMap(({ appliedAgain = [] }) => appliedAgain),
      }),
      sealing: context.sealing,
      author: context.keys.signing,
    }),
  );

/** Why no edit of this device may become an entry. */
const withholding = (context: WorkspaceContext): CairnErrorCode | undefined => {
  // Sending edits of a device that may only read by now would be refused for good (Promise 9).
  if (roleOf(context) === "reader") return "read-only";
  return context.keyring.newest === 0 ? "keys-missing" : undefined;
};

/** Why edits that wait here do not become entries (Promise 14); undefined where none wait, or nothing keeps them. */
export const whyWithheld = Effect.fnUntraced(function* ({
  store,
  context,
}: Freezing): Effect.fn.Return<CairnErrorCode | undefined, StoreFailure> {
  const reason = withholding(context);
  if (reason === undefined) return undefined;
  return (yield* store.pendingDocuments(context.workspace)).length === 0 ? undefined : reason;
});

/** A document whose next entry refers to chunks that the server does not have yet (rule 25). */
export interface Lacking {
  readonly document: DocumentId;
  readonly chunks: ReadonlyArray<Hash>;
}

/** What came of freezing. */
export interface Frozen {
  readonly lacking: ReadonlyArray<Lacking>;
  /** The outbox has entries, new ones or older ones. */
  readonly outgoing: boolean;
}

/**
 * Freezes what may leave PENDING now: one entry for each document that has none under way (rule 6) and whose stream is not
 * parked (hazard 15). A document whose attachments have to go first waits for them without a counter, so that it holds up
 * no other one: those are returned.
 */
export const freezePending = (work: Freezing): Effect.Effect<Frozen, StoreFailure | Fenced> =>
  work.context.authoring.withPermits(1)(freezeSome(work));

const freezeSome = Effect.fnUntraced(function* (work: Freezing): Effect.fn.Return<Frozen, StoreFailure | Fenced> {
  const { store, context, fence, status } = work;
  const lacking: Array<Lacking> = [];
  const { workspace } = context;
  const { pending, outgoing, streams, nextCounter } = yield* status.read;
  const before: Frozen = { lacking, outgoing: outgoing.length > 0 };
  if (withholding(context) !== undefined) return before;
  const attempts = new Map(streams.map((stream) => [stream.document, stream.attempts]));
  const busy = new Set([...outgoing.map(({ document }) => document), ...heldDocuments(streams)]);
  const chosen = documentsToFreeze(pending, busy, FREEZE_DOCUMENTS);
  if (chosen.length === 0) return before;
  const now = yield* Clock.currentTimeMillis;
  const entries: Array<NewOutgoing> = [];
  for (const document of chosen) {
    const run = yield* fittingRun(work, document);
    if (run === undefined || run.updates.length === 0) continue;
    const chunks = yield* localChunks(work, run.updates);
    if (chunks.length > 0) {
      lacking.push({ document, chunks });
      continue;
    }
    const entry = yield* seal(context, document, run, nextCounter + entries.length, yield* work.mark(document));
    entries.push({
      ...toOutgoing(context, entry, now, attempts.get(document)),
      updates: run.updates.map(({ id }) => id),
    });
  }
  if (entries.length === 0) return before;
  yield* store.freeze(workspace, fence, entries);
  for (const { frozen, document, counter } of entries) yield* status.moved(frozen, { document, counter });
  return { lacking, outgoing: true };
});

/** Chunks that these edits refer to and that the server has not acknowledged. */
const localChunks = Effect.fnUntraced(function* (
  { store, context: { workspace } }: Freezing,
  updates: ReadonlyArray<UpdateRecord>,
): Effect.fn.Return<ReadonlyArray<Hash>, StoreFailure> {
  const refs = [...new Set(updates.flatMap((update) => update.refs))];
  if (refs.length === 0) return refs;
  const states = yield* store.chunkStates(workspace, refs);
  return refs.filter((hash) => states.get(hash) === "local");
});
