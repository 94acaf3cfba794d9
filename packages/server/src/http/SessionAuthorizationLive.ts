/** Who a request's bearer token lets in (hazard 9): the token's workspace must be the path's. */
import { CurrentSession, SessionAuthorization, type SessionClaims } from "@cairn/protocol";
import { Effect, Layer } from "effect";
import { HttpRouter } from "effect/http";
import { refuse } from "../refusals.ts";
import { Tokens } from "../tokens/Tokens.ts";

export const layerSessionAuthorization: Layer.Layer<SessionAuthorization, never, Tokens> = Layer.effect(
  SessionAuthorization,
  Effect.gen(function* () {
    const tokens = yield* Tokens;
    return SessionAuthorization.of({
      bearer: Effect.fnUntraced(function* (handle, { credential }) {
        const { params } = yield* HttpRouter.RouteContext;
        const session = yield* tokens.authorize(credential, params["workspace"] ?? "");
        return yield* Effect.provideService(handle, CurrentSession, session);
      }),
    });
  }),
);

/** The session, if it is an owner's. */
export const master = Effect.flatMap(CurrentSession, (session: SessionClaims) =>
  session.kind === "master" ? Effect.succeed(session) : refuse("master-required"),
);

/** The session, if it may write. */
export const writer = Effect.flatMap(CurrentSession, (session: SessionClaims) =>
  session.scope === "read-write" ? Effect.succeed(session) : refuse("read-only"),
);
