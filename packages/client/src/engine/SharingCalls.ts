/** Links, devices and the minimum version: what an owner asks for. Whoever leads proposes it to the chain, for all tabs. */
import type { LinkId, WorkspaceId } from "@cairn/protocol";
import { Effect, type Scope } from "effect";
import { CairnError } from "../errors.ts";
import type { NotifierShape } from "../platform/Notifier.ts";
import type { LocalStoreShape } from "../store/LocalStore.ts";
import { remoteOf } from "./Attachments.ts";
import type { EngineServices } from "./Engine.ts";
import type { EngineApi } from "./EngineApi.ts";
import { type LeaderCall, type LeaderResult, makeLeaderCalls } from "./LeaderCalls.ts";
import { createLink, listDevices, listLastSeen, listLinks, revokeLink } from "./Links.ts";
import { raiseMinimumVersion, requireCurrentApp } from "./MinimumVersion.ts";
import type { OwnerWork } from "./Proposals.ts";
import { reloadContext } from "./WorkspaceContext.ts";
import type { Publisher, Workspaces } from "./Workspaces.ts";

export interface SharingCallsOptions {
  /** Of the app's schema. */
  readonly version: number;
  readonly store: LocalStoreShape;
  readonly workspaces: Pick<Workspaces, "runtimeOf" | "isLeading">;
  readonly notifier: NotifierShape;
  readonly publisher: Publisher;
  readonly promise: <A, E>(effect: Effect.Effect<A, E, EngineServices | Scope.Scope>) => Promise<A>;
}

type Calls = Pick<EngineApi, "createLink" | "links" | "revokeLink" | "raiseMinimumVersion" | "lastSeen" | "devices">;

/** Performs, while this engine leads, what others call for, until the scope ends. */
export const sharingCalls = Effect.fnUntraced(function* (
  options: SharingCallsOptions,
): Effect.fn.Return<Calls, never, Scope.Scope> {
  const { version: appVersion, store, notifier, publisher, promise } = options;
  const { runtimeOf, isLeading } = options.workspaces;

  const workOf = Effect.fnUntraced(function* (workspace: WorkspaceId) {
    const runtime = yield* runtimeOf(workspace);
    const remote = remoteOf(runtime);
    if (remote === undefined) return yield* Effect.fail(new CairnError("no-server"));
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
  const leader = yield* makeLeaderCalls(notifier, isLeading, performAsLeader);

  return {
    createLink: (workspace, link) =>
      promise(leader.onLeader({ type: "create-link", workspace, options: link })).then((made) => {
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
      promise(leader.onLeader({ type: "revoke-link", workspace, link })).then(() => undefined),
    raiseMinimumVersion: (workspace, version) =>
      promise(
        Effect.gen(function* () {
          const { context } = yield* runtimeOf(workspace);
          yield* requireCurrentApp(appVersion, context.membership);
          yield* leader.onLeader({ type: "raise-minimum-version", workspace, version });
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
    devices: (workspace) => promise(Effect.flatMap(runtimeOf(workspace), ({ context }) => listDevices(context))),
  };
});
