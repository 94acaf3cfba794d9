/**
 * Imports in a thread of their own, which is killed when one of them exceeds its budget (rule 15).
 *
 * There are two lanes. The quick one answers one request after the other from a core that keeps documents; the budget
 * counts from the moment when a request's turn comes, not while it waits. The patient one starts a thread for each
 * request, with the long budget, so that a document that takes minutes holds up nothing but itself.
 */
import type { DocumentId } from "@cairn/protocol";
import { Deferred, Effect, Layer, type Scope, Semaphore } from "effect";
import { CairnError } from "../errors.ts";
import { type Thread, ownBytes } from "../platform/channel/Endpoint.ts";
import {
  ImportRejected,
  type ImportRequest,
  ImportTooSlow,
  Importer,
  type ImporterError,
  type ImporterShape,
  ImporterUnavailable,
} from "./Importer.ts";
import type { CoreAnswer, ReauthorAnswer, TogetherAnswers } from "./import-core.ts";
import type { ReauthorRequest } from "./own-edits.ts";

export interface WorkerImporterOptions {
  /** Starts a thread that calls `serveImports`. */
  readonly spawn: () => Thread<FromThread, ToThread>;
  /** Milliseconds for one request; 3,000 unless told. */
  readonly budget?: number | undefined;
  /** Milliseconds for one patient request; ten minutes unless told. */
  readonly patientBudget?: number | undefined;
  /** Fingerprint of the schema that a thread has to have, where it may have another: it makes the rows. */
  readonly schema?: string | undefined;
  /** Milliseconds for a thread to load; 60,000 unless told. */
  readonly startBudget?: number | undefined;
}

/** What the importer's thread is asked. */
export type ToThread =
  | { readonly type: "apply"; readonly request: ImportRequest }
  | { readonly type: "together"; readonly requests: ReadonlyArray<ImportRequest> }
  | { readonly type: "reauthor"; readonly request: ReauthorRequest }
  | { readonly type: "evict"; readonly workspace: string; readonly document: string };
type ThreadAnswer = CoreAnswer | ReauthorAnswer | TogetherAnswers;

/** What it answers. */
export type FromThread =
  /** `schema`: the fingerprint of what it was given. */
  { readonly type: "ready"; readonly schema: string } | { readonly type: "answer"; readonly answer: ThreadAnswer };

/** A running thread. It works on one request at a time. */
interface Running {
  readonly thread: Thread<FromThread, ToThread>;
  readonly ready: Deferred.Deferred<void, ImporterUnavailable>;
  waiting: ((answer: ThreadAnswer | { readonly type: "lost"; readonly cause: unknown }) => void) | undefined;
  failed: boolean;
}

const start = ({ schema, spawn }: WorkerImporterOptions): Effect.Effect<Running, ImporterUnavailable> =>
  Effect.gen(function* () {
    const ready = yield* Deferred.make<void, ImporterUnavailable>();
    const thread = yield* Effect.try({ try: spawn, catch: (cause) => new ImporterUnavailable({ cause }) });
    const running: Running = { thread, ready, waiting: undefined, failed: false };
    thread.listen((message) => {
      if (message.type === "answer") return running.waiting?.(message.answer);
      const isOther = schema !== undefined && schema !== message.schema;
      Deferred.doneUnsafe(ready, isOther ? new ImporterUnavailable({ cause: otherSchema() }) : Effect.void);
    });
    thread.onFailure((cause) => {
      running.failed = true;
      Deferred.doneUnsafe(ready, new ImporterUnavailable({ cause }));
      running.waiting?.({ type: "lost", cause });
    });
    return running;
  });

const otherSchema = (): CairnError =>
  new CairnError(
    "build-mismatch",
    "The import thread's schema is another than that of `openCairn`. Both modules have to import the same.",
  );

type Question = Extract<ToThread, { readonly type: "apply" | "together" | "reauthor" }>;
type Answer = Exclude<ThreadAnswer, { readonly type: "rejected" }>;

const ask = (running: Running, document: DocumentId, question: Question): Effect.Effect<Answer, ImportRejected> =>
  Effect.callback<Answer, ImportRejected>((resume) => {
    const rejected = (reason: string): void => resume(Effect.fail(new ImportRejected({ document, reason })));
    running.waiting = (answer) => {
      running.waiting = undefined;
      if (answer.type === "lost") return rejected(`the thread was lost: ${String(answer.cause)}`);
      if (answer.type === "together") {
        running.failed ||= answer.answers.some((one) => one.type === "rejected" && one.crashed);
        return resume(Effect.succeed(answer));
      }
      if (answer.type !== "rejected") return resume(Effect.succeed(answer));
      if (answer.crashed) running.failed = true;
      rejected(answer.reason);
    };
    running.thread.post(question);
  });

/** Somebody waits for this thread: the process does not end meanwhile. */
const holding =
  ({ thread }: Running) =>
  <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.acquireUseRelease(
      Effect.sync(() => thread.holdProcess?.(true)),
      () => effect,
      () => Effect.sync(() => thread.holdProcess?.(false)),
    );

const answersOther = Effect.die(new Error("an answer to another question"));

const withOwnBytes = <A extends { readonly update: Uint8Array }>(edit: A): A => ({
  ...edit,
  update: ownBytes(edit.update),
});

const compact = (request: ImportRequest): ImportRequest => ({
  ...request,
  base: request.base && { snapshot: request.base.snapshot && ownBytes(request.base.snapshot) },
  updates: request.updates.map(({ id, update }) => ({ id, update: ownBytes(update) })),
  want: {
    ...request.want,
    merge: request.want.merge?.map(ownBytes),
    split:
      request.want.split === undefined
        ? undefined
        : { ...request.want.split, update: ownBytes(request.want.split.update) },
  },
});

const makeImporter = Effect.fnUntraced(function* (options: WorkerImporterOptions) {
  const budget = options.budget ?? 3_000;
  const patientBudget = options.patientBudget ?? 600_000;
  const startBudget = options.startBudget ?? 60_000;
  const quickLane = yield* Semaphore.make(1);
  const patientLane = yield* Semaphore.make(1);
  const threads = new Set<Running>();
  let quick: Running | undefined;
  let open = true;

  const end = (running: Running): void => {
    running.thread.close();
    running.waiting?.({ type: "lost", cause: "closed" });
    threads.delete(running);
    if (quick === running) quick = undefined;
  };

  const started = Effect.fnUntraced(function* () {
    if (!open) return yield* new ImporterUnavailable({ cause: "closed" });
    const running = yield* start(options);
    threads.add(running);
    return running;
  });

  const loaded = (running: Running): Effect.Effect<void, ImporterUnavailable> =>
    Deferred.await(running.ready).pipe(
      Effect.timeoutOrElse({
        duration: startBudget,
        orElse: () => Effect.fail(new ImporterUnavailable({ cause: "the thread did not start" })),
      }),
    );

  /** Runs one request on a thread. Whatever ends it early, a thread that may still be working is killed. */
  const run = (
    running: Running,
    document: DocumentId,
    question: Question,
    millis: number,
  ): Effect.Effect<Answer, ImporterError> =>
    Effect.gen(function* () {
      yield* loaded(running);
      return yield* ask(running, document, question).pipe(
        Effect.timeoutOrElse({
          duration: millis,
          orElse: () => Effect.fail(new ImportTooSlow({ document, budget: millis })),
        }),
      );
    }).pipe(
      Effect.onError((cause) =>
        Effect.sync(() => {
          const orderly = cause.reasons.every(
            (reason) => reason._tag === "Fail" && reason.error._tag === "ImportRejected",
          );
          if (!orderly || running.failed) end(running);
        }),
      ),
      holding(running),
    );

  /** In a thread of its own, so that nothing else waits for it. */
  const patiently = (document: DocumentId, question: Question): Effect.Effect<Answer, ImporterError> =>
    patientLane.withPermits(1)(
      Effect.acquireUseRelease(
        started(),
        (running) => run(running, document, question, patientBudget),
        (running) => Effect.sync(() => end(running)),
      ),
    );
  const quickly = (document: DocumentId, question: Question): Effect.Effect<Answer, ImporterError> =>
    quickLane.withPermits(1)(
      Effect.gen(function* () {
        if (quick === undefined || quick.failed) {
          if (quick !== undefined) end(quick);
          quick = yield* started();
        }
        return yield* run(quick, document, question, budget);
      }),
    );

  const close = Effect.sync(() => {
    open = false;
    threads.forEach(end);
  });
  yield* Effect.addFinalizer(() => close);

  /** Starts the first thread, and waits until it could work. */
  const begin = quickLane.withPermits(1)(
    Effect.gen(function* () {
      quick = yield* started();
      yield* loaded(quick).pipe(holding(quick));
    }),
  );

  const importer = Importer.of({
    apply: (request) => {
      const { document } = request;
      const question = { type: "apply", request: compact(request) } as const;
      const answered = request.patient === true ? patiently(document, question) : quickly(document, question);
      return Effect.flatMap(answered, (answer) =>
        answer.type === "applied" || answer.type === "missing-base" ? Effect.succeed(answer) : answersOther,
      );
    },
    applyTogether: (requests) => {
      const [first] = requests;
      if (first === undefined) return Effect.succeed([]);
      return Effect.flatMap(quickly(first.document, { type: "together", requests: requests.map(compact) }), (answer) =>
        answer.type === "together" ? Effect.succeed(answer.answers) : answersOther,
      );
    },
    reauthor: (document, request) =>
      Effect.flatMap(
        patiently(document, {
          type: "reauthor",
          request: {
            ...request,
            acknowledged: request.acknowledged.map(ownBytes),
            elsewhere: request.elsewhere.map((entry) => ({ ...entry, update: ownBytes(entry.update) })),
            own: request.own.map((edit) => ({
              ...withOwnBytes(edit),
              former: edit.former && {
                givenUp: edit.former.givenUp.map(withOwnBytes),
                later: edit.former.later.map(withOwnBytes),
              },
            })),
            madeAnew: request.madeAnew.map((entry) => ({ ...entry, updates: entry.updates.map(ownBytes) })),
            appliedAgain: request.appliedAgain && {
              ...request.appliedAgain,
              updates: request.appliedAgain.updates.map(ownBytes),
              holders: request.appliedAgain.holders.map(ownBytes),
            },
          },
        }),
        (answer) => (answer.type === "reauthored" ? Effect.succeed(answer.edits) : answersOther),
      ),
    evict: (workspace, document) => Effect.sync(() => quick?.thread.post({ type: "evict", workspace, document })),
    close,
  });
  return { importer, begin };
});

/** The importer. Its threads end with its scope. The first one is started when there is something to import. */
export const makeWorkerImporter = (options: WorkerImporterOptions): Effect.Effect<ImporterShape, never, Scope.Scope> =>
  Effect.map(makeImporter(options), ({ importer }) => importer);

/** The service, once its first thread has loaded. Where that fails, the layer does, and imports run nowhere else. */
export const startedWorkerImporterLayer = (
  options: WorkerImporterOptions,
): Layer.Layer<Importer, ImporterUnavailable> =>
  Layer.effect(
    Importer,
    Effect.flatMap(makeImporter(options), ({ importer, begin }) => Effect.as(begin, importer)),
  );

/** The service. */
export const workerImporterLayer = (options: WorkerImporterOptions): Layer.Layer<Importer> =>
  Layer.effect(Importer, makeWorkerImporter(options));
