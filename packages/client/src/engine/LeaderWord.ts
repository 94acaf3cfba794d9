/**
 * Whose word about a workspace's connection counts: where several engines take themselves for the leader (hazard 18), that of
 * the one with the highest fence. An older one that hears it leads no longer: what it says of its own connection would stand
 * in every tab until the newer one has something else to say.
 */
import { Deferred, Effect } from "effect";
import { Fenced } from "../store/LocalStore.ts";
import type { Fence } from "../store/store-changes.ts";

export interface LeaderWord {
  /** Undefined unless this engine leads. */
  readonly fence: () => Fence | undefined;
  /** Leads with this fence for as long as the effect runs. Fails with `Fenced` where a newer leader is heard. */
  readonly lead: <A, E, R>(fence: Fence, effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | Fenced, R>;
  /** Whether what another engine says counts; older versions of the app do not say their fence. */
  readonly hears: (said: Fence | undefined) => boolean;
}

export const makeLeaderWord = (): LeaderWord => {
  let leads: { readonly fence: Fence; readonly ended: Deferred.Deferred<never, Fenced> } | undefined;
  let newest: Fence = 0;
  return {
    fence: () => leads?.fence,
    lead: (fence, effect) =>
      Effect.gen(function* () {
        if (fence < newest) return yield* new Fenced({ operation: "lead" });
        const ended = yield* Deferred.make<never, Fenced>();
        const own = { fence, ended };
        leads = own;
        newest = Math.max(newest, fence);
        return yield* Effect.raceFirst(effect, Deferred.await(ended)).pipe(
          Effect.ensuring(
            Effect.sync(() => {
              if (leads === own) leads = undefined;
            }),
          ),
        );
      }),
    hears: (said) => {
      if (said === undefined) return leads === undefined;
      if (said < newest || said === leads?.fence) return false;
      newest = said;
      if (leads !== undefined) {
        Deferred.doneUnsafe(leads.ended, Effect.fail(new Fenced({ operation: "lead" })));
        leads = undefined;
      }
      return true;
    },
  };
};
