/**
 * Telling live connections what was committed. A message is a hint: whoever misses one still finds everything by its
 * cursor, so adapters may drop, and never hold back a commit. Publish after the commit only.
 */
import type { DeviceId, GrantId, Hash, WorkspaceId } from "@cairn/protocol";
import { Context, Effect, Layer, type Scope } from "effect";

/** An entry as it was committed. */
export interface CommittedEntry {
  readonly seq: number;
  readonly device: DeviceId;
  readonly counter: number;
  readonly hash: Hash;
  readonly bytes: Uint8Array;
}

/** What one commit added to a workspace's log. */
export interface Committed {
  /** The head before. */
  readonly after: number;
  readonly until: number;
  readonly chain: Hash;
  readonly entries: ReadonlyArray<CommittedEntry>;
}

/** Runs inside of the publisher: it must return at once. What it throws is logged and hurts nobody else (hazard 5). */
export interface Subscriber {
  readonly committed: (commit: Committed) => void;
  readonly revoked: (grants: ReadonlySet<GrantId>) => void;
}

export interface FanOutShape {
  readonly publish: (workspace: WorkspaceId, commit: Committed) => Effect.Effect<void>;
  readonly publishRevoked: (workspace: WorkspaceId, grants: ReadonlySet<GrantId>) => Effect.Effect<void>;
  readonly subscribe: (workspace: WorkspaceId, subscriber: Subscriber) => Effect.Effect<void, never, Scope.Scope>;
}

export class FanOut extends Context.Service<FanOut, FanOutShape>()("cairn/server/FanOut") {
  /** Within this process. */
  static readonly layerInProcess: Layer.Layer<FanOut> = Layer.sync(FanOut, () => makeInProcess());
}

const makeInProcess = (): FanOutShape => {
  const subscribersByWorkspace = new Map<WorkspaceId, Set<Subscriber>>();
  const tell = (workspace: WorkspaceId, say: (subscriber: Subscriber) => void) =>
    Effect.suspend(() => {
      const failures: Array<unknown> = [];
      for (const subscriber of subscribersByWorkspace.get(workspace) ?? []) {
        try {
          say(subscriber);
        } catch (cause) {
          failures.push(cause);
        }
      }
      return failures.length === 0
        ? Effect.void
        : Effect.logError("A live subscriber failed", { failures: failures.map(String) });
    });
  return {
    publish: (workspace, commit) => tell(workspace, (subscriber) => subscriber.committed(commit)),
    publishRevoked: (workspace, grants) => tell(workspace, (subscriber) => subscriber.revoked(grants)),
    subscribe: (workspace, subscriber) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const subscribers = subscribersByWorkspace.get(workspace) ?? new Set();
          subscribersByWorkspace.set(workspace, subscribers.add(subscriber));
        }),
        () =>
          Effect.sync(() => {
            const subscribers = subscribersByWorkspace.get(workspace);
            subscribers?.delete(subscriber);
            if (subscribers?.size === 0) subscribersByWorkspace.delete(workspace);
          }),
      ),
  };
};
