/** The rows of a folder's documents, made by a part of an engine over a store that may die at any operation. */
import { Effect } from "effect";
import { pathToFileURL } from "node:url";
import { makeInProcessImporter } from "../src/documents/InProcessImporter.ts";
import { makeDocumentImports } from "../src/engine/DocumentImports.ts";
import { knownTypes } from "../src/engine/engine-schema.ts";
import { makeProjecting } from "../src/engine/Projecting.ts";
import { LocalStore, type LocalStoreShape } from "../src/store/LocalStore.ts";
import * as SqliteStore from "../src/store/SqliteStore.ts";
import { third } from "./evolving-notes.ts";

/** Makes all rows as the third version of the app has them, over what `wrap` gives. Says what is left to be made. */
export const prepareFolder = (directory: string, wrap: (store: LocalStoreShape) => LocalStoreShape) =>
  Effect.gen(function* () {
    const store = yield* LocalStore;
    const [record] = yield* store.workspaces;
    if (record === undefined) return yield* Effect.die(new Error("there is a workspace"));
    const { workspace } = record;
    const types = knownTypes(third);
    const wrapped = wrap(store);
    // A clock that stands still: how much is done in one step does not depend on the machine.
    const importer = yield* makeInProcessImporter({ schema: third, now: () => 0 });
    const projecting = yield* makeProjecting({
      store: wrapped,
      workspace,
      types,
      imports: makeDocumentImports(wrapped, importer),
      imported: () => Effect.void,
      tell: () => undefined,
      progress: () => undefined,
    });
    const left = Effect.gen(function* () {
      return (yield* store.outdated(workspace, types)).length + (yield* store.countUnprojected(workspace, types));
    });
    const isMade = Effect.gen(function* () {
      while ((yield* left) > 0) yield* Effect.sleep(2);
    });
    const exit = yield* Effect.exit(Effect.raceFirst(projecting.keep, isMade));
    const page = yield* store.documentPage(workspace, undefined, 1_000);
    return { finished: exit._tag === "Success", left: yield* left, notes: page.filter(({ type }) => type === "note") };
  }).pipe(Effect.scoped, Effect.provide(SqliteStore.layer({ directory })));

const [, script, directory, batches] = process.argv;
if (script !== undefined && directory !== undefined && import.meta.url === pathToFileURL(script).href) {
  let stored = 0;
  const dying = (store: LocalStoreShape): LocalStoreShape => ({
    ...store,
    putProjections: (...given) =>
      Effect.tap(store.putProjections(...given), () =>
        Effect.sync(() => {
          stored += 1;
          if (stored === Number(batches)) process.kill(process.pid, "SIGKILL");
        }),
      ),
  });
  await Effect.runPromise(prepareFolder(directory, dying));
}
