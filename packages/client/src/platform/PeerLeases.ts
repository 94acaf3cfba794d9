/**
 * Leases of Loro peer ids: one for each live writer, so that no two ever write under the same id (hazard L4), the lowest
 * free number first, so that ids are used again and stay few (hazard L5).
 *
 * A lease is the lock `cairn/v1/<profile>/peer/<workspace>/<number>`: the browser frees it when a tab dies.
 */
import type { WorkspaceId } from "@cairn/protocol";
import { Context, Effect, Exit, Layer, Scope } from "effect";
import { PEER_LEASES } from "../documents/peer-ids.ts";
import { Locks } from "./Locks.ts";

export interface HeldLease {
  readonly lease: number;
  /** Gives it back. Only when every edit made under it is durable: the next holder continues from what the store has. */
  readonly release: Effect.Effect<void>;
}

export interface PeerLeasesShape {
  /** The lowest number that nobody holds. What was not released ends with the service. */
  readonly acquire: (workspace: WorkspaceId) => Effect.Effect<HeldLease>;
}

/** The service. */
export class PeerLeases extends Context.Service<PeerLeases, PeerLeasesShape>()("cairn/client/PeerLeases") {
  static readonly layer = (profile: string): Layer.Layer<PeerLeases, never, Locks> =>
    Layer.effect(
      PeerLeases,
      Effect.gen(function* () {
        const locks = yield* Locks;
        const all = yield* Effect.scope;
        return PeerLeases.of({
          acquire: Effect.fnUntraced(function* (workspace) {
            for (let lease = 0; lease < PEER_LEASES; lease += 1) {
              const scope = yield* Scope.fork(all);
              const held = yield* locks.tryAcquire(`cairn/v1/${profile}/peer/${workspace}/${lease}`).pipe(
                Scope.provide(scope),
                Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause))),
              );
              if (held !== undefined) return { lease, release: Scope.close(scope, Exit.void) };
              yield* Scope.close(scope, Exit.void);
            }
            return yield* Effect.die(new Error("all peer ids of this device are in use"));
          }),
        });
      }),
    );
}
