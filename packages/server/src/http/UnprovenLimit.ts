/**
 * A bound on requests that prove nothing yet (challenges, registrations, renewals, opened links): so many a minute from
 * one address. Kept in memory; an entry is forgotten when its minute is over.
 */
import { type ErrorOf } from "@cairn/protocol";
import { Clock, Context, Effect, Layer, Option } from "effect";
import { HttpServerRequest } from "effect/http";
import { refuse } from "../refusals.ts";
import { ServerSettings } from "../ServerSettings.ts";
import { clientAddress, type IsTrustedProxy, trustedProxies } from "./client-address.ts";

const MINUTE = 60_000;
/** Addresses that are remembered at a time; beyond, the oldest are forgotten. */
const MAX_ADDRESSES = 10_000;

interface Window {
  readonly since: number;
  count: number;
}

export class UnprovenLimit extends Context.Service<
  UnprovenLimit,
  {
    /** Counts a request of an address, or refuses it. */
    readonly take: (address: string) => Effect.Effect<void, ErrorOf<"rate-limited">>;
    readonly isTrustedProxy: IsTrustedProxy;
  }
>()("cairn/server/UnprovenLimit") {
  static readonly layer: Layer.Layer<UnprovenLimit, never, ServerSettings> = Layer.effect(
    UnprovenLimit,
    Effect.gen(function* () {
      const { trustedProxies: proxies, unprovenPerMinute } = yield* ServerSettings;
      const windows = new Map<string, Window>();
      return UnprovenLimit.of({
        isTrustedProxy: trustedProxies(proxies),
        take: Effect.fnUntraced(function* (address) {
          if (unprovenPerMinute === 0) return;
          const now = yield* Clock.currentTimeMillis;
          const known = windows.get(address);
          if (known === undefined || known.since + MINUTE <= now) {
            windows.delete(address);
            if (windows.size >= MAX_ADDRESSES) windows.delete(windows.keys().next().value ?? "");
            windows.set(address, { since: now, count: 1 });
            return;
          }
          known.count += 1;
          if (known.count > unprovenPerMinute) {
            return yield* refuse("rate-limited", { retryAfter: Math.ceil((known.since + MINUTE - now) / 1000) });
          }
        }),
      });
    }),
  );
}

/** Puts an effect under the limit of the request's address. */
export const limitUnproven = Effect.map(
  UnprovenLimit,
  (limit) =>
    <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      Effect.gen(function* () {
        const request = yield* HttpServerRequest.HttpServerRequest;
        const connection = Option.getOrElse(request.remoteAddress, () => "unknown");
        yield* limit.take(clientAddress(connection, request.headers["x-forwarded-for"], limit.isTrustedProxy));
        return yield* effect;
      }),
);
