/**
 * The engine: what runs behind the page, over the services of the platform. One per tab, or one per process in Node; all
 * engines of a profile share its store, and one of them leads.
 */
import { type RandomSource, recoveryWords, systemRandom } from "@cairn/crypto";
import type { DocumentId, LinkId, WorkspaceId } from "@cairn/protocol";
import { Context, Deferred, Duration, Effect, Exit, Result, type Scope } from "effect";
import type { PeerID } from "loro-crdt";
import type { BackupWork } from "../backup/WorkspaceBackup.ts";
import { Importer } from "../documents/Importer.ts";
import { peerIdOf } from "../documents/peer-ids.ts";
import { updateRanges } from "../documents/update-ranges-later.ts";
import { CairnError } from "../errors.ts";
import { Leadership } from "../platform/Leadership.ts";
import type { Locks } from "../platform/Locks.ts";
import { Notifier, type ProfileEvent } from "../platform/Notifier.ts";
import { type HeldLease, PeerLeases } from "../platform/PeerLeases.ts";
import { watchStore } from "../platform/StoreWatch.ts";
import { Versions } from "../platform/Versions.ts";
import { keepQuestions } from "../first-look/keep-questions.ts";
import { LocalStore, type StoreFailure } from "../store/LocalStore.ts";
import type { Transport } from "../transport/Transport.ts";
import * as Attachments from "./Attachments.ts";
import type { Beginning, EngineApi, EngineEvent, NewEdit, RowQuestion } from "./EngineApi.ts";
import { singletonName, WORKSPACE_SINGLETON } from "./engine-schema.ts";
import { attempt, causeToCairnError } from "./failures.ts";
import { type LeaderCall, type LeaderResult, makeLeaderCalls } from "./LeaderCalls.ts";
import { createLink, listDevices, listLastSeen, listLinks, revokeLink } from "./Links.ts";
import { raiseMinimumVersion, requireCurrentApp } from "./MinimumVersion.ts";
import type { OwnerWork } from "./Proposals.ts";
import { toPlainRow } from "./plain-row.ts";
import { countUnknown, makeRowQueries } from "./row-queries.ts";
import { type MakeSealing, reloadContext, roleOf } from "./WorkspaceContext.ts";
import type { WorkspaceRuntime } from "./WorkspaceRuntime.ts";
import { leaseFresh } from "./fresh-lease.ts";
import { syncControls } from "./SyncControls.ts";
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
/** Nothing of a start waits for what is kept for the next one. */
const KEEP_BEHIND_ANSWER = Duration.millis(200);
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
    const random = options.random ?? systemRandom;
    const { keepFirstLook, schema } = options;
    const lifetime = yield* Effect.scope;

    const queries = makeRowQueries(options.schema, store);
    const held = new Map<string, HeldLease>();

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
    const { runtimeOf, opened } = workspaces;

    /** The promise of an effect, with a `CairnError` for every failure. */
    const promise = <A, E>(effect: Effect.Effect<A, E, EngineServices | Scope.Scope>): Promise<A> =>
      Effect.runPromiseExitWith(services)(effect).then((exit) => {
        if (Exit.isSuccess(exit)) return exit.value;
        throw causeToCairnError(exit.cause);
      });

    const remoteOf = (runtime: WorkspaceRuntime): Attachments.Remote | undefined => {
      const { server } = runtime.context.record;
      return server === undefined ? undefined : runtime.driver.sessions(server);
    };
    const requireRemote = (runtime: WorkspaceRuntime): Effect.Effect<Attachments.Remote, CairnError> => {
      const remote = remoteOf(runtime);
      return remote === undefined ? Effect.fail(new CairnError("no-server")) : Effect.succeed(remote);
    };
    const workOf = Effect.fnUntraced(function* (workspace: WorkspaceId) {
      const runtime = yield* runtimeOf(workspace);
      const remote = yield* requireRemote(runtime);
      return { store, runtime, ...remote } satisfies OwnerWork;
    });
    const performAsLeader = Effect.fnUntraced(function* (call: LeaderCall) {
      const work = yield* workOf(call.workspace);
      const done: LeaderResult = { type: "done" };
      switch (call.type) {
        case "create-link": {
          const made: LeaderResult = { type: "link", ...(yield* createLink(work, call.options)) };
          return made;
        }
        case "revoke-link":
          yield* revokeLink(work, call.link);
          return done;
        case "raise-minimum-version":
          yield* raiseMinimumVersion(work, call.version);
          // An own link of the chain is no news to whoever pulls: the tabs are told here, when it is in force.
          yield* reloadContext(store, work.runtime.context);
          publisher.everywhere({ type: "workspaces" });
          return done;
      }
    });
    const calls = yield* makeLeaderCalls(notifier, workspaces.isLeading, performAsLeader);

    /** Leads whenever it can. What fails is told and tried again: nobody else would (Promise 14). */
    const lead: Effect.Effect<never> = leadership.lead(workspaces.lead).pipe(
      Effect.catchCause((cause) =>
        Effect.logError("the engine cannot work", cause).pipe(Effect.andThen(Effect.sleep(LEAD_AGAIN))),
      ),
      Effect.forever,
    );

    /** How often other engines told of stored documents. */
    let heard = 0;
    yield* notifier.listen((event: ProfileEvent) => {
      switch (event.type) {
        case "documents":
          heard += 1;
          opened(event.workspace)?.changedElsewhere(event.documents, event.types);
          break;
        case "outbox":
          opened(event.workspace)?.outboxChanged(event.rowless);
          break;
        case "sync-now":
          opened(event.workspace)?.driver.retryNow();
          break;
        case "identity":
          Effect.runForkWith(services)(
            Effect.andThen(
              Effect.ignore(opened(event.workspace)?.identityChanged(event.documents) ?? Effect.void),
              Effect.sync(() => publish(event)),
            ),
          );
          break;
        case "workspaces":
          Effect.runForkWith(services)(
            Effect.andThen(
              Effect.ignore(workspaces.changedElsewhere),
              Effect.sync(() => publish(event)),
            ),
          );
          break;
        case "sync":
          opened(event.workspace)?.status.adoptSync(event.state);
          publish(event);
          break;
        case "outbox-state":
          opened(event.workspace)?.status.adoptOutbox(event.outbox);
          publish(event);
          break;
        case "connections":
          opened(event.workspace)?.status.adoptConnections(event.connections);
          publish(event);
          break;
        case "rebuilt": {
          const runtime = opened(event.workspace);
          const taken = Effect.all([
            runtime?.rebuilt(event.document, event.peers) ?? Effect.void,
            Effect.ignore(workspaces.changedElsewhere),
          ]);
          Effect.runForkWith(services)(
            Effect.andThen(
              taken,
              Effect.sync(() => publish(event)),
            ),
          );
          break;
        }
        case "sync-paused": {
          const runtime = opened(event.workspace);
          if (runtime !== undefined) Effect.runForkWith(services)(runtime.driver.pause(event.paused));
          break;
        }
        case "offline-simulated": {
          const runtime = opened(event.workspace);
          if (runtime !== undefined) Effect.runForkWith(services)(runtime.driver.simulateOffline(event.on));
          break;
        }
        case "sync-asked": {
          const runtime = opened(event.workspace);
          if (runtime?.fence() !== undefined) runtime.status.republish();
          break;
        }
        case "outbox-event":
        case "dead-letters":
        case "attachments":
          publish(event);
          break;
        case "leader-asked":
        case "leader-answered":
        case "leader-called":
        case "leader-returned":
        // Of each tab alone.
        case "transfer":
        case "storage":
        case "update":
          break;
      }
    });
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

    const append = (workspace: WorkspaceId, edits: ReadonlyArray<NewEdit>, writer?: PeerID) =>
      Effect.gen(function* () {
        const runtime = opened(workspace) ?? (yield* runtimeOf(workspace));
        const { device } = runtime.context;
        // Promise 9: the server and every other device would refuse it.
        if (roleOf(runtime.context) === "reader") return yield* Effect.fail(new CairnError("read-only"));
        for (const { document, update } of edits) {
          // Rule 13: it depends on what nobody else will ever have.
          if (runtime.hasGivenUp(document) && (yield* Effect.promise(() => runtime.isGivenUp(document, update)))) {
            return yield* Effect.fail(new CairnError("document-rebuilt"));
          }
        }
        const ranges = edits.some((edit) => edit.device === undefined) ? updateRanges() : undefined;
        const { operationsOf } = ranges instanceof Promise ? yield* Effect.promise(() => ranges) : (ranges ?? {});
        // Rule 12: what was made under the peers of a retired identity would reach nobody.
        const isForeign = ({ device: maker, update }: NewEdit): boolean =>
          maker === undefined && operationsOf !== undefined && Result.isFailure(operationsOf(device, update));
        if (edits.some(isForeign)) return yield* Effect.fail(new CairnError("identity-changed"));
        yield* store
          .appendUpdates(edits.map((edit) => ({ workspace, ...edit, device: edit.device ?? device })))
          .pipe(
            Effect.tapError((failure) => (failure.reason === "retired" ? runtime.identityChanged([]) : Effect.void)),
          );
        runtime.edited(edits, writer);
      });

    const singletonDocument = (workspace: WorkspaceId, name: string) =>
      Effect.flatMap(runtimeOf(workspace), ({ context }) => attempt(() => context.keyring.singletonDocument(name)));

    const openDocument = Effect.fnUntraced(function* (workspace: WorkspaceId, document: DocumentId) {
      const runtime = yield* runtimeOf(workspace);
      yield* runtime.rows.project(document);
      const opened = yield* store.openDocument(workspace, document);
      if (opened === undefined) {
        return { type: "", snapshot: undefined, updates: [], through: 0, merging: false };
      }
      const { merging, type } = opened.record;
      // Rule 15: what takes long to import never reaches the page; it gets what can be shown at once.
      const shown = merging ? opened.updates.filter(({ state }) => state !== "received") : opened.updates;
      return {
        type,
        snapshot: opened.snapshot,
        updates: shown.map(({ update }) => update),
        through: opened.through,
        merging,
      };
    });

    const updatesAfter = Effect.fnUntraced(function* (workspace: WorkspaceId, document: DocumentId, after: number) {
      const runtime = yield* runtimeOf(workspace);
      const { merging, ...newer } = yield* store.updatesAfter(workspace, document, after);
      // Asked after reading: what was received meanwhile may be among what was read.
      if (runtime.rows.isProjecting(document) || merging) {
        runtime.rows.hurry(document);
        return { updates: [], through: after, merging };
      }
      const updates = newer.updates.map(({ update }) => update);
      return {
        updates: newer.snapshot === undefined ? updates : [newer.snapshot, ...updates],
        through: newer.through,
        merging,
      };
    });

    const flush = Effect.fnUntraced(function* (workspace: WorkspaceId) {
      const runtime = yield* runtimeOf(workspace);
      if (runtime.context.record.server === undefined) return yield* Effect.fail(new CairnError("no-server"));
      runtime.driver.wake();
      for (;;) {
        yield* runtime.status.read;
        const { pendingDocuments, problem } = runtime.status.state();
        if (pendingDocuments === 0) return;
        if (problem !== undefined && problem.action === "stop") {
          return yield* Effect.fail(new CairnError(problem.code, problem.message));
        }
        yield* Effect.sleep(Duration.millis(15));
      }
    });

    /** Lists go first: what else is read at the start would stand before them in the store's queue. */
    const beginning = Effect.fnUntraced(function* (first: ReadonlyArray<RowQuestion>) {
      const last = yield* workspaces.last;
      const heardBefore = heard;
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
          last === undefined ? Effect.succeed(undefined) : Effect.orElseSucceed(runtimeOf(last), () => undefined),
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
      const answer: Beginning = {
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
                first: heard === heardBefore ? pages : [],
              },
      };
      return answer;
    });

    const backupWork = Effect.fnUntraced(function* (workspace: WorkspaceId) {
      const runtime = yield* runtimeOf(workspace);
      const requireWritable = Effect.suspend(() => requireCurrentApp(schema.version, runtime.context.membership));
      return {
        schema,
        store,
        runtime,
        importer: yield* Importer,
        leases,
        remote: remoteOf(runtime),
        promise,
        requireWritable: () => promise(requireWritable),
        append: (edits) => promise(Effect.andThen(requireWritable, append(workspace, edits))),
      } satisfies BackupWork;
    });

    return {
      subscribe: (callback) => {
        listeners.add(callback);
        return () => void listeners.delete(callback);
      },
      updateState: () => Promise.resolve(versions.state()),
      beginning: (asked) => promise(asked.length === 0 ? beginning(asked) : first(beginning(asked))),
      workspaces: () => promise(workspaces.list),
      currentWorkspace: () => promise(workspaces.current),
      selectWorkspace: (workspace) => promise(workspaces.select(workspace)),
      createWorkspace: () => promise(workspaces.found),
      workspaceDocument: (workspace) => promise(singletonDocument(workspace, WORKSPACE_SINGLETON)),
      singletonDocument: (workspace, type, key) => promise(singletonDocument(workspace, singletonName(type, key))),
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

      leasePeer: (workspace) =>
        promise(
          Effect.gen(function* () {
            const { context } = yield* runtimeOf(workspace);
            const lease = yield* leaseFresh(leases, context);
            held.set(`${workspace}/${lease.lease}`, lease);
            const { device } = context;
            return { lease: lease.lease, peer: peerIdOf(device, lease.lease), device };
          }),
        ),
      releasePeer: (workspace, lease) =>
        promise(
          Effect.suspend(() => {
            const key = `${workspace}/${lease}`;
            const release = held.get(key)?.release ?? Effect.void;
            held.delete(key);
            return release;
          }),
        ),
      openDocument: (workspace, document) => promise(first(openDocument(workspace, document))),
      updatesAfter: (workspace, document, after) => promise(updatesAfter(workspace, document, after)),
      append: (workspace, edits, writer) => promise(first(append(workspace, edits, writer))),
      query: (workspace, type, query) => promise(first(queries.page(workspace, type, query))),
      count: (workspace, type, query) => promise(queries.count(workspace, type, query)),
      countBy: (workspace, type, path, query) => promise(queries.countBy(workspace, type, path, query)),

      syncState: (workspace) => promise(Effect.map(runtimeOf(workspace), ({ status }) => status.state())),
      syncNow: (workspace) =>
        promise(
          Effect.gen(function* () {
            const runtime = yield* runtimeOf(workspace);
            runtime.driver.retryNow();
            yield* notifier.notify({ type: "sync-now", workspace });
          }),
        ),
      ...syncControls({ version: schema.version, store, runtimeOf, promise, publisher, notifier, leases }),
      flush: (workspace, tier, timeout) =>
        promise(
          tier === "device"
            ? Effect.void
            : timeout === undefined
              ? flush(workspace)
              : flush(workspace).pipe(
                  Effect.timeoutOrElse({
                    duration: Duration.millis(timeout),
                    orElse: () => Effect.fail(new CairnError("timeout")),
                  }),
                ),
        ),

      createLink: (workspace, link) =>
        promise(calls.onLeader({ type: "create-link", workspace, options: link })).then((made) => {
          if (made.type !== "link") throw new CairnError("internal");
          return { url: made.url, link: made.link };
        }),
      links: (workspace) =>
        promise(
          Effect.flatMap(workOf(workspace), ({ runtime, calls, sessions }) =>
            listLinks(runtime.context, calls, sessions),
          ),
        ),
      revokeLink: (workspace, link: LinkId) =>
        promise(calls.onLeader({ type: "revoke-link", workspace, link })).then(() => undefined),
      raiseMinimumVersion: (workspace, version) =>
        promise(
          Effect.gen(function* () {
            const { context } = yield* runtimeOf(workspace);
            yield* requireCurrentApp(schema.version, context.membership);
            yield* calls.onLeader({ type: "raise-minimum-version", workspace, version });
            yield* reloadContext(store, context);
            return context.membership.minimumVersion;
          }),
        ),
      lastSeen: (workspace) =>
        promise(
          Effect.flatMap(workOf(workspace), ({ runtime, calls, sessions }) =>
            listLastSeen(runtime.context, calls, sessions),
          ),
        ),
      leads: () => Promise.resolve(workspaces.isLeading()),
      devices: (workspace) => promise(Effect.flatMap(runtimeOf(workspace), ({ context }) => listDevices(context))),

      sealChunk: (workspace, content) =>
        promise(Effect.flatMap(runtimeOf(workspace), ({ context }) => Attachments.storeChunk(store, context, content))),
      readChunk: (workspace, location) =>
        promise(
          Effect.flatMap(runtimeOf(workspace), (runtime) =>
            Attachments.loadChunk(store, runtime.context, remoteOf(runtime), location),
          ),
        ),
      attachmentState: (workspace, hashes) =>
        promise(Effect.flatMap(runtimeOf(workspace), ({ context }) => Attachments.stateOf(store, context, hashes))),
      attachmentLimits: (workspace) =>
        promise(
          Effect.flatMap(runtimeOf(workspace), (runtime) => Attachments.limitsOf(runtime.context, remoteOf(runtime))),
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
