/**
 * Tabs of one profile that run different versions of the app.
 *
 * The newer one talks to the server; the older one finishes what is on its way, steps back, goes on storing its edits, and
 * tells its page, which offers to reload. Nothing is forced, and an older tab leads again where no newer one is left.
 *
 * The names of locks and channels carry a version (`cairn/v1/…`), so that engines which do not understand each other never
 * meet there. This channel alone has none, and its messages never change: it is where they find out about each other.
 * Whoever misses a message errs harmlessly: the store's fence lets one leader write, whatever its version (hazard 18).
 */
import { Clock, Context, Deferred, Duration, Effect, Layer, Random, type Scope } from "effect";
import type { UpdateState } from "../api.ts";

/** Raised when locks, channels or what engines write for each other change in a way that an older engine misreads. */
export const ENGINE_VERSION = 1;

/** The versions of engine, schema and app: the first that differs decides. */
export type AppVersion = ReadonlyArray<number>;

/** Negative where `left` is older. A part that is missing counts as 0. */
export const compareAppVersions = (left: AppVersion, right: AppVersion): number => {
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
};

/** What tabs say on the channel. Frozen for ever. */
export interface VersionMessage {
  readonly cairn: "version";
  /** Random, for each engine. */
  readonly tab: string;
  readonly version: AppVersion;
  /** `ask`: I am here; who else is? `here`: the answer. `gone`: I am leaving. */
  readonly says: "ask" | "here" | "gone";
}

/** Whatever arrives on the channel: another version may have sent it. */
export const isVersionMessage = (value: unknown): value is VersionMessage =>
  typeof value === "object" &&
  value !== null &&
  "cairn" in value &&
  value.cairn === "version" &&
  "tab" in value &&
  typeof value.tab === "string" &&
  "version" in value &&
  Array.isArray(value.version) &&
  value.version.every((part) => typeof part === "number") &&
  "says" in value &&
  (value.says === "ask" || value.says === "here" || value.says === "gone");

/** A channel to all other engines of the profile. */
export interface VersionChannel {
  readonly post: (message: VersionMessage) => void;
  readonly listen: (callback: (message: unknown) => void) => () => void;
}

export interface VersionsShape {
  readonly state: () => UpdateState;
  /** Hears every change, until the scope ends. */
  readonly listen: (callback: (state: UpdateState) => void) => Effect.Effect<void, never, Scope.Scope>;
  /** Completes while no newer version is around. */
  readonly mayLead: Effect.Effect<void>;
  /** Completes once a newer version is around, and what is on its way had time to arrive. */
  readonly shouldStepBack: Effect.Effect<void>;
}

const CURRENT: UpdateState = { status: "current", olderTabs: 0 };

/** Milliseconds between two questions of a tab that has met another version; questions unanswered make a tab gone. */
const ASK_EVERY = 4_000;
const GONE_AFTER = 3 * ASK_EVERY;
/** How long an older leader may finish what it has begun. */
const FINISH_WITHIN = Duration.millis(1_000);

/** The service: alone unless told otherwise, as in Node, where one process has the profile. */
export class Versions extends Context.Reference<VersionsShape>("cairn/client/Versions", {
  defaultValue: () => ({
    state: () => CURRENT,
    listen: () => Effect.void,
    mayLead: Effect.void,
    shouldStepBack: Effect.never,
  }),
}) {
  /** Over the profile's channel in a browser. */
  static readonly broadcast = (profile: string, version: AppVersion): Layer.Layer<never> =>
    Layer.effect(
      Versions,
      Effect.gen(function* () {
        const channel = yield* Effect.acquireRelease(
          Effect.sync(() => new BroadcastChannel(`cairn/${profile}/versions`)),
          (open) => Effect.sync(() => open.close()),
        );
        return yield* makeVersions(
          {
            // oxlint-disable-next-line unicorn/require-post-message-target-origin
            post: (message) => channel.postMessage(message),
            listen: (callback) => {
              const listener = ({ data }: MessageEvent<unknown>): void => callback(data);
              channel.addEventListener("message", listener);
              return () => channel.removeEventListener("message", listener);
            },
          },
          version,
        );
      }),
    );
}

/** Speaks for one engine until the scope ends. */
export const makeVersions = Effect.fnUntraced(function* (
  channel: VersionChannel,
  version: AppVersion,
): Effect.fn.Return<VersionsShape, never, Scope.Scope> {
  const clock = yield* Clock.Clock;
  const tab = `${yield* Random.nextInt}-${yield* Random.nextInt}`;
  /** Tabs of other versions, with when they were heard last. */
  const others = new Map<string, { readonly order: number; readonly heardAt: number }>();
  const listeners = new Set<(state: UpdateState) => void>();
  let state = CURRENT;
  let newerCame = Deferred.makeUnsafe<void>();
  let newerLeft = Deferred.makeUnsafe<void>();
  Deferred.doneUnsafe(newerLeft, Effect.void);

  const say = (says: VersionMessage["says"]): void => channel.post({ cairn: "version", tab, version, says });

  const review = (): void => {
    const now = clock.currentTimeMillisUnsafe();
    for (const [other, { heardAt }] of others) if (now - heardAt >= GONE_AFTER) others.delete(other);
    const orders = [...others.values()].map(({ order }) => order);
    const next: UpdateState = {
      status: orders.some((order) => order > 0) ? "outdated" : "current",
      olderTabs: orders.filter((order) => order < 0).length,
    };
    if (next.status === state.status && next.olderTabs === state.olderTabs) return;
    if (next.status !== state.status) {
      if (next.status === "outdated") {
        newerLeft = Deferred.makeUnsafe<void>();
        Deferred.doneUnsafe(newerCame, Effect.void);
      } else {
        newerCame = Deferred.makeUnsafe<void>();
        Deferred.doneUnsafe(newerLeft, Effect.void);
      }
    }
    state = next;
    for (const listener of listeners) listener(state);
  };

  const stop = channel.listen((message) => {
    if (!isVersionMessage(message) || message.tab === tab) return;
    const order = compareAppVersions(message.version, version);
    if (message.says === "gone") others.delete(message.tab);
    else if (order !== 0) others.set(message.tab, { order, heardAt: clock.currentTimeMillisUnsafe() });
    if (message.says === "ask") say("here");
    review();
  });
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      stop();
      say("gone");
    }),
  );
  say("ask");

  // Tabs of one version have nothing to ask each other.
  const keepAsking = Effect.gen(function* () {
    for (;;) {
      yield* Effect.sleep(Duration.millis(ASK_EVERY));
      if (others.size > 0) say("ask");
      review();
    }
  });
  yield* Effect.forkScoped(keepAsking);

  return {
    state: () => state,
    listen: (callback) =>
      Effect.asVoid(
        Effect.acquireRelease(
          Effect.sync(() => listeners.add(callback)),
          () => Effect.sync(() => listeners.delete(callback)),
        ),
      ),
    mayLead: Effect.suspend(() => Deferred.await(newerLeft)),
    shouldStepBack: Effect.suspend(() => Effect.andThen(Deferred.await(newerCame), Effect.sleep(FINISH_WITHIN))),
  };
});
