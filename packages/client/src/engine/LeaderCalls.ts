/**
 * What only the leader may do, asked for from any tab: a call goes to whoever leads, over the notifier, and comes back.
 * Few and rare operations; edits never take this way.
 */
import type { ErrorAction, LinkId, WorkspaceId } from "@cairn/protocol";
import { Deferred, Duration, Effect, Option, Random, type Scope } from "effect";
import { CairnError, type CairnErrorCode } from "../errors.ts";
import type { NotifierShape } from "../platform/Notifier.ts";
import { toCairnError } from "./failures.ts";
import type { LinkOptions } from "./Links.ts";

export type LeaderCall =
  | { readonly type: "create-link"; readonly workspace: WorkspaceId; readonly options: LinkOptions }
  | { readonly type: "revoke-link"; readonly workspace: WorkspaceId; readonly link: LinkId }
  | { readonly type: "raise-minimum-version"; readonly workspace: WorkspaceId; readonly version: number };

export type LeaderResult =
  | { readonly type: "link"; readonly url: string; readonly link: LinkId }
  | { readonly type: "done" };

/** The messages between tabs. */
export type LeaderMessage =
  | { readonly type: "leader-called"; readonly id: string; readonly call: LeaderCall }
  | {
      readonly type: "leader-returned";
      readonly id: string;
      readonly result: LeaderResult | undefined;
      readonly error:
        | { readonly code: CairnErrorCode; readonly message: string; readonly action: ErrorAction }
        | undefined;
    };

/** A leader that does not answer for this long has gone; another one follows within seconds. */
const ANSWER_TIMEOUT = Duration.seconds(40);
/** Right after a start, or when a leader goes, nobody leads: the call is made again until somebody does. */
const CALL_AGAIN_AFTER = Duration.millis(250);

export const makeLeaderCalls = <E, R>(
  notifier: NotifierShape,
  leads: () => boolean,
  perform: (call: LeaderCall) => Effect.Effect<LeaderResult, E, R>,
): Effect.Effect<
  { readonly onLeader: (call: LeaderCall) => Effect.Effect<LeaderResult, E | CairnError, R> },
  never,
  R | Scope.Scope
> =>
  Effect.gen(function* () {
    const services = yield* Effect.context<R>();
    const waiting = new Map<string, Deferred.Deferred<LeaderResult, CairnError>>();
    // A call that is made again is the same call.
    const taken = new Set<string>();

    const answer = (id: string, call: LeaderCall) =>
      perform(call).pipe(
        Effect.matchEffect({
          onSuccess: (result) => notifier.notify({ type: "leader-returned", id, result, error: undefined }),
          onFailure: (failure) => {
            const { code, message, action } = toCairnError(failure);
            return notifier.notify({
              type: "leader-returned",
              id,
              result: undefined,
              error: { code, message, action },
            });
          },
        }),
        Effect.provideContext(services),
      );

    yield* notifier.listen((event) => {
      if (event.type === "leader-called" && leads() && !taken.has(event.id)) {
        taken.add(event.id);
        Effect.runForkWith(services)(answer(event.id, event.call));
      }
      if (event.type !== "leader-returned") return;
      const deferred = waiting.get(event.id);
      if (deferred === undefined) return;
      Deferred.doneUnsafe(
        deferred,
        event.result === undefined
          ? Effect.fail(new CairnError(event.error?.code ?? "internal", event.error?.message))
          : Effect.succeed(event.result),
      );
    });

    const ask = Effect.fnUntraced(function* (call: LeaderCall): Effect.fn.Return<LeaderResult, E | CairnError, R> {
      const id = `${yield* Random.nextInt}/${yield* Random.nextInt}`;
      const deferred = yield* Deferred.make<LeaderResult, CairnError>();
      waiting.set(id, deferred);
      const answered = Effect.gen(function* () {
        while (!leads()) {
          yield* notifier.notify({ type: "leader-called", id, call });
          const result = yield* Deferred.await(deferred).pipe(Effect.timeoutOption(CALL_AGAIN_AFTER));
          if (Option.isSome(result)) return result.value;
        }
        return undefined;
      });
      const result = yield* answered.pipe(
        Effect.timeoutOrElse({ duration: ANSWER_TIMEOUT, orElse: () => Effect.fail(new CairnError("unavailable")) }),
        Effect.ensuring(Effect.sync(() => waiting.delete(id))),
      );
      // Whoever led has gone, and this is the leader now.
      return result ?? (yield* perform(call));
    });

    return {
      onLeader: (call) =>
        Effect.suspend((): Effect.Effect<LeaderResult, E | CairnError, R> => (leads() ? perform(call) : ask(call))),
    };
  });
