/**
 * The engine: what runs behind the page, over the services of the platform. One per tab, or one per process in Node; all
 * engines of a profile share its store, and one of them leads.
 */
import { type RandomSource, recoveryWords, systemRandom } from "@cairn/crypto";
import type { WorkspaceId } from "@cairn/protocol";
import { Context, Deferred, Duration, Effect, Exit, type Scope } from "effect";
import type { BackupWork } from "../backup/WorkspaceBackup.ts";
import { Importer } from "../documents/Importer.ts";
import { Leadership } from "../platform/Leadership.ts";
import { Locks } from "../platform/Locks.ts";
import { Notifier } from "../platform/Notifier.ts";
import { PeerLeases } from "../platform/PeerLeases.ts";
import { watchStore } from "../platform/StoreWatch.ts";
import { Versions } from "../platform/Versions.ts";
import { LocalStore, type StoreFailure } from "../store/LocalStore.ts";
import type { Transport } from "../transport/Transport.ts";
import * as Attachments from "./Attachments.ts";
import { beginWith } from "./Beginning.ts";
import { documentCalls } from "./DocumentCalls.ts";
import type { EngineApi, EngineEvent } from "./EngineApi.ts";
import { attempt, causeToCairnError } from "./failures.ts";
import { inTurn } from "./in-turn.ts";
import { requireCurrentApp } from "./MinimumVersion.ts";
import { toPlainRow } from "./plain-row.ts";
import { hearProfileEvents } from "./ProfileEvents.ts";
import { countUnknown, makeRowQueries } from "./row-queries.ts";
import { sharingCalls } from "./SharingCalls.ts";
import { syncControls } from "./SyncControls.ts";
import type { MakeSealing } from "./WorkspaceContext.ts";
import { makeWorkspaces, type Publisher, type WorkspacesOptions } from "./Workspaces.ts";

export interface EngineOptions extends Omit<WorkspacesOptions, "random" | "sealing"> {
  readonly random?: RandomSource | undefined;
  readonly sealing?: MakeSealing | undefined;
  /**
   * Leading begins when this engine has answered its page's first question, or after so many milliseconds; at once unless
   * told. Whoever leads writes at once, and what a page reads first would wait for the disk.
   */
  readonly leadAfterMillis?: number | undefined;
  /** Keeps what a page asks first for the next start's first look, under the name of this build. */
  readonly keepFirstLook?: { readonly build: string } | undefined;
}

export type EngineServices = LocalStore | Importer | Transport | Leadership | PeerLeases | Notifier | Locks;

/** How long an engine that could not work waits before it leads again. */
const LEAD_AGAIN = Duration.seconds(2);
/** The page draws its first answer in this time, and asks what else it shows. */
const LEAD_BEHIND_ANSWER = Duration.millis(150);

/** Makes the engine; it runs until the scope ends. */
export const makeEngine = (
  options: EngineOptions,
): Effect.Effect<EngineApi, StoreFailure, EngineServices | Scope.Scope> =>
  Effect.gen(function* () {
    const listeners = new Set<(event: EngineEvent) => void>();
    const watch = yield* watchStore(yield* LocalStore, (trouble) => {
      for (const listener of listeners) listener({ type: "storage", trouble });
    });
    const engine = yield* assemble(options, listeners).pipe(Effect.provideService(LocalStore, watch.store));
    return { ...engine, storageTrouble: () => Promise.resolve(watch.trouble()) };
  });

const assemble = (
  options: EngineOptions,
  listeners: Set<(event: EngineEvent) => void>,
): Effect.Effect<Omit<EngineApi, "storageTrouble">, StoreFailure, EngineServices | Scope.Scope> =>
  Effect.gen(function* () {
    const services = yield* Effect.context<EngineServices | Scope.Scope>();
    const store = yield* LocalStore;
    const leadership = yield* Leadership;
    const leases = yield* PeerLeases;
    const notifier = yield* Notifier;
    const locks = yield* Locks;
    const random = options.random ?? systemRandom;
    const { keepFirstLook, schema } = options;
    const lifetime = yield* Effect.scope;

    const queries = makeRowQueries(options.schema, store);

    const publish = (event: EngineEvent): void => {
      for (const listener of listeners) listener(event);
    };
    const publisher: Publisher = {
      here: publish,
      everywhere: (event) => {
        publish(event);
        Effect.runFork(notifier.notify(event));
      },
    };
    const workspaces = yield* makeWorkspaces({ ...options, random, sealing: options.sealing }, publisher);
    const { runtimeOf } = workspaces;

    /** The promise of an effect, with a `CairnError` for every failure. */
    const promise = <A, E>(effect: Effect.Effect<A, E, EngineServices | Scope.Scope>): Promise<A> =>
      Effect.runPromiseExitWith(services)(effect).then((exit) => {
        if (Exit.isSuccess(exit)) return exit.value;
        throw causeToCairnError(exit.cause);
      });

    const { version } = schema;
    const sharing = yield* sharingCalls({ version, store, workspaces, notifier, publisher, promise });
    const { heard } = yield* hearProfileEvents(notifier, workspaces, publish);

    /** Leads whenever it can. What fails is told and tried again: nobody else would (Promise 14). */
    const lead: Effect.Effect<never> = leadership.lead(workspaces.lead).pipe(
      Effect.catchCause((cause) =>
        Effect.logError("the engine cannot work", cause).pipe(Effect.andThen(Effect.sleep(LEAD_AGAIN))),
      ),
      Effect.forever,
    );

    const versions = yield* Versions;
    yield* versions.listen((state) => publish({ type: "update", state }));
    const { leadAfterMillis = 0 } = options;
    const answered = yield* Deferred.make<void>();
    let isBeginning = false;
    const mayLead = Effect.raceFirst(
      Effect.andThen(Deferred.await(answered), Effect.sleep(LEAD_BEHIND_ANSWER)),
      Effect.andThen(
        Effect.sleep(Duration.millis(leadAfterMillis)),
        Effect.suspend(() => (isBeginning ? Deferred.await(answered) : Effect.void)),
      ),
    );
    yield* Effect.forkScoped(leadAfterMillis > 0 ? Effect.andThen(mayLead, lead) : lead);
    /** Answers what a page shows first. */
    const first = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      Effect.suspend(() => {
        isBeginning = true;
        return Effect.ensuring(effect, Deferred.done(answered, Exit.void));
      });

    const documents = documentCalls({ store, leases, workspaces, promise, first });

    const backupWork = Effect.fnUntraced(function* (workspace: WorkspaceId) {
      const runtime = yield* runtimeOf(workspace);
      const requireWritable = Effect.suspend(() => requireCurrentApp(version, runtime.context.membership));
      return {
        schema,
        store,
        runtime,
        importer: yield* Importer,
        leases,
        remote: Attachments.remoteOf(runtime),
        promise,
        requireWritable: () => promise(requireWritable),
        inTurn: (run, signal) => promise(inTurn(locks, `cairn/v1/${options.profile}/import/${workspace}`, run, signal)),
        append: (edits) => promise(Effect.andThen(requireWritable, documents.append(workspace, edits))),
      } satisfies BackupWork;
    });

    const beginningWork = { schema, store, queries, workspaces, notifier, versions, keepFirstLook, lifetime, heard };
    return {
      subscribe: (callback) => {
        listeners.add(callback);
        return () => void listeners.delete(callback);
      },
      updateState: () => Promise.resolve(versions.state()),
      beginning: (asked) => {
        const begun = beginWith(beginningWork, asked);
        return promise(asked.length === 0 ? begun : first(begun));
      },
      workspaces: () => promise(workspaces.list),
      currentWorkspace: () => promise(workspaces.current),
      selectWorkspace: (workspace) => promise(workspaces.select(workspace)),
      createWorkspace: () => promise(workspaces.found),
      removeWorkspace: (workspace, force) => promise(workspaces.remove(workspace, force)),
      signOut: (force) => promise(workspaces.signOut(force)),
      recoveryWords: () =>
        promise(Effect.flatMap(workspaces.recoverySeed, (seed) => attempt(async () => recoveryWords(seed)))),
      inspectLink: (url) => promise(workspaces.inspect(url)),
      describeLink: (url) => promise(workspaces.describe(url)),
      join: (url) => promise(workspaces.join(url)),
      setInvite: (invite) =>
        promise(
          Effect.ensuring(
            workspaces.invite(invite),
            // Whoever leads tries with it.
            Effect.ignore(
              Effect.flatMap(store.workspaces, (records) =>
                Effect.forEach(records, ({ workspace }) => notifier.notify({ type: "sync-now", workspace })),
              ),
            ),
          ),
        ),

      query: (workspace, type, query) => promise(first(queries.page(workspace, type, query))),
      count: (workspace, type, query) => promise(queries.count(workspace, type, query)),
      countBy: (workspace, type, path, query) => promise(queries.countBy(workspace, type, path, query)),

      ...documents.calls,
      ...sharing,
      ...syncControls({ version, store, runtimeOf, promise, publisher, notifier, leases }),
      leads: () => Promise.resolve(workspaces.isLeading()),
      sealChunk: (workspace, content) =>
        promise(Effect.flatMap(runtimeOf(workspace), ({ context }) => Attachments.storeChunk(store, context, content))),
      readChunk: (workspace, location) =>
        promise(
          Effect.flatMap(runtimeOf(workspace), (runtime) =>
            Attachments.loadChunk(store, runtime.context, Attachments.remoteOf(runtime), location),
          ),
        ),
      attachmentState: (workspace, hashes) =>
        promise(Effect.flatMap(runtimeOf(workspace), ({ context }) => Attachments.stateOf(store, context, hashes))),
      attachmentLimits: (workspace) =>
        promise(
          Effect.flatMap(runtimeOf(workspace), (runtime) =>
            Attachments.limitsOf(runtime.context, Attachments.remoteOf(runtime)),
          ),
        ),

      documentPage: (workspace, after, limit) =>
        promise(Effect.map(store.documentPage(workspace, after, limit), (records) => records.map(toPlainRow))),
      unknownDocuments: (workspace) => promise(countUnknown(schema, store, workspace)),
      exportBackup: (workspace, options) =>
        promise(backupWork(workspace)).then(async (work) => (await loadBackup()).exportBackup(work, options)),
      importBackup: (workspace, backup, options, signal) =>
        promise(backupWork(workspace)).then(async (work) =>
          (await loadBackup()).importBackup(work, backup, {
            ...options,
            signal,
            onProgress: (done, total) => {
              const { transfer } = options;
              if (transfer !== undefined) publish({ type: "transfer", transfer, done, total });
            },
          }),
        ),
    };
  });

/** Only when it is asked for: it brings Loro, which nothing else in an engine needs at its start. */
const loadBackup = () => import("../backup/WorkspaceBackup.ts");

/** The engine as a service, for Effect programs. */
export class Engine extends Context.Service<Engine, EngineApi>()("cairn/client/Engine") {}
