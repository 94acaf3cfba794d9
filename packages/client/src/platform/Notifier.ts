/**
 * What the engines of one profile tell each other. Events are hints: whoever gets one looks into the store, and one that
 * is lost costs time, not data.
 */
import type { WorkspaceId } from "@cairn/protocol";
import { Context, Effect, Layer, type Scope } from "effect";
import type { EngineEvent } from "../engine/EngineApi.ts";
import type { LeaderMessage } from "../engine/LeaderCalls.ts";

export type ProfileEvent =
  /** What pages hear, too: documents have new updates or rows; the list of workspaces, or a sync state, changed. */
  | EngineEvent
  /** Edits were stored that wait to be sent. */
  | {
      readonly type: "outbox";
      readonly workspace: WorkspaceId;
      /** Some of them came without their documents' rows. */
      readonly rowless: boolean;
    }
  /** Whoever leads should try now. */
  | { readonly type: "sync-now"; readonly workspace: WorkspaceId }
  /** A person paused or resumed it, or a developer unplugged it: all engines know, since any may lead next. */
  | { readonly type: "sync-paused"; readonly workspace: WorkspaceId; readonly paused: boolean }
  | { readonly type: "offline-simulated"; readonly workspace: WorkspaceId; readonly on: boolean }
  /** An engine has opened a workspace: whoever leads says how it stands. */
  | { readonly type: "sync-asked"; readonly workspace: WorkspaceId }
  /** A follower asks whether the leader is alive, and its answer. */
  | { readonly type: "leader-asked" }
  | { readonly type: "leader-answered" }
  /** What only the leader may do, and its answer. */
  | LeaderMessage;

export interface NotifierShape {
  /** Tells all other engines of the profile, not this one. */
  readonly notify: (event: ProfileEvent) => Effect.Effect<void>;
  /** Hears what the others tell, until the scope ends. */
  readonly listen: (callback: (event: ProfileEvent) => void) => Effect.Effect<void, never, Scope.Scope>;
}

const channelName = (profile: string): string => `cairn/v1/${profile}`;

/** The service. */
export class Notifier extends Context.Service<Notifier, NotifierShape>()("cairn/client/Notifier") {
  /** Over a BroadcastChannel: all tabs and workers of the origin. */
  static readonly broadcast = (profile: string): Layer.Layer<Notifier> =>
    Layer.effect(
      Notifier,
      Effect.gen(function* () {
        const channel = yield* Effect.acquireRelease(
          Effect.sync(() => new BroadcastChannel(channelName(profile))),
          (channel) => Effect.sync(() => channel.close()),
        );
        return Notifier.of({
          // A channel that was closed meanwhile throws; then there is nobody to tell any more.
          // oxlint-disable-next-line unicorn/require-post-message-target-origin
          notify: (event) => Effect.ignore(Effect.try(() => channel.postMessage(event))),
          listen: (callback) =>
            Effect.asVoid(
              Effect.acquireRelease(
                Effect.sync(() => {
                  const listener = (event: MessageEvent<ProfileEvent>): void => callback(event.data);
                  channel.addEventListener("message", listener);
                  return listener;
                }),
                (listener) => Effect.sync(() => channel.removeEventListener("message", listener)),
              ),
            ),
        });
      }),
    );

  /** Among those who were made from one hub. */
  static readonly inProcess = (hub: NotifierHub): Layer.Layer<Notifier> => Layer.sync(Notifier, () => hub.connect());
}

/** Where the engines of one process meet. */
export interface NotifierHub {
  readonly connect: () => NotifierShape;
}

export const makeNotifierHub = (): NotifierHub => {
  const engines = new Set<Set<(event: ProfileEvent) => void>>();
  return {
    connect: () => {
      const own = new Set<(event: ProfileEvent) => void>();
      engines.add(own);
      return {
        notify: (event) =>
          Effect.sync(() => {
            for (const listeners of engines) {
              if (listeners === own) continue;
              // In a turn of their own, like messages: a listener that throws or notifies does not disturb the sender.
              for (const listener of listeners) queueMicrotask(() => listener(event));
            }
          }),
        listen: (callback) =>
          Effect.asVoid(
            Effect.acquireRelease(
              Effect.sync(() => own.add(callback)),
              () => Effect.sync(() => own.delete(callback)),
            ),
          ),
      };
    },
  };
};
