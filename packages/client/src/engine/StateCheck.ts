/**
 * Comparing states after synchronising (rule 18). Two replicas of equal version and different content have silently
 * diverged: a peer id was used twice (hazard L4), or one of them was damaged. Nothing in Loro says so.
 *
 * So an entry carries, now and then, a mark of what its author's document came to. Whoever applies the entry and stands at
 * the same version compares. Where the states differ, it builds its document anew from the sealed log, in the order of
 * sequences, which everyone has. If it was the author that was wrong, the mark of the next edit here tells the author.
 */
import { decodeEntry, type DeviceId, type DocumentId, EntryKind, type WorkspaceId } from "@cairn/protocol";
import { Clock, Effect } from "effect";
import type { ImporterError, ImporterShape } from "../documents/Importer.ts";
import type { Fenced, LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import type { LogRecord } from "../store/records.ts";
import type { DocumentImportsShape } from "./DocumentImports.ts";
import type { StateMark } from "./entry-content.ts";
import { openContent } from "./entry-opening.ts";
import type { WorkspaceContext } from "./WorkspaceContext.ts";

/** A document is marked at most this often, and not before it was worked on for as long: never with every key press. */
export const MARK_EVERY_MILLIS = 60_000;
/** Entries of the log that are read at once. */
const LOG_STEP = 500;

export interface StateChecks {
  /** The mark for the next entry of a document, where one is due. */
  readonly due: (document: DocumentId) => Effect.Effect<StateMark | undefined, StoreFailure>;
  /** Marks that came with received entries, to be compared when those are applied. */
  readonly received: (marks: ReadonlyMap<DocumentId, StateMark>) => void;
  /** Compares a document whose updates were just applied. True where it had diverged and was built anew. */
  readonly compare: (document: DocumentId) => Effect.Effect<boolean, StoreFailure | Fenced | ImporterError>;
}

export const makeStateChecks = (
  store: LocalStoreShape,
  context: WorkspaceContext,
  importer: ImporterShape,
  imports: DocumentImportsShape,
  everyMillis = MARK_EVERY_MILLIS,
): StateChecks => {
  const { workspace } = context;
  const markedAt = new Map<DocumentId, number>();
  const claims = new Map<DocumentId, StateMark>();
  /** Documents that were just built anew: their next entry says what they came to. */
  const remade = new Set<DocumentId>();

  const mark = (document: DocumentId) =>
    imports.mark(workspace, document).pipe(
      // A mark can be done without; what cannot be imported now is told where it is shown.
      Effect.catchTags({
        ImportTooSlow: () => Effect.succeed(undefined),
        ImportRejected: () => Effect.succeed(undefined),
        ImporterUnavailable: () => Effect.succeed(undefined),
      }),
    );

  return {
    due: Effect.fnUntraced(function* (document) {
      const now = yield* Clock.currentTimeMillis;
      const last = markedAt.get(document);
      const isDue = remade.delete(document) || (last === undefined ? everyMillis === 0 : now - last >= everyMillis);
      if (isDue || last === undefined) markedAt.set(document, now);
      return isDue ? yield* mark(document) : undefined;
    }),
    received: (marks) => {
      for (const [document, claim] of marks) claims.set(document, claim);
    },
    compare: Effect.fnUntraced(function* (document) {
      const claim = claims.get(document);
      if (claim === undefined) return false;
      claims.delete(document);
      const own = yield* mark(document);
      if (own === undefined || !isEqual(own.version, claim.version) || isEqual(own.state, claim.state)) return false;
      yield* Effect.logWarning("a document had silently diverged: it is built anew from the log").pipe(
        Effect.annotateLogs({ workspace, document }),
      );
      yield* buildAnew(store, context, importer, document);
      yield* imports.forget(workspace, document);
      remade.add(document);
      return true;
    }),
  };
};

const isEqual = (left: Uint8Array, right: Uint8Array): boolean =>
  left.length === right.length && left.every((byte, index) => byte === right[index]);

/** All entries of a document that the log has, in the order of sequences. */
export const logOfDocuments = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  workspace: WorkspaceId,
  documents: ReadonlySet<DocumentId>,
): Effect.fn.Return<ReadonlyArray<LogRecord>, StoreFailure> {
  const records: Array<LogRecord> = [];
  let after: { readonly device: DeviceId; readonly counter: number } | undefined;
  for (;;) {
    const page = yield* store.logPage(workspace, after, LOG_STEP);
    records.push(
      ...page.filter(
        ({ seq, document, kind }) =>
          seq !== undefined && documents.has(document) && (kind === EntryKind.update || kind === EntryKind.snapshot),
      ),
    );
    const last = page.at(-1);
    if (last === undefined) break;
    after = { device: last.device, counter: last.counter };
  }
  return records.toSorted((left, right) => (left.seq ?? 0) - (right.seq ?? 0));
});

const buildAnew = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  context: WorkspaceContext,
  importer: ImporterShape,
  document: DocumentId,
): Effect.fn.Return<void, StoreFailure | Fenced | ImporterError> {
  const { workspace } = context;
  const opened = yield* store.openDocument(workspace, document);
  if (opened === undefined) return;
  const { through } = opened;
  const updates: Array<{ readonly id: number; readonly update: Uint8Array }> = [];
  for (const record of yield* logOfDocuments(store, workspace, new Set([document]))) {
    const entry = yield* Effect.promise(() => openContent(context, decodeEntry(record.entry)));
    if (entry.type === "unapplied") continue;
    for (const update of entry.content.updates) updates.push({ id: through, update });
  }
  // What no server has yet comes behind what one has.
  for (const { state, update } of opened.updates) if (state !== "received") updates.push({ id: through, update });
  const answer = yield* importer.apply({
    workspace,
    document,
    type: opened.record.type,
    known: through,
    base: { snapshot: undefined },
    updates,
    want: { view: true, snapshot: true },
    patient: true,
  });
  if (answer.type !== "applied" || answer.snapshot === undefined || answer.view === undefined) return;
  yield* store.fold(
    { workspace, document, through, snapshot: answer.snapshot },
    opened.updates.flatMap(({ id, state }) => (state === "pending" ? [] : [id])),
  );
  yield* store.putProjections(workspace, [{ document, through, view: answer.view }]);
});
