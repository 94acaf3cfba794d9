/**
 * Bringing a document's stored updates to the importer, and what comes of it: the projected row, a merged update, a
 * folded snapshot. One import at a time per document.
 */
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import { Effect, Semaphore } from "effect";
import type { Extracted } from "../documents/extract-documents.ts";
import type { Applied, ImporterError, ImporterShape, ImportRequest, TogetherAnswer } from "../documents/Importer.ts";
import { holdsSeveralChanges, joinUpdates } from "../documents/join-updates.ts";
import type { DocumentView, NewProjection, OpenedDocument, UnprojectedDocument } from "../store/store-changes.ts";
import type { LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import type { UpdateRecord } from "../store/records.ts";
import type { StateMark } from "./entry-content.ts";

/** A document is folded when its loose updates outnumber this, and outweigh its snapshot. */
const FOLD_UPDATES = 400;
const FOLD_BYTES = 32 * 1024;
/** So many changes go into an entry as they are: written anew they take fewer bytes, but longer than all else at sealing. */
const FEW_CHANGES = 4;
/** Documents are projected together when they are made of at most so much each. */
const SMALL_UPDATES = 64;
const SMALL_BYTES = 64 * 1024;
/** Documents of which the importer's state is remembered: as many as an importer keeps. */
const KNOWN_DOCUMENTS = 32;

export interface DocumentImportsShape {
  /** Applies what is new, and stores the document's row unless that is not wanted. */
  readonly project: (
    workspace: WorkspaceId,
    document: DocumentId,
    through: number,
    row?: boolean,
  ) => Effect.Effect<"projected" | "merging", ImporterError | StoreFailure>;
  /**
   * Makes the rows of several documents at once, in one transaction. Does so for the small ones that nobody works on, as
   * many as a short time allows: `projected`. Those for which the time was too short are `later`; the others are for `project`.
   */
  readonly projectTogether: (
    workspace: WorkspaceId,
    documents: ReadonlyArray<UnprojectedDocument>,
  ) => Effect.Effect<
    { readonly projected: ReadonlySet<DocumentId>; readonly later: ReadonlySet<DocumentId> },
    StoreFailure
  >;
  /** Several pending updates of one document as one update with exactly their operations (rule 13). */
  readonly merge: (
    workspace: WorkspaceId,
    document: DocumentId,
    updates: ReadonlyArray<UpdateRecord>,
  ) => Effect.Effect<ReadonlyArray<Uint8Array>, StoreFailure>;
  /** One pending update as several of at most so many bytes each, where it can be cut; otherwise as it is. */
  readonly split: (
    workspace: WorkspaceId,
    document: DocumentId,
    update: Uint8Array,
    bytes: number,
  ) => Effect.Effect<ReadonlyArray<Uint8Array>, StoreFailure>;
  /** The document's row and whole content as the importer sees it; undefined where it is not here. */
  readonly snapshot: (
    workspace: WorkspaceId,
    document: DocumentId,
  ) => Effect.Effect<Applied | undefined, ImporterError | StoreFailure>;
  /** What the document comes to (rule 18); undefined while an update of it waits for another, or it is not here. */
  readonly mark: (
    workspace: WorkspaceId,
    document: DocumentId,
  ) => Effect.Effect<StateMark | undefined, ImporterError | StoreFailure>;
  /** Waits for what is being tried with a document. What goes on patiently is not waited for. */
  readonly tried: (workspace: WorkspaceId, document: DocumentId) => Effect.Effect<void>;
  readonly forget: (workspace: WorkspaceId, document: DocumentId) => Effect.Effect<void>;
}

/** Writes what a document says about others. */
export type Extracting = (
  document: DocumentId,
  extracted: Extracted,
) => Effect.Effect<void, StoreFailure | ImporterError>;

const isImporterFailure = (error: StoreFailure | ImporterError): error is ImporterError =>
  error._tag !== "StoreFailure";

/** What the importer has applied of a document, and how much of it lies loose in the store. */
interface Known {
  through: number;
  type: string;
  looseUpdates: number;
  looseBytes: number;
  snapshotBytes: number;
}

const NOTHING_TOGETHER = { projected: new Set<DocumentId>(), later: new Set<DocumentId>() };

const isSmall = ({ record, snapshot, updates }: OpenedDocument): boolean =>
  !record.merging &&
  record.type !== "" &&
  updates.length <= SMALL_UPDATES &&
  updates.reduce((sum, { update }) => sum + update.length, snapshot?.length ?? 0) <= SMALL_BYTES;

export const makeDocumentImports = (
  store: LocalStoreShape,
  importer: ImporterShape,
  /** An import was given up and goes on elsewhere: the document is shown as merging (rule 15). */
  onMerging: (document: DocumentId) => void = () => undefined,
  /** What a document says about others is written before its row says that this version of the app has seen it. */
  extract: Extracting = () => Effect.void,
): DocumentImportsShape => {
  const known = new Map<string, Known>();
  const locks = new Map<string, { readonly lock: Semaphore.Semaphore; users: number }>();
  const keyOf = (workspace: WorkspaceId, document: DocumentId): string => `${workspace}/${document}`;
  /** How often documents were forgotten, which few ever are: what was read before that is not theirs any more. */
  const forgotten = new Map<string, number>();

  const exclusively = <A, E>(key: string, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      const entry = locks.get(key) ?? { lock: Semaphore.makeUnsafe(1), users: 0 };
      locks.set(key, entry);
      entry.users += 1;
      return entry.lock
        .withPermits(1)(effect)
        .pipe(
          Effect.ensuring(
            Effect.sync(() => {
              entry.users -= 1;
              if (entry.users === 0) locks.delete(key);
            }),
          ),
        );
    });

  const fromStart = Effect.fnUntraced(function* (
    workspace: WorkspaceId,
    document: DocumentId,
    want: ImportRequest["want"],
    patient: boolean,
  ): Effect.fn.Return<Applied | undefined, ImporterError | StoreFailure> {
    const key = keyOf(workspace, document);
    const generation = forgotten.get(key);
    const opened = yield* store.openDocument(workspace, document);
    if (opened === undefined) return undefined;
    const answer = yield* importer.apply({
      workspace,
      document,
      type: opened.record.type,
      known: opened.through,
      base: { snapshot: opened.snapshot },
      updates: opened.updates,
      want,
      patient,
    });
    if (forgotten.get(key) !== generation) {
      // It was made anew while the importer was at work, and has what it was made of in its memory again.
      yield* importer.evict(workspace, document);
      return yield* fromStart(workspace, document, want, patient);
    }
    if (answer.type === "missing-base") return undefined;
    known.delete(key);
    for (const oldest of known.keys()) if (known.size >= KNOWN_DOCUMENTS) known.delete(oldest);
    known.set(key, {
      through: Math.max(opened.through, answer.through),
      type: opened.record.type,
      looseUpdates: opened.updates.length,
      looseBytes: opened.updates.reduce((sum, { update }) => sum + update.length, 0),
      snapshotBytes: opened.snapshot?.length ?? 0,
    });
    return answer;
  });

  const apply = Effect.fnUntraced(function* (
    workspace: WorkspaceId,
    document: DocumentId,
    want: ImportRequest["want"],
    patient: boolean,
  ): Effect.fn.Return<Applied | undefined, ImporterError | StoreFailure> {
    const key = keyOf(workspace, document);
    const before = known.get(key);
    if (before === undefined || before.type === "" || patient) {
      return yield* fromStart(workspace, document, want, patient);
    }
    // In the order of use: the first one is the one to go.
    known.delete(key);
    known.set(key, before);
    const generation = forgotten.get(key);
    const newer = yield* store.updatesAfter(workspace, document, before.through);
    if (newer.snapshot !== undefined) return yield* fromStart(workspace, document, want, false);
    const { updates } = newer;
    const answer = yield* importer.apply({
      workspace,
      document,
      type: before.type,
      known: before.through,
      updates,
      want,
    });
    if (answer.type === "missing-base" || forgotten.get(key) !== generation) {
      return yield* fromStart(workspace, document, want, false);
    }
    before.through = Math.max(before.through, newer.through, answer.through);
    before.looseUpdates += updates.length;
    before.looseBytes += updates.reduce((sum, { update }) => sum + update.length, 0);
    return answer;
  });

  /** Another tab may have folded further meanwhile: then there is nothing to do. */
  const fold = (
    workspace: WorkspaceId,
    document: DocumentId,
    snapshot: Uint8Array,
    through: number,
    replaced: ReadonlyArray<UpdateRecord>,
  ) =>
    store
      .fold(
        { workspace, document, snapshot, through },
        replaced.map(({ id }) => id),
      )
      .pipe(Effect.catchTag("Fenced", () => Effect.void));

  /** A snapshot takes the place of loose updates, at a cost that stays proportional to what was written. */
  const foldIfDue = Effect.fnUntraced(function* (workspace: WorkspaceId, document: DocumentId) {
    const key = keyOf(workspace, document);
    const state = known.get(key);
    if (state === undefined || state.looseUpdates < FOLD_UPDATES) return;
    if (state.looseBytes < Math.max(FOLD_BYTES, state.snapshotBytes)) return;
    const opened = yield* store.openDocument(workspace, document);
    if (opened === undefined) return;
    const foldable = opened.updates.filter((update) => update.state !== "pending" && update.id <= state.through);
    if (foldable.length < FOLD_UPDATES) return;
    const answer = yield* apply(workspace, document, { snapshot: true }, false);
    // Hazard L2: a snapshot taken while updates wait for a dependency would lose them.
    if (answer?.snapshot === undefined || answer.pending) return;
    yield* fold(workspace, document, answer.snapshot, state.through, foldable);
    state.looseUpdates = opened.updates.length - foldable.length;
    state.looseBytes = 0;
    state.snapshotBytes = answer.snapshot.length;
  });

  /** Whether all of it could be written. One that could not is tried by itself. */
  const extractedAll = (document: DocumentId, extracted: Extracted) =>
    extract(document, extracted).pipe(
      Effect.as(true),
      Effect.catchIf(isImporterFailure, () => Effect.succeed(false)),
    );

  const put = (workspace: WorkspaceId, document: DocumentId, through: number, view: DocumentView | undefined) =>
    store.putProjections(workspace, [{ document, through, view }]);

  const project: DocumentImportsShape["project"] = (workspace, document, through, row = true) =>
    exclusively(
      keyOf(workspace, document),
      Effect.gen(function* () {
        const answer = yield* apply(workspace, document, { view: row, extracted: row }, false);
        if (answer?.extracted !== undefined) yield* extract(document, answer.extracted);
        if (answer?.view !== undefined) yield* put(workspace, document, Math.max(through, answer.through), answer.view);
        yield* foldIfDue(workspace, document);
        return "projected" as const;
      }).pipe(
        Effect.catchTag("ImportTooSlow", () =>
          Effect.gen(function* () {
            known.delete(keyOf(workspace, document));
            yield* put(workspace, document, through, undefined);
            onMerging(document);
            return "merging" as const;
          }),
        ),
      ),
    ).pipe(
      Effect.flatMap((outcome) =>
        outcome === "projected" ? Effect.succeed(outcome) : projectPatiently(workspace, document, through),
      ),
    );

  /** Rule 15: in a worker of its own and with a long budget, so that neither the page nor other documents wait. */
  const projectPatiently = Effect.fnUntraced(function* (
    workspace: WorkspaceId,
    document: DocumentId,
    through: number,
  ): Effect.fn.Return<"projected" | "merging", ImporterError | StoreFailure> {
    const answer = yield* apply(workspace, document, { view: true, snapshot: true, extracted: true }, true);
    if (answer?.view === undefined) return "merging";
    if (answer.extracted !== undefined) yield* extract(document, answer.extracted);
    const opened = yield* store.openDocument(workspace, document);
    if (answer.snapshot !== undefined && !answer.pending && opened !== undefined) {
      // What took so long once must not take so long at every opening: the snapshot holds the merged state.
      const merged = opened.updates.filter(({ id, state }) => state !== "pending" && id <= answer.through);
      yield* fold(workspace, document, answer.snapshot, answer.through, merged);
    }
    known.delete(keyOf(workspace, document));
    yield* put(workspace, document, Math.max(through, answer.through), answer.view);
    return "projected";
  });

  const projectTogether: DocumentImportsShape["projectTogether"] = (workspace, waiting) => {
    const free = waiting.filter(({ document }) => {
      const key = keyOf(workspace, document);
      return !known.has(key) && !locks.has(key);
    });
    const work = Effect.gen(function* () {
      const opened = yield* store.openDocuments(
        workspace,
        free.map(({ document }) => document),
      );
      const asked = new Map(free.map(({ document, through }) => [document, through]));
      const small = opened.filter(isSmall);
      if (small.length < 2) return NOTHING_TOGETHER;
      const answers = yield* (
        importer
          .applyTogether(
            small.map(({ record, snapshot, through, updates }) => ({
              workspace,
              document: record.document,
              type: record.type,
              known: through,
              base: { snapshot },
              updates,
              want: { view: true, extracted: true },
            })),
          )
          // One of them took too long or cannot be imported: one by one it turns out which.
          .pipe(Effect.orElseSucceed((): ReadonlyArray<TogetherAnswer> => []))
      );
      const projections: Array<NewProjection> = [];
      for (const [index, answer] of answers.entries()) {
        const document = small[index];
        if (document === undefined || answer.type !== "applied" || answer.view === undefined) continue;
        if (answer.extracted !== undefined && !(yield* extractedAll(document.record.document, answer.extracted)))
          continue;
        // A document that was made anew has a newer mark than updates (decision 11).
        const through = Math.max(document.through, asked.get(document.record.document) ?? 0);
        projections.push({ document: document.record.document, through, view: answer.view });
      }
      if (projections.length > 0) yield* store.putProjections(workspace, projections);
      return {
        projected: new Set(projections.map(({ document }) => document)),
        later: new Set(answers.length === 0 ? [] : small.slice(answers.length).map(({ record }) => record.document)),
      };
    });
    if (free.length < 2) return Effect.succeed(NOTHING_TOGETHER);
    return free.reduce((inner, { document }) => exclusively(keyOf(workspace, document), inner), work);
  };

  const merge: DocumentImportsShape["merge"] = (workspace, document, updates) => {
    const plain = updates.map(({ update }) => update);
    if (plain.length <= FEW_CHANGES && !plain.some(holdsSeveralChanges)) return Effect.succeed(joinUpdates(plain));
    return exclusively(keyOf(workspace, document), apply(workspace, document, { merge: plain }, false)).pipe(
      // Joining updates saves bytes (hazard L6); where it cannot be done in time, they travel one by one.
      Effect.catchTags({
        ImportTooSlow: () => Effect.succeed(undefined),
        ImportRejected: () => Effect.succeed(undefined),
        ImporterUnavailable: () => Effect.succeed(undefined),
      }),
      Effect.map((answer) => (answer?.merged === undefined ? plain : [answer.merged])),
    );
  };

  const split: DocumentImportsShape["split"] = (workspace, document, update, bytes) =>
    exclusively(keyOf(workspace, document), apply(workspace, document, { split: { update, bytes } }, false)).pipe(
      Effect.catchTags({
        ImportTooSlow: () => Effect.succeed(undefined),
        ImportRejected: () => Effect.succeed(undefined),
        ImporterUnavailable: () => Effect.succeed(undefined),
      }),
      Effect.map((answer) => answer?.pieces ?? [update]),
    );

  return {
    project,
    projectTogether,
    mark: (workspace, document) =>
      exclusively(
        keyOf(workspace, document),
        Effect.map(apply(workspace, document, { mark: true }, false), (answer) => answer?.mark),
      ),
    merge,
    split,
    snapshot: (workspace, document) =>
      exclusively(keyOf(workspace, document), apply(workspace, document, { view: true, snapshot: true }, false)),
    tried: (workspace, document) => exclusively(keyOf(workspace, document), Effect.void),
    forget: (workspace, document) =>
      Effect.suspend(() => {
        const key = keyOf(workspace, document);
        known.delete(key);
        forgotten.set(key, (forgotten.get(key) ?? 0) + 1);
        return importer.evict(workspace, document);
      }),
  };
};
