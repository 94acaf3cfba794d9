/** What pages read of documents and write into them: the engine's side of an open document. */
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import { Effect, Result, type Scope } from "effect";
import type { PeerID } from "loro-crdt";
import { peerIdOf } from "../documents/peer-ids.ts";
import { updateRanges } from "../documents/update-ranges-later.ts";
import { CairnError } from "../errors.ts";
import { rebuildsOf } from "../store/rebuilds.ts";
import type { HeldLease, PeerLeasesShape } from "../platform/PeerLeases.ts";
import type { LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import type { EngineServices } from "./Engine.ts";
import type { EngineApi, NewEdit } from "./EngineApi.ts";
import { singletonName, WORKSPACE_SINGLETON } from "./engine-schema.ts";
import { attempt } from "./failures.ts";
import { leaseFresh } from "./fresh-lease.ts";
import { recordOf, roleOf } from "./WorkspaceContext.ts";
import type { Workspaces } from "./Workspaces.ts";

export interface DocumentCallsOptions {
  readonly store: LocalStoreShape;
  readonly leases: PeerLeasesShape;
  readonly workspaces: Pick<Workspaces, "runtimeOf" | "opened">;
  readonly promise: <A, E>(effect: Effect.Effect<A, E, EngineServices | Scope.Scope>) => Promise<A>;
  /** Marks the answer to what a page shows first. */
  readonly first: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>;
}

type Calls = Pick<
  EngineApi,
  "workspaceDocument" | "singletonDocument" | "leasePeer" | "releasePeer" | "openDocument" | "updatesAfter" | "append"
>;

export interface DocumentCalls {
  readonly calls: Calls;
  /** Stores edits, and has them sent. */
  readonly append: (
    workspace: WorkspaceId,
    edits: ReadonlyArray<NewEdit>,
    writer?: PeerID,
  ) => Effect.Effect<void, StoreFailure | CairnError>;
}

export const documentCalls = (options: DocumentCallsOptions): DocumentCalls => {
  const { store, leases, promise, first } = options;
  const { runtimeOf, opened } = options.workspaces;
  const held = new Map<string, HeldLease>();

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
        .pipe(Effect.tapError((failure) => (failure.reason === "retired" ? runtime.identityChanged([]) : Effect.void)));
      runtime.edited(edits, writer);
    });

  const singletonDocument = (workspace: WorkspaceId, name: string) =>
    Effect.flatMap(runtimeOf(workspace), ({ context }) => attempt(() => context.keyring.singletonDocument(name)));

  const openDocument = Effect.fnUntraced(function* (workspace: WorkspaceId, document: DocumentId) {
    const runtime = yield* runtimeOf(workspace);
    yield* runtime.rows.project(document);
    const opened = yield* store.openDocument(workspace, document);
    if (opened === undefined) {
      // All of it may have been given up, by who had it open, too.
      const rebuilds = rebuildsOf(yield* recordOf(store, workspace), document);
      return { type: "", snapshot: undefined, updates: [], through: 0, merging: false, rebuilds };
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
      rebuilds: opened.rebuilds,
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

  return {
    append,
    calls: {
      workspaceDocument: (workspace) => promise(singletonDocument(workspace, WORKSPACE_SINGLETON)),
      singletonDocument: (workspace, type, key) => promise(singletonDocument(workspace, singletonName(type, key))),
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
    },
  };
};
