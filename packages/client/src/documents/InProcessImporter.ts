/**
 * Imports in the caller's own thread: for Node where the app names no import thread, and for tests. There is no budget: what
 * runs here cannot be interrupted (rule 15).
 */
import { Effect, Layer } from "effect";
import { ImportRejected, Importer, ImporterUnavailable } from "./Importer.ts";
import { type ImportCoreOptions, makeImportCore } from "./import-core.ts";

/** The importer, freed with its scope. */
export const makeInProcessImporter = Effect.fnUntraced(function* (options: ImportCoreOptions) {
  const core = makeImportCore(options);
  let open = true;
  const close = Effect.sync(() => {
    open = false;
    core.close();
  });
  yield* Effect.addFinalizer(() => close);
  return Importer.of({
    apply: Effect.fnUntraced(function* (request) {
      if (!open) return yield* new ImporterUnavailable({ cause: "closed" });
      const answer = core.apply(request);
      if (answer.type !== "rejected") return answer;
      return yield* new ImportRejected({ document: request.document, reason: answer.reason });
    }),
    applyTogether: Effect.fnUntraced(function* (requests) {
      if (!open) return yield* new ImporterUnavailable({ cause: "closed" });
      return core.applyTogether(requests).answers;
    }),
    reauthor: Effect.fnUntraced(function* (document, request) {
      if (!open) return yield* new ImporterUnavailable({ cause: "closed" });
      const answer = core.reauthor(request);
      if (answer.type === "reauthored") return answer.edits;
      return yield* new ImportRejected({ document, reason: answer.reason });
    }),
    evict: (workspace, document) => Effect.sync(() => core.evict(workspace, document)),
    close,
  });
});

/** The service. */
export const inProcessImporterLayer = (options: ImportCoreOptions): Layer.Layer<Importer> =>
  Layer.effect(Importer, makeInProcessImporter(options));
