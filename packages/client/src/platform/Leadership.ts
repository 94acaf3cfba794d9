/**
 * One engine of a profile leads: it alone freezes, sends and receives.
 *
 * Leading means to hold the lock `cairn/v1/<profile>/leader` and to have claimed the store's fence since. The lock decides
 * who leads; the fence makes whoever only believes so harmless (hazard 18). A leader that holds the lock and does not
 * answer, because its tab is frozen, loses the lock to a follower. One that runs an older version of the app than another
 * tab steps back by itself (`Versions.ts`).
 */
import { Context, Deferred, Effect, Layer } from "effect";
import { Fenced, LocalStore, type StoreFailure } from "../store/LocalStore.ts";
import type { Fence } from "../store/store-changes.ts";
import { type HeldLock, Locks } from "./Locks.ts";
import { Notifier } from "./Notifier.ts";
import { Versions } from "./Versions.ts";

export interface LeadershipShape {
  /**
   * Runs the effect whenever this engine leads, with the fence that it leads under. It is interrupted when leadership is
   * lost, and ends its turn when it fails with `Fenced`; then this waits to lead again. Otherwise what becomes of the
   * effect becomes of this, and leadership is given up.
   */
  readonly lead: <E, R>(
    effect: (fence: Fence) => Effect.Effect<void, E | Fenced, R>,
  ) => Effect.Effect<void, E | StoreFailure, R>;
}

/**
 * Milliseconds between a follower's questions to the leader, and how long it waits for each answer. A leader that is taken
 * for dead while it was only busy loses nothing but its turn.
 */
const ASK_EVERY = 2_000;
const ANSWER_WITHIN = 1_000;
/** Unanswered questions in a row after which a follower takes over: a frozen leader is replaced within six seconds. */
const SILENCES = 2;
/** Milliseconds before one who was fenced off tries again. */
const FENCED_PAUSE = 1_000;

/** The service. */
export class Leadership extends Context.Service<Leadership, LeadershipShape>()("cairn/client/Leadership") {
  static readonly layer = (profile: string): Layer.Layer<Leadership, never, LocalStore | Locks | Notifier> =>
    Layer.effect(
      Leadership,
      Effect.gen(function* () {
        const store = yield* LocalStore;
        const locks = yield* Locks;
        const notifier = yield* Notifier;
        const versions = yield* Versions;
        const name = `cairn/v1/${profile}/leader`;

        /** Completes when the leader left several questions in a row unanswered. */
        const leaderIsSilent = Effect.gen(function* () {
          let silences = 0;
          while (silences < SILENCES) {
            yield* Effect.sleep(ASK_EVERY);
            const answered = yield* askLeader;
            silences = answered ? 0 : silences + 1;
          }
        });

        const askLeader = Effect.scoped(
          Effect.gen(function* () {
            const answer = yield* Deferred.make<boolean>();
            yield* notifier.listen((event) => {
              if (event.type === "leader-answered") Deferred.doneUnsafe(answer, Effect.succeed(true));
            });
            yield* notifier.notify({ type: "leader-asked" });
            return yield* Deferred.await(answer).pipe(
              Effect.timeoutOrElse({ duration: ANSWER_WITHIN, orElse: () => Effect.succeed(false) }),
            );
          }),
        );

        const obtain = Effect.raceFirst(
          locks.acquire(name, "wait"),
          Effect.andThen(leaderIsSilent, locks.acquire(name, "steal")),
        );

        const answerFollowers = notifier.listen((event) => {
          if (event.type === "leader-asked") Effect.runFork(notifier.notify({ type: "leader-answered" }));
        });

        const turn = <E, R>(
          lock: HeldLock,
          effect: (fence: Fence) => Effect.Effect<void, E | Fenced, R>,
        ): Effect.Effect<"done" | "lost" | "fenced", E | StoreFailure, R> =>
          Effect.flatMap(store.claimLeadership, (fence) =>
            Effect.raceFirst(
              effect(fence).pipe(
                Effect.as("done" as const),
                Effect.catch((error) =>
                  error instanceof Fenced ? Effect.succeed("fenced" as const) : Effect.fail(error),
                ),
              ),
              // A newer version of the app asked for the turn: what is frozen goes out under it, unchanged (rule 8).
              Effect.as(Effect.raceFirst(lock.lost, versions.shouldStepBack), "lost" as const),
            ),
          );

        return Leadership.of({
          lead: Effect.fnUntraced(function* <E, R>(effect: (fence: Fence) => Effect.Effect<void, E | Fenced, R>) {
            while (true) {
              const outcome = yield* Effect.scoped(
                Effect.gen(function* () {
                  yield* versions.mayLead;
                  const lock = yield* obtain;
                  yield* answerFollowers;
                  return yield* turn(lock, effect);
                }),
              );
              if (outcome === "done") return;
              if (outcome === "fenced") yield* Effect.sleep(FENCED_PAUSE);
            }
          }),
        });
      }),
    );
}
