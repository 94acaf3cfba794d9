/**
 * The workspaces of a profile: found, joined, opened for work, led, and removed. The home workspace is made at the first
 * start, without any server; its root comes from the person's seed (rule 24).
 */
import {
  type AccessLink,
  AccessLinkInvalid,
  generatePersonSeed,
  generateRootSecret,
  homeRootSecret,
  openLinkName,
  parseAccessLink,
  type RandomSource,
} from "@cairn/crypto";
import { decodeBase64Url, type WorkspaceId } from "@cairn/protocol";
import { policyOf, type SyncChoices } from "@cairn/sync";
import type { DocumentSchema } from "@cairn/schema";
import { Effect, Exit, FiberMap, Scope, Semaphore } from "effect";
import type { LinkDetails, LinkPreview } from "../api.ts";
import type { WorkspaceInfo } from "../workspace-api.ts";
import type { Importer } from "../documents/Importer.ts";
import { CairnError } from "../errors.ts";
import { Locks } from "../platform/Locks.ts";
import type { Notifier } from "../platform/Notifier.ts";
import type { Fence } from "../store/store-changes.ts";
import { type Fenced, LocalStore, type StoreFailure } from "../store/LocalStore.ts";
import type { WorkspaceRecord } from "../store/records.ts";
import { Transport, type TransportFailure } from "../transport/Transport.ts";
import type { EngineEvent } from "./EngineApi.ts";
import { knownTypes, WORKSPACE_SINGLETON } from "./engine-schema.ts";
import { attempt } from "./failures.ts";
import { takeInvite } from "./Invitation.ts";
import * as Joining from "./Joining.ts";
import { sumUnsynced } from "./sum-unsynced.ts";
import { unsyncedOf } from "./unsynced.ts";
import { loadContext, type MakeSealing, recordOf, reloadContext } from "./WorkspaceContext.ts";
import type { PeerLeases } from "../platform/PeerLeases.ts";
import { makeWorkspaceRuntime, type WorkspaceRuntime } from "./WorkspaceRuntime.ts";
import * as Secrets from "./WorkspaceSecrets.ts";

export interface WorkspacesOptions {
  /** What the app's documents are. */
  readonly schema: DocumentSchema;
  /** Tells the locks of one profile from those of another. */
  readonly profile: string;
  /** Origin of the server for workspaces that were made here. */
  readonly server: string | undefined;
  /** What that server asks of those who bring it a workspace. */
  readonly invite?: string | undefined;
  readonly deviceName: string;
  readonly deviceKeyForm: Secrets.DeviceKeyForm;
  /** Milliseconds between two state marks of a document (rule 18); a minute unless told. */
  readonly stateMarkMillis?: number | undefined;
  readonly random: RandomSource;
  readonly sealing: MakeSealing | undefined;
  /** How patiently the outbox tries. */
  readonly sync?: SyncChoices | undefined;
}

/** Who hears of what: the pages of this engine, or those of all engines of the profile. */
export interface Publisher {
  readonly here: (event: EngineEvent) => void;
  readonly everywhere: (event: EngineEvent) => void;
}

type Failure = StoreFailure | CairnError;

export interface Workspaces {
  /** The workspace at work, opened once. */
  readonly runtimeOf: (workspace: WorkspaceId) => Effect.Effect<WorkspaceRuntime, Failure>;
  /** The runtime, if it is open already. */
  readonly opened: (workspace: WorkspaceId) => WorkspaceRuntime | undefined;
  readonly list: Effect.Effect<ReadonlyArray<WorkspaceInfo>, StoreFailure>;
  /** The one used last, where there is one. */
  readonly last: Effect.Effect<WorkspaceId | undefined, StoreFailure>;
  /** The one used last, else the home workspace. */
  readonly current: Effect.Effect<WorkspaceInfo, Failure | Fenced>;
  readonly select: (workspace: WorkspaceId) => Effect.Effect<WorkspaceInfo, Failure>;
  readonly found: Effect.Effect<WorkspaceInfo, Failure | Fenced>;
  readonly inspect: (url: string) => Effect.Effect<LinkPreview, StoreFailure | AccessLinkInvalid>;
  readonly describe: (url: string) => Effect.Effect<LinkDetails, TransportFailure | AccessLinkInvalid>;
  readonly join: (url: string) => Effect.Effect<WorkspaceInfo, Failure | Fenced | TransportFailure | AccessLinkInvalid>;
  readonly remove: (workspace: WorkspaceId, force: boolean) => Effect.Effect<void, Failure>;
  /** Removes all of them, and the person's own secrets last: until then it can be repeated. */
  readonly signOut: (force: boolean) => Effect.Effect<void, Failure>;
  /** Keeps an invitation and goes to the server with it. */
  readonly invite: (code: string) => Effect.Effect<void, Failure | TransportFailure>;
  readonly recoverySeed: Effect.Effect<Uint8Array, Failure>;
  /** Another engine changed the list of workspaces, or somebody's membership. */
  readonly changedElsewhere: Effect.Effect<void, StoreFailure>;
  /** The work of whoever leads, for all workspaces. */
  readonly lead: (fence: Fence) => Effect.Effect<never, StoreFailure | Fenced>;
  readonly isLeading: () => boolean;
}

type LeadingFibers = FiberMap.FiberMap<WorkspaceId, never, StoreFailure | Fenced>;

/** A name that does not open was not put there by the link's maker: it shows as none, and joining is not in its way. */
const openedName = (link: AccessLink, sealed: Uint8Array): Effect.Effect<string> =>
  Effect.promise(() => openLinkName(link, sealed).catch(() => ""));

export const makeWorkspaces = (
  options: WorkspacesOptions,
  publisher: Publisher,
): Effect.Effect<
  Workspaces,
  StoreFailure,
  LocalStore | Importer | Transport | Notifier | Locks | PeerLeases | Scope.Scope
> =>
  Effect.gen(function* () {
    const services = yield* Effect.context<LocalStore | Importer | Transport | Notifier | PeerLeases>();
    const store = yield* LocalStore;
    const types = knownTypes(options.schema);
    const transport = yield* Transport;
    const locks = yield* Locks;
    const engineScope = yield* Effect.scope;
    const joining = { ...options, store };
    const policy = policyOf(options.sync);
    const runtimes = new Map<WorkspaceId, { readonly runtime: WorkspaceRuntime; readonly scope: Scope.Closeable }>();
    const opening = yield* Semaphore.make(1);
    /** The turn of leading that goes on: each has fibers of its own, because a map that has failed once stays failed. */
    let turn: { readonly fence: Fence; readonly fibers: LeadingFibers } | undefined;
    const leadOne = (workspace: WorkspaceId, runtime: WorkspaceRuntime): Effect.Effect<void> =>
      Effect.suspend(() =>
        turn === undefined
          ? Effect.void
          : Effect.asVoid(FiberMap.run(turn.fibers, workspace, runtime.lead(turn.fence), { onlyIfMissing: true })),
      );

    /** A workspace that was made here follows the app to the server that it names now. */
    const withServer = Effect.fnUntraced(function* (
      record: WorkspaceRecord,
    ): Effect.fn.Return<WorkspaceRecord, StoreFailure> {
      const { server } = options;
      if (server === undefined || record.server === server || !record.createdHere) return record;
      yield* store.updateWorkspace(record.workspace, { server });
      return { ...record, server };
    });

    const open = Effect.fnUntraced(function* (workspace: WorkspaceId): Effect.fn.Return<WorkspaceRuntime, Failure> {
      const known = runtimes.get(workspace);
      if (known !== undefined) return known.runtime;
      const record = yield* recordOf(store, workspace);
      if (record === undefined) return yield* Effect.fail(new CairnError("workspace-not-here"));
      const context = yield* loadContext(store, yield* withServer(record), options.random, options.sealing);
      if (context === undefined) return yield* Effect.fail(new CairnError("keys-missing"));
      const scope = yield* Scope.fork(engineScope);
      const runtime = yield* makeWorkspaceRuntime(context, publisher, options, policy, types).pipe(
        Scope.provide(scope),
        Effect.provideContext(services),
      );
      runtimes.set(workspace, { runtime, scope });
      yield* leadOne(workspace, runtime);
      return runtime;
    });
    const runtimeOf = (workspace: WorkspaceId): Effect.Effect<WorkspaceRuntime, Failure> =>
      Effect.suspend(() => {
        const known = runtimes.get(workspace);
        return known === undefined ? opening.withPermits(1)(open(workspace)) : Effect.succeed(known.runtime);
      });

    const nameOf = Effect.fnUntraced(function* (workspace: WorkspaceId): Effect.fn.Return<string, Failure> {
      const { context } = yield* runtimeOf(workspace);
      const document = yield* attempt(() => context.keyring.singletonDocument(WORKSPACE_SINGLETON));
      const name = (yield* store.document(workspace, document))?.fields["name"];
      return typeof name === "string" ? name : "";
    });
    const infoOf = (record: WorkspaceRecord): Effect.Effect<WorkspaceInfo> =>
      // A workspace whose keys are gone is still listed: opening it says what is wrong.
      nameOf(record.workspace).pipe(
        Effect.orElseSucceed(() => ""),
        Effect.map((name) => ({
          id: record.workspace,
          name,
          role: record.role,
          createdHere: record.createdHere,
          server: runtimes.get(record.workspace)?.runtime.context.record.server ?? record.server,
          minimumVersion: runtimes.get(record.workspace)?.runtime.context.membership.minimumVersion ?? 1,
        })),
      );

    const select = Effect.fnUntraced(function* (workspace: WorkspaceId): Effect.fn.Return<WorkspaceInfo, Failure> {
      const { context } = yield* runtimeOf(workspace);
      const profile = yield* store.profile;
      yield* store.putProfile({ format: 1, homeWorkspace: profile?.homeWorkspace, currentWorkspace: workspace });
      return yield* infoOf(context.record);
    });

    const lastRecord = Effect.map(
      Effect.all([store.profile, store.workspaces], { concurrency: 2 }),
      ([profile, records]) => ({
        profile,
        record: records.find(({ workspace }) => workspace === profile?.currentWorkspace) ?? records[0],
      }),
    );

    const foundHome = Effect.gen(function* () {
      const { profile, record: current } = yield* lastRecord;
      if (current !== undefined) return current;
      // Hazard 19: a home that was here and was not removed is gone with its data; a new one would be another person's.
      if (profile?.homeWorkspace !== undefined) return yield* Effect.fail(new CairnError("storage-lost"));
      const seed = (yield* Secrets.personSeed(store)) ?? generatePersonSeed(options.random);
      yield* Secrets.savePersonSeed(store, seed);
      const rootSecret = yield* attempt(() => homeRootSecret(seed));
      const record = yield* Joining.found(joining, rootSecret, options.server);
      yield* store.putProfile({ format: 1, currentWorkspace: record.workspace, homeWorkspace: record.workspace });
      return record;
    });
    // Two tabs that open at the first start together must not make two persons.
    const current = Effect.scoped(
      Effect.andThen(locks.acquire(`cairn/v1/${options.profile}/home`, "wait"), foundHome),
    ).pipe(Effect.flatMap(infoOf));

    const added = Effect.fnUntraced(function* (record: WorkspaceRecord): Effect.fn.Return<WorkspaceInfo, Failure> {
      const info = yield* select(record.workspace);
      publisher.everywhere({ type: "workspaces" });
      return info;
    });

    const openAll = Effect.gen(function* () {
      for (const { workspace } of yield* store.workspaces) {
        // A workspace whose keys are gone says so when it is opened; the others go on.
        yield* Effect.ignore(runtimeOf(workspace));
      }
    });

    /** Hazard 20: what is nowhere else is not deleted without a word, and the word says how much it is. */
    const checkUnsynced = Effect.fnUntraced(function* (
      these: ReadonlyArray<WorkspaceId>,
      force: boolean,
    ): Effect.fn.Return<void, Failure> {
      const unsynced = sumUnsynced(yield* Effect.forEach(these, (workspace) => unsyncedOf(store, workspace)));
      if (!force && unsynced.documents > 0) {
        return yield* Effect.fail(new CairnError("pending-edits", undefined, { unsynced }));
      }
    });

    /** Nothing of it is at work here any more. */
    const close = Effect.fnUntraced(function* (workspace: WorkspaceId) {
      if (turn !== undefined) yield* FiberMap.remove(turn.fibers, workspace);
      const scope = runtimes.get(workspace)?.scope;
      runtimes.delete(workspace);
      if (scope !== undefined) yield* Scope.close(scope, Exit.void);
    });
    /** Another tab has removed some: whoever led them would find nothing there. */
    const closeRemoved = opening.withPermits(1)(
      Effect.gen(function* () {
        const here = new Set((yield* store.workspaces).map(({ workspace }) => workspace));
        for (const workspace of runtimes.keys()) if (!here.has(workspace)) yield* close(workspace);
      }),
    );

    const removeOne = Effect.fnUntraced(function* (workspace: WorkspaceId): Effect.fn.Return<void, StoreFailure> {
      yield* close(workspace);
      const profile = yield* store.profile;
      if (profile !== undefined && (profile.homeWorkspace === workspace || profile.currentWorkspace === workspace)) {
        const without = (id: WorkspaceId | undefined) => (id === workspace ? undefined : id);
        yield* store.putProfile({
          ...profile,
          homeWorkspace: without(profile.homeWorkspace),
          currentWorkspace: without(profile.currentWorkspace),
        });
      }
      yield* store.removeWorkspace(workspace);
      yield* Secrets.removeSecrets(store, workspace);
    });

    if (options.invite !== undefined && options.server !== undefined) {
      yield* Secrets.saveInvite(store, options.server, options.invite);
    }

    const parse = (url: string): Effect.Effect<AccessLink, AccessLinkInvalid> =>
      Effect.try({
        try: () => parseAccessLink(url),
        catch: (error) =>
          error instanceof AccessLinkInvalid ? error : new AccessLinkInvalid({ code: "link-damaged" }),
      });

    return {
      runtimeOf,
      opened: (workspace) => runtimes.get(workspace)?.runtime,
      list: Effect.flatMap(store.workspaces, (records) =>
        Effect.forEach(
          records.toSorted((left, right) => left.addedAt - right.addedAt),
          infoOf,
        ),
      ),
      last: Effect.map(lastRecord, ({ record }) => record?.workspace),
      current,
      select,
      found: Effect.suspend(() =>
        Effect.flatMap(Joining.found(joining, generateRootSecret(options.random), options.server), added),
      ),
      inspect: (url) =>
        Effect.gen(function* () {
          const link = yield* parse(url);
          const records = yield* store.workspaces;
          return {
            workspace: link.workspace,
            server: link.server,
            role: link.role,
            alreadyJoined: records.some(({ workspace }) => workspace === link.workspace),
          };
        }),
      describe: (url) =>
        Effect.gen(function* () {
          const link = yield* parse(url);
          const calls = transport.server(new URL(link.server).origin);
          const { status, expiresAt, sealedName } = yield* calls.describeLink(link.workspace, link.link);
          const sealed = sealedName === null ? undefined : decodeBase64Url(sealedName);
          const name = sealed === undefined ? "" : yield* openedName(link, sealed);
          return { name, status, expiresAt: expiresAt ?? undefined };
        }),
      join: (url) =>
        Effect.gen(function* () {
          const link = yield* parse(url);
          const known = yield* recordOf(store, link.workspace);
          const calls = transport.server(new URL(link.server).origin);
          return yield* added(known ?? (yield* Joining.join(joining, calls, link)));
        }),
      remove: Effect.fnUntraced(function* (workspace, force) {
        yield* runtimeOf(workspace).pipe(
          // One whose keys are gone can only be removed and joined again.
          Effect.catchIf(
            (error) => error instanceof CairnError && error.code === "keys-missing",
            () => Effect.void,
          ),
        );
        yield* checkUnsynced([workspace], force);
        yield* removeOne(workspace);
        publisher.everywhere({ type: "workspaces" });
      }),
      signOut: Effect.fnUntraced(function* (force) {
        const all = (yield* store.workspaces).map(({ workspace }) => workspace);
        yield* checkUnsynced(all, force);
        for (const workspace of all) yield* removeOne(workspace);
        yield* Secrets.removePerson(store, options.server);
        publisher.everywhere({ type: "workspaces" });
      }),
      invite: Effect.fnUntraced(function* (code) {
        if (options.server === undefined) return yield* Effect.fail(new CairnError("no-server"));
        yield* openAll;
        const open = [...runtimes.values()].map(({ runtime }) => runtime);
        yield* Effect.ensuring(
          takeInvite(store, options.server, code, open),
          Effect.sync(() => {
            for (const { driver } of open) driver.retryNow();
          }),
        );
      }),
      recoverySeed: Effect.flatMap(Secrets.personSeed(store), (seed) =>
        seed === undefined ? Effect.fail(new CairnError("keys-missing")) : Effect.succeed(seed),
      ),
      changedElsewhere: Effect.gen(function* () {
        yield* closeRemoved;
        for (const { runtime } of runtimes.values()) yield* reloadContext(store, runtime.context);
        if (turn !== undefined) yield* openAll;
      }),
      lead: (fence) =>
        Effect.gen(function* () {
          const fibers = yield* FiberMap.make<WorkspaceId, never, StoreFailure | Fenced>();
          turn = { fence, fibers };
          yield* closeRemoved;
          yield* openAll;
          for (const [workspace, { runtime }] of runtimes) yield* leadOne(workspace, runtime);
          return yield* Effect.andThen(FiberMap.join(fibers), Effect.never);
        }).pipe(
          Effect.ensuring(
            Effect.sync(() => {
              turn = undefined;
            }),
          ),
          Effect.scoped,
        ),
      isLeading: () => turn !== undefined,
    };
  });
