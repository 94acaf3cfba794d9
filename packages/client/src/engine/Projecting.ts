/**
 * The rows of documents, made in the background: first of those with updates that their rows do not show, then of those whose
 * rows another version of the app made, each the newest before the others. It is one line of work for both, because they are
 * the same rows, made by the same importer, and because a person sees one figure.
 *
 * The store knows of each row what it shows and by which declaration it was made. So whoever goes on after a crash makes none
 * twice and forgets none, and lists can be read all the time.
 */
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import { Duration, Effect, Fiber, Queue, type Scope } from "effect";
import type { Preparation } from "../workspace-api.ts";
import type { ImporterError } from "../documents/Importer.ts";
import type { LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import type { UnprojectedDocument } from "../store/store-changes.ts";
import type { DocumentImportsShape } from "./DocumentImports.ts";
import { elapsedMillis } from "./elapsed.ts";

/** A document's row is made anew when it has rested this many times as long as making it took, or the longest rest. */
const ROW_RESTS = 30;
const LONGEST_REST_MILLIS = 1_000;
/** Rows that are made before new ones are looked for, unless something came meanwhile: it may have come for an open page. */
const ROWS_AT_ONCE = 512;
const LOOK_AGAIN_MILLIS = 250;
/** Of these, rows that are made in one step. Fewer are made before a person has read that they are. */
const ROWS_TOGETHER = 64;
/** Between two steps what pages ask for has its turn. */
const PAUSE_MILLIS = 4;
/** The rows of other documents wait this long for those that are being made. */
const LONG_PROJECT_MILLIS = 1_000;
/** Pages hear how far it is at most this often. */
const PROGRESS_MILLIS = 500;
/** And of rows that were made anew: each time their lists ask again, which can take the store as long as a hundred rows. */
const TELL_MILLIS = 3_000;
/** Until rows of other declarations are looked for again, after another tab wrote: it may be of another version. */
const LIST_AGAIN_MILLIS = 1_000;

const isImporterError = (error: StoreFailure | ImporterError): error is ImporterError => error._tag !== "StoreFailure";

export interface ProjectingWork {
  readonly store: LocalStoreShape;
  readonly workspace: WorkspaceId;
  /** Whose rows can be made here, with the fingerprints of their declarations. */
  readonly types: ReadonlyMap<string, string>;
  readonly imports: DocumentImportsShape;
  /** What is done with a document whose newest updates were imported. */
  readonly imported: (document: DocumentId) => Effect.Effect<unknown, StoreFailure | ImporterError>;
  /** Documents that pages may have now, and types whose rows have changed. */
  readonly tell: (documents: ReadonlyArray<DocumentId>, types: ReadonlyArray<string>) => void;
  readonly progress: (preparing: Preparation | undefined) => void;
}

export interface Projecting {
  /** Makes the row of a document, where it is to be made. Afterwards it is known whether it is merging. */
  readonly project: (document: DocumentId) => Effect.Effect<void, StoreFailure>;
  /** Received updates of it are not imported yet: what pages get has to wait (rule 15). */
  readonly isProjecting: (document: DocumentId) => boolean;
  /** Something came from others for these documents. */
  readonly arrived: (documents: Iterable<DocumentId>) => void;
  /** A page waits for what came for a document. */
  readonly hurry: (document: DocumentId) => void;
  /** There are rows to be made. */
  readonly look: () => void;
  /** Another tab has written, perhaps rows of another version of the app. */
  readonly lookElsewhere: () => void;
  /** What was known of a document, or of all of them, is so no more: they were made anew. */
  readonly forget: (document?: DocumentId) => void;
  /** Keeps all rows made: the work of whoever leads. */
  readonly keep: Effect.Effect<never, StoreFailure>;
}

export const makeProjecting = Effect.fnUntraced(function* (
  work: ProjectingWork,
): Effect.fn.Return<Projecting, never, Scope.Scope> {
  const { store, workspace, types, imports } = work;
  const scope = yield* Effect.scope;
  const signal = yield* Queue.sliding<void>(1);
  const projecting = new Set<DocumentId>();
  /** Documents whose newest updates cannot be shown, by the update that was tried last: not tried again for nothing. */
  const given = new Map<DocumentId, number>();
  /** Documents of which something came from others that pages shall have, each with the number of its latest arrival. */
  const arrivals = new Map<DocumentId, number>();
  let lastArrival = 0;
  /** Documents that pages wait for. */
  const hurried = new Set<DocumentId>();
  /** When a document's row may be made again, and those that wait for that. */
  const rowDue = new Map<DocumentId, number>();
  const rowWaits = new Map<DocumentId, number>();
  /** Documents whose rows another declaration made, those to begin with last; when they were listed, and whether to do so. */
  let outdated: Array<DocumentId> = [];
  /** How many of them are being made. */
  let taken = 0;
  let listedAt = -Infinity;
  let isListingDue = true;
  /** Something came since it was looked last. */
  let isLookDue = false;
  /** Rows that were made since there was nothing to do, how far it is as it was told last, and what was not told yet. */
  let made = 0;
  let isTold = false;
  let progressAt = -Infinity;
  let toldAt = -Infinity;
  let untold: Array<UnprojectedDocument> = [];

  const look = (): void => {
    isLookDue = true;
    Queue.offerUnsafe(signal, undefined);
  };

  /** Whatever came for these documents, up to the arrivals that were seen before it was looked, is shown. */
  const settle = (documents: Iterable<DocumentId>, seen: ReadonlyMap<DocumentId, number>): void => {
    const shown = [...documents].filter((document) => {
      const isShown = arrivals.has(document) && arrivals.get(document) === seen.get(document);
      return isShown && arrivals.delete(document);
    });
    if (shown.length > 0) work.tell(shown, []);
  };

  const projectOne = Effect.fnUntraced(function* ({ document, type, through }: UnprojectedDocument) {
    const started = yield* elapsedMillis;
    if (projecting.has(document)) return;
    const due = rowDue.get(document) ?? 0;
    const row = started >= due;
    // Pages get what is new at once; the row, which costs with the length of the document, catches up.
    if (row) rowWaits.delete(document);
    else rowWaits.set(document, due);
    // What pages wrote themselves they have.
    if (!row && !arrivals.has(document)) return;
    projecting.add(document);
    arrivals.delete(document);
    yield* imports.project(workspace, document, through, row).pipe(
      Effect.tap(() => Effect.sync(() => given.delete(document))),
      Effect.andThen(work.imported(document)),
      Effect.catch((error) => {
        if (!isImporterError(error)) return Effect.fail(error);
        given.set(document, through);
        rowWaits.delete(document);
        return Effect.logWarning("a document cannot be shown up to date").pipe(
          Effect.annotateLogs({ workspace, document, reason: error._tag }),
        );
      }),
      Effect.ensuring(
        Effect.sync(() => {
          projecting.delete(document);
          // It may have taken longer than its row was to wait.
          if (rowWaits.has(document)) look();
        }),
      ),
    );
    const ended = yield* elapsedMillis;
    if (row) rowDue.set(document, ended + Math.min(LONGEST_REST_MILLIS, (ended - started) * ROW_RESTS));
    work.tell([document], row ? [type] : []);
  });

  /** Of some unprojected documents those for which there is something to do now. */
  const workable = (waiting: ReadonlyArray<UnprojectedDocument>, now: number) =>
    waiting.filter(
      ({ document, through }) =>
        !projecting.has(document) &&
        given.get(document) !== through &&
        (arrivals.has(document) || !rowWaits.has(document) || (rowDue.get(document) ?? 0) <= now),
    );

  /**
   * Makes the rows of those that are small in one step: `shown`. Those for which the time was too short are `later`; the others
   * are to be made one by one.
   */
  const projectTogether = Effect.fnUntraced(function* (waiting: ReadonlyArray<UnprojectedDocument>) {
    const started = yield* elapsedMillis;
    const due = waiting.filter(({ document }) => started >= (rowDue.get(document) ?? 0) && !projecting.has(document));
    if (due.length < 2) return { shown: [], others: waiting, later: [] };
    const seen = new Map(due.map(({ document }) => [document, arrivals.get(document)]));
    for (const { document } of due) projecting.add(document);
    const { projected, later } = yield* imports.projectTogether(workspace, due).pipe(
      Effect.ensuring(
        Effect.sync(() => {
          for (const { document } of due) projecting.delete(document);
        }),
      ),
    );
    const ended = yield* elapsedMillis;
    const rest = Math.min(LONGEST_REST_MILLIS, ((ended - started) / projected.size) * ROW_RESTS);
    for (const document of projected) {
      given.delete(document);
      if (arrivals.get(document) === seen.get(document)) arrivals.delete(document);
      rowWaits.delete(document);
      rowDue.set(document, ended + rest);
      yield* work.imported(document).pipe(Effect.catchIf(isImporterError, () => Effect.void));
    }
    return {
      shown: waiting.filter(({ document }) => projected.has(document)),
      others: waiting.filter(({ document }) => !projected.has(document) && !later.has(document)),
      later: waiting.filter(({ document }) => later.has(document)),
    };
  });

  const tellMade = (): void => {
    if (untold.length === 0) return;
    work.tell(
      untold.map(({ document }) => document),
      [...new Set(untold.map(({ type }) => type))],
    );
    untold = [];
  };

  /** Says how far it is, where that is long ago; `isLast`: there is nothing more to do. */
  const report = Effect.fnUntraced(function* (waiting: number, isLast: boolean) {
    if (isLast) {
      tellMade();
      made = 0;
      if (isTold) work.progress(undefined);
      isTold = false;
      return;
    }
    const now = yield* elapsedMillis;
    if (now - toldAt >= TELL_MILLIS) {
      toldAt = now;
      tellMade();
    }
    if (now - progressAt < PROGRESS_MILLIS || (!isTold && waiting + outdated.length <= ROWS_TOGETHER)) return;
    const others = taken + outdated.length;
    progressAt = now;
    // Those that rest, and those that cannot be shown, are not waited for.
    const behind = (yield* store.countUnprojected(workspace, types)) - rowWaits.size - given.size;
    isTold = true;
    work.progress({ done: made, total: made + Math.max(behind, 0) + others });
  });

  /** Some of the rows that another declaration made, unless somebody else has made them anew meanwhile. */
  const takeOutdated = Effect.gen(function* () {
    const only = outdated.splice(-ROWS_TOGETHER).toReversed();
    if (only.length === 0) return [];
    const found = yield* store.unprojected(workspace, types, { only });
    made += only.length - found.length;
    taken = found.length;
    for (const { document } of found) rowDue.delete(document);
    return found;
  });

  const listOutdated = Effect.gen(function* () {
    const now = yield* elapsedMillis;
    if (!isListingDue || outdated.length > 0 || now - listedAt < LIST_AGAIN_MILLIS) return;
    isListingDue = false;
    listedAt = now;
    outdated = (yield* store.outdated(workspace, types)).toReversed();
  });

  /** What is to be made: what pages wait for, then what does not show its newest updates, then what is of other versions. */
  const findWork = Effect.gen(function* () {
    const seen = new Map(arrivals);
    const only = [...hurried];
    hurried.clear();
    const wanted = only.length === 0 ? [] : yield* store.unprojected(workspace, types, { only });
    const wantedIds = new Set(wanted.map(({ document }) => document));
    settle(
      only.filter((document) => !wantedIds.has(document)),
      seen,
    );
    // Those that are passed over do not hide the others.
    const limit = ROWS_AT_ONCE + 1 + projecting.size + given.size + rowWaits.size;
    const waiting = yield* store.unprojected(workspace, types, { limit });
    if (waiting.length < limit) {
      // Rows that somebody else has made meanwhile, another tab or whoever opened the document, wait no more.
      const documents = new Set(waiting.map(({ document }) => document));
      for (const document of rowWaits.keys()) if (!documents.has(document)) rowWaits.delete(document);
      settle(
        [...seen.keys()].filter((document) => !documents.has(document)),
        seen,
      );
    }
    const others = waiting.filter(({ document }) => !wantedIds.has(document));
    const behind = workable([...wanted, ...others], yield* elapsedMillis);
    if (behind.length > 0) return { waiting: behind.length, found: behind.slice(0, ROWS_AT_ONCE), isBehind: true };
    const found = yield* takeOutdated;
    return { waiting: found.length, found: workable(found, yield* elapsedMillis), isBehind: false };
  });

  /** One look, and the work that it finds; whether there may be more. */
  const step = Effect.gen(function* () {
    const lookedAt = yield* elapsedMillis;
    isLookDue = false;
    yield* listOutdated;
    const { waiting, found, isBehind } = yield* findWork;
    if (found.length === 0 && outdated.length === 0) {
      yield* report(0, true);
      return false;
    }
    yield* report(waiting, false);
    let isMore = waiting > found.length || outdated.length > 0 || !isBehind;
    while (found.length > 0) {
      const some = found.splice(0, ROWS_TOGETHER);
      const { later, others, shown } = yield* projectTogether(some);
      made += shown.length + others.length;
      taken = 0;
      untold.push(...shown);
      // What arrives is shown as it is opened.
      if (isBehind) tellMade();
      else outdated.push(...later.toReversed().map(({ document }) => document));
      // Documents are independent: one that takes its time does not hold up the others (rule 15).
      if (others.length > 0) {
        const working = yield* Effect.forkIn(
          Effect.forEach(others, projectOne, { concurrency: 8, discard: true }),
          scope,
        );
        yield* Effect.raceFirst(Fiber.join(working), Effect.sleep(Duration.millis(LONG_PROJECT_MILLIS)));
      }
      yield* report(found.length, false);
      yield* Effect.sleep(Duration.millis(PAUSE_MILLIS));
      isMore ||= later.length > 0;
      const isLate = (yield* elapsedMillis) - lookedAt >= LOOK_AGAIN_MILLIS;
      if (hurried.size > 0 || (isLookDue && isLate)) return true;
    }
    return isMore;
  });

  const keep = Effect.gen(function* () {
    work.progress(undefined);
    isListingDue = true;
    for (;;) {
      if (yield* step) continue;
      const now = yield* elapsedMillis;
      for (const [document, due] of rowDue) if (due <= now) rowDue.delete(document);
      const next = Math.min(
        ...[...rowWaits].map(([document, due]) => (projecting.has(document) ? Infinity : due)),
        isListingDue ? listedAt + LIST_AGAIN_MILLIS : Infinity,
      );
      const signalled = Queue.take(signal);
      yield* next === Infinity
        ? signalled
        : Effect.raceFirst(signalled, Effect.sleep(Duration.millis(Math.max(0, Math.ceil(next - now)))));
    }
  }).pipe(
    Effect.ensuring(
      Effect.sync(() => {
        tellMade();
        outdated = [];
        taken = 0;
        listedAt = -Infinity;
        isTold = false;
        // Whoever leads now imports what came, and tells.
        arrivals.clear();
        hurried.clear();
        work.progress(undefined);
      }),
    ),
  );

  return {
    project: Effect.fnUntraced(function* (document) {
      // Until the first attempt is over nobody knows whether a page may import what came (rule 15).
      if (projecting.has(document)) yield* imports.tried(workspace, document);
      const seen = new Map([[document, arrivals.get(document) ?? 0]]);
      const waiting = yield* store.unprojected(workspace, types, { only: [document] });
      if (waiting.length === 0) settle([document], seen);
      yield* Effect.forEach(workable(waiting, yield* elapsedMillis), projectOne, { discard: true });
    }),
    // From the moment it came: a page that asks in between would import what nobody has tried yet.
    isProjecting: (document) => projecting.has(document) || arrivals.has(document),
    arrived: (documents) => {
      for (const document of documents) {
        lastArrival += 1;
        arrivals.set(document, lastArrival);
      }
    },
    hurry: (document) => {
      if (!arrivals.has(document)) return;
      hurried.add(document);
      look();
    },
    look,
    lookElsewhere: () => {
      isListingDue = true;
      Queue.offerUnsafe(signal, undefined);
    },
    forget: (document) => {
      if (document === undefined) {
        given.clear();
        rowDue.clear();
        look();
      } else {
        given.delete(document);
        rowDue.delete(document);
      }
    },
    keep,
  };
});
