/**
 * The engine: what runs behind the page, over the services of the platform. One per tab, or one per process in Node; all
 * engines of a profile share its store, and one of them leads.
 */
import {
  currentRole,
  generatePersonSeed,
  generateRootSecret,
  homeRootSecret,
  parseAccessLink,
  type RandomSource,
  recoveryWords,
  systemRandom,
} from "@cairn/crypto";
import type { DocumentId, LinkId, WorkspaceId } from "@cairn/protocol";
import { Context, Duration, Effect, Exit, FiberMap, type Scope } from "effect";
import type { ListQuery, WorkspaceInfo } from "../api.ts";
import { peerIdOf } from "../documents/peer-ids.ts";
import * as Backup from "../backup/WorkspaceBackup.ts";
import { Importer } from "../documents/Importer.ts";
import { CairnError } from "../errors.ts";
import { Leadership } from "../platform/Leadership.ts";
import { Notifier, type ProfileEvent } from "../platform/Notifier.ts";
import { type HeldLease, PeerLeases } from "../platform/PeerLeases.ts";
import { type Fence, type Fenced, LocalStore, type StoreFailure } from "../store/LocalStore.ts";
import type { WorkspaceRecord } from "../store/records.ts";
import { Transport } from "../transport/Transport.ts";
import * as Attachments from "./Attachments.ts";
import type { EngineApi, EngineEvent, NewEdit } from "./EngineApi.ts";
import { WORKSPACE_SINGLETON } from "./engine-schema.ts";
import { causeToCairnError } from "./failures.ts";
import * as Joining from "./Joining.ts";
import { makeLeaderCalls } from "./LeaderCalls.ts";
import { createLink, listDevices, listLinks, type OwnerWork, revokeLink } from "./Links.ts";
import { runListQuery, toPlainRow } from "./list-query.ts";
import { loadContext, type MakeSealing } from "./WorkspaceContext.ts";
import { makeWorkspaceRuntime, type WorkspaceRuntime } from "./WorkspaceRuntime.ts";
import * as Secrets from "./WorkspaceSecrets.ts";

export interface EngineOptions {
  /** Origin of the server for new workspaces. */
  readonly server: string | undefined;
  readonly deviceName: string;
  readonly deviceKeyForm: Secrets.DeviceKeyForm;
  readonly random?: RandomSource | undefined;
  readonly sealing?: MakeSealing | undefined;
}

export type EngineServices = LocalStore | Importer | Transport | Leadership | PeerLeases | Notifier;

/** Makes the engine; it runs until the scope ends. */
export const makeEngine = (
  options: EngineOptions,
): Effect.Effect<EngineApi, StoreFailure, EngineServices | Scope.Scope> =>
  Effect.gen(function* () {
    const services = yield* Effect.context<EngineServices | Scope.Scope>();
    const store = yield* LocalStore;
    const leadership = yield* Leadership;
    const leases = yield* PeerLeases;
    const notifier = yield* Notifier;
    const transport = yield* Transport;
    const random = options.random ?? systemRandom;
    const joining = { store, random, deviceName: options.deviceName, deviceKeyForm: options.deviceKeyForm };

    const listeners = new Set<(event: EngineEvent) => void>();
    const runtimes = new Map<WorkspaceId, WorkspaceRuntime>();
    const held = new Map<string, HeldLease>();
    const leading = yield* FiberMap.make<WorkspaceId, never, StoreFailure | Fenced>();
    let fence: Fence | undefined;

    const publish = (event: EngineEvent): void => {
      for (const listener of listeners) listener(event);
    };
    const publishToAll = (event: EngineEvent): void => {
      publish(event);
      Effect.runFork(notifier.notify(event));
    };

    /** The promise of an effect, with a `CairnError` for every failure. */
    const promise = <A, E>(effect: Effect.Effect<A, E, EngineServices | Scope.Scope>): Promise<A> =>
      Effect.runPromiseExit(Effect.provideContext(effect, services)).then((exit) => {
        if (Exit.isSuccess(exit)) return exit.value;
        throw causeToCairnError(exit.cause);
      });

    const opening = new Map<WorkspaceId, Promise<WorkspaceRuntime>>();
    const openRuntime = Effect.fnUntraced(function* (workspace: WorkspaceId) {
      const record = (yield* store.workspaces).find((candidate) => candidate.workspace === workspace);
      if (record === undefined) return yield* Effect.fail(new CairnError("workspace-not-here"));
      const context = yield* loadContext(store, record, random, options.sealing);
      if (context === undefined) return yield* Effect.fail(new CairnError("keys-missing"));
      const runtime = yield* makeWorkspaceRuntime(context, publish);
      runtimes.set(workspace, runtime);
      if (fence !== undefined) yield* FiberMap.run(leading, workspace, runtime.lead(fence));
      return runtime;
    });
    /** The workspace's runtime, opened once. */
    const runtimeOf = (workspace: WorkspaceId) =>
      Effect.suspend(() => {
        const known = runtimes.get(workspace);
        if (known !== undefined) return Effect.succeed(known);
        const made = opening.get(workspace) ?? promise(openRuntime(workspace)).finally(() => opening.delete(workspace));
        opening.set(workspace, made);
        return Effect.tryPromise({
          try: () => made,
          catch: (error) =>
            error instanceof CairnError ? error : new CairnError("internal", undefined, { cause: error }),
        });
      });

    const infoOf = Effect.fnUntraced(function* (record: WorkspaceRecord) {
      const runtime = yield* runtimeOf(record.workspace);
      const document = yield* Effect.promise(() => runtime.context.keyring.singletonDocument(WORKSPACE_SINGLETON));
      const row = yield* store.document(record.workspace, document);
      const name = row?.fields["name"];
      return {
        id: record.workspace,
        name: typeof name === "string" ? name : "",
        role: record.role,
        createdHere: record.createdHere,
        server: record.server,
      } satisfies WorkspaceInfo;
    });

    const select = Effect.fnUntraced(function* (workspace: WorkspaceId) {
      const profile = yield* store.profile;
      yield* store.putProfile({
        format: 1,
        homeWorkspace: profile?.homeWorkspace,
        ...profile,
        currentWorkspace: workspace,
      });
    });

    const ensureHome = Effect.gen(function* () {
      const profile = yield* store.profile;
      const records = yield* store.workspaces;
      const current = records.find(({ workspace }) => workspace === profile?.currentWorkspace) ?? records[0];
      if (current !== undefined) return current;
      const seed = (yield* Secrets.personSeed(store)) ?? generatePersonSeed(random);
      yield* Secrets.savePersonSeed(store, seed);
      const rootSecret = yield* Effect.promise(() => homeRootSecret(seed));
      const record = yield* Joining.found(joining, rootSecret, options.server).pipe(
        // Another tab founded it at the same moment: the seed makes it the same workspace.
        Effect.catchTag("Fenced", () => Effect.map(store.workspaces, ([first]) => first)),
      );
      if (record === undefined) return yield* Effect.fail(new CairnError("storage-unavailable"));
      yield* store.putProfile({ format: 1, currentWorkspace: record.workspace, homeWorkspace: record.workspace });
      return record;
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
    const calls = yield* makeLeaderCalls(
      notifier,
      () => fence !== undefined,
      (call) =>
        Effect.flatMap(workOf(call.workspace), (work) =>
          call.type === "create-link"
            ? createLink(work, call.options)
            : Effect.as(revokeLink(work, call.link), { url: "", link: call.link }),
        ),
    );

    const lead = (held: Fence): Effect.Effect<never, StoreFailure | Fenced> =>
      Effect.gen(function* () {
        fence = held;
        for (const { workspace } of yield* store.workspaces) {
          // A workspace whose keys are gone says so when it is opened; the others go on.
          yield* Effect.ignore(runtimeOf(workspace));
        }
        for (const [workspace, runtime] of runtimes) {
          yield* FiberMap.run(leading, workspace, runtime.lead(held), { onlyIfMissing: true });
        }
        return yield* FiberMap.join(leading).pipe(Effect.andThen(Effect.never));
      }).pipe(
        Effect.ensuring(
          Effect.suspend(() => {
            fence = undefined;
            return FiberMap.clear(leading);
          }),
        ),
      );

    yield* notifier.listen((event: ProfileEvent) => {
      switch (event.type) {
        case "documents":
          runtimes.get(event.workspace)?.changedElsewhere(event.documents);
          break;
        case "outbox":
          runtimes.get(event.workspace)?.outboxChanged();
          break;
        case "sync-now":
          runtimes.get(event.workspace)?.driver.retryNow();
          break;
        case "workspaces":
        case "sync":
        case "attachments":
          publish(event);
          break;
        case "leader-asked":
        case "leader-answered":
        case "leader-called":
        case "leader-returned":
          break;
      }
    });
    yield* Effect.forkScoped(leadership.lead(lead));

    const append = (workspace: WorkspaceId, edits: ReadonlyArray<NewEdit>) =>
      Effect.gen(function* () {
        const runtime = runtimes.get(workspace) ?? (yield* runtimeOf(workspace));
        const { membership, device } = runtime.context;
        // Promise 9: the server and every other device would refuse it.
        if (currentRole(membership, device) === "reader") return yield* Effect.fail(new CairnError("read-only"));
        yield* store.appendUpdates(edits.map((edit) => ({ workspace, ...edit })));
        runtime.edited(edits.map(({ document }) => document));
      });

    const openDocument = Effect.fnUntraced(function* (workspace: WorkspaceId, document: DocumentId) {
      const runtime = yield* runtimeOf(workspace);
      yield* runtime.project(document);
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
      const record = yield* store.document(workspace, document);
      const merging = record?.merging ?? false;
      if (runtime.isProjecting(document) || merging) return { updates: [], through: after, merging };
      const newer = yield* store.updatesAfter(workspace, document, after);
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
        yield* runtime.status.refresh;
        const { pendingDocuments, problem } = runtime.status.state();
        if (pendingDocuments === 0) return;
        if (problem !== undefined && problem.action === "stop") {
          return yield* Effect.fail(new CairnError(problem.code, problem.message));
        }
        yield* Effect.sleep(Duration.millis(15));
      }
    });

    const backupWork = Effect.fnUntraced(function* (workspace: WorkspaceId) {
      const runtime = yield* runtimeOf(workspace);
      return {
        store,
        runtime,
        importer: yield* Importer,
        leases,
        remote: remoteOf(runtime),
        promise,
        append: (edits) => promise(append(workspace, edits)),
      } satisfies Backup.BackupWork;
    });

    return {
      subscribe: (callback) => {
        listeners.add(callback);
        return () => void listeners.delete(callback);
      },
      workspaces: () =>
        promise(
          Effect.flatMap(store.workspaces, (records) =>
            Effect.forEach(
              records.toSorted((left, right) => left.addedAt - right.addedAt),
              infoOf,
            ),
          ),
        ),
      currentWorkspace: () => promise(Effect.flatMap(ensureHome, infoOf)),
      selectWorkspace: (workspace) =>
        promise(
          Effect.gen(function* () {
            const runtime = yield* runtimeOf(workspace);
            yield* select(workspace);
            return yield* infoOf(runtime.context.record);
          }),
        ),
      createWorkspace: () =>
        promise(
          Effect.gen(function* () {
            const record = yield* Joining.found(joining, generateRootSecret(random), options.server);
            const info = yield* infoOf(record);
            yield* select(record.workspace);
            publishToAll({ type: "workspaces" });
            return info;
          }),
        ),
      workspaceDocument: (workspace) =>
        promise(
          Effect.flatMap(runtimeOf(workspace), ({ context }) =>
            Effect.promise(() => context.keyring.singletonDocument(WORKSPACE_SINGLETON)),
          ),
        ),
      removeWorkspace: (workspace, force) =>
        promise(
          Effect.gen(function* () {
            const runtime = yield* runtimeOf(workspace);
            yield* runtime.status.refresh;
            const { pendingDocuments } = runtime.status.state();
            if (!force && pendingDocuments > 0) return yield* Effect.fail(new CairnError("pending-edits"));
            yield* FiberMap.remove(leading, workspace);
            runtimes.delete(workspace);
            yield* store.removeWorkspace(workspace);
            yield* Secrets.removeSecrets(store, workspace);
            publishToAll({ type: "workspaces" });
          }),
        ),
      recoveryWords: () =>
        promise(
          Effect.flatMap(Secrets.personSeed(store), (seed) =>
            seed === undefined ? Effect.fail(new CairnError("keys-missing")) : Effect.succeed(recoveryWords(seed)),
          ),
        ),
      inspectLink: (url) =>
        promise(
          Effect.gen(function* () {
            const link = yield* Effect.try({ try: () => parseAccessLink(url), catch: (error) => error });
            const records = yield* store.workspaces;
            return {
              workspace: link.workspace,
              server: link.server,
              alreadyJoined: records.some(({ workspace }) => workspace === link.workspace),
            };
          }),
        ),
      join: (url) =>
        promise(
          Effect.gen(function* () {
            const link = yield* Effect.try({ try: () => parseAccessLink(url), catch: (error) => error });
            const known = (yield* store.workspaces).find(({ workspace }) => workspace === link.workspace);
            const calls = transport.server(new URL(link.server).origin);
            const record = known ?? (yield* Joining.join(joining, calls, link));
            const info = yield* infoOf(record);
            yield* select(record.workspace);
            publishToAll({ type: "workspaces" });
            return info;
          }),
        ),

      leasePeer: (workspace) =>
        promise(
          Effect.gen(function* () {
            const { context } = yield* runtimeOf(workspace);
            const lease = yield* leases.acquire(workspace);
            held.set(`${workspace}/${lease.lease}`, lease);
            return { lease: lease.lease, peer: peerIdOf(context.device, lease.lease) };
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
      openDocument: (workspace, document) => promise(openDocument(workspace, document)),
      updatesAfter: (workspace, document, after) => promise(updatesAfter(workspace, document, after)),
      closeDocument: () => Promise.resolve(),
      append: (workspace, edits) => promise(append(workspace, edits)),
      query: (workspace, type, query: ListQuery) =>
        promise(Effect.map(store.documentsOfType(workspace, type), (records) => runListQuery(records, query))),

      syncState: (workspace) => promise(Effect.map(runtimeOf(workspace), ({ status }) => status.state())),
      syncNow: (workspace) =>
        promise(
          Effect.gen(function* () {
            const runtime = yield* runtimeOf(workspace);
            runtime.driver.retryNow();
            yield* notifier.notify({ type: "sync-now", workspace });
          }),
        ),
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
        promise(calls.onLeader({ type: "create-link", workspace, options: link })).then(({ url, link }) => ({
          url,
          link,
        })),
      links: (workspace) =>
        promise(
          Effect.flatMap(workOf(workspace), ({ runtime, calls, sessions }) =>
            listLinks(runtime.context, calls, sessions),
          ),
        ),
      revokeLink: (workspace, link: LinkId) =>
        promise(calls.onLeader({ type: "revoke-link", workspace, link })).then(() => undefined),
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
      exportBackup: (workspace, options) =>
        promise(backupWork(workspace)).then((work) => Backup.exportBackup(work, options)),
      importBackup: (workspace, backup, options, signal) =>
        promise(backupWork(workspace)).then((work) => Backup.importBackup(work, backup, { ...options, signal })),

      close: () => Promise.resolve(),
    };
  });

/** The engine as a service, for Effect programs. */
export class Engine extends Context.Service<Engine, EngineApi>()("cairn/client/Engine") {}
