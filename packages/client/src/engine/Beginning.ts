/** All that a page begins with, in one answer: the workspaces, the one used last, and the first of its lists. */
import type { DocumentSchema } from "@cairn/schema";
import { Duration, Effect, type Scope } from "effect";
import type { CairnError } from "../errors.ts";
import { keepQuestions } from "../first-look/keep-questions.ts";
import type { NotifierShape } from "../platform/Notifier.ts";
import type { VersionsShape } from "../platform/Versions.ts";
import type { LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import type { Beginning, RowQuestion } from "./EngineApi.ts";
import type { ProfileEvents } from "./ProfileEvents.ts";
import type { RowQueries } from "./row-queries.ts";
import type { Workspaces } from "./Workspaces.ts";

export interface BeginningOptions extends ProfileEvents {
  readonly schema: DocumentSchema;
  readonly store: LocalStoreShape;
  readonly queries: RowQueries;
  readonly workspaces: Workspaces;
  readonly notifier: NotifierShape;
  readonly versions: VersionsShape;
  /** Keeps what a page asks first for the next start's first look, under the name of this build. */
  readonly keepFirstLook: { readonly build: string } | undefined;
  /** Of the engine. */
  readonly lifetime: Scope.Scope;
}

/** Nothing of a start waits for what is kept for the next one. */
const KEEP_BEHIND_ANSWER = Duration.millis(200);

/** Lists go first: what else is read at the start would stand before them in the store's queue. */
export const beginWith = Effect.fnUntraced(function* (
  options: BeginningOptions,
  first: ReadonlyArray<RowQuestion>,
): Effect.fn.Return<Beginning, StoreFailure | CairnError> {
  const { schema, store, queries, workspaces, notifier, versions, keepFirstLook, lifetime, heard } = options;
  const last = yield* workspaces.last;
  const heardBefore = heard();
  const [pages, current, list] = yield* Effect.all(
    [
      last === undefined
        ? Effect.succeed([])
        : Effect.forEach(
            first,
            ({ type, query }) => Effect.orElseSucceed(queries.page(last, type, query), () => undefined),
            { concurrency: "unbounded" },
          ),
      // Whoever asks for one that cannot be opened hears why.
      last === undefined
        ? Effect.succeed(undefined)
        : Effect.orElseSucceed(workspaces.runtimeOf(last), () => undefined),
      workspaces.list,
    ],
    { concurrency: "unbounded" },
  );
  const info = list.find(({ id }) => id === last);
  if (keepFirstLook !== undefined && last !== undefined && first.length > 0) {
    const kept = keepQuestions(store, schema, keepFirstLook.build, last, first);
    yield* Effect.forkIn(Effect.andThen(Effect.sleep(KEEP_BEHIND_ANSWER), Effect.ignore(kept)), lifetime);
  }
  // Only whoever leads knows how the conversation stands.
  if (current !== undefined && current.fence() === undefined) {
    yield* notifier.notify({ type: "sync-asked", workspace: current.context.workspace });
  }
  return {
    update: versions.state(),
    workspaces: list,
    current:
      current === undefined || info === undefined
        ? undefined
        : {
            info,
            sync: current.status.state(),
            outbox: current.status.outbox(),
            // What another tab stored while the workspace was being opened is told to nobody.
            first: heard() === heardBefore ? pages : [],
          },
  };
});
