/**
 * What surrounds every request: an id that the client also gets, one line of log, and the security headers. The line
 * holds method, path, status and time; never a query, a header or a body (promise 6).
 */
import { RequestId } from "@cairn/server";
import { Clock, Effect, Exit, type Scope } from "effect";
import { HttpEffect, HttpServerRequest, HttpServerResponse } from "effect/http";
import { randomUUID } from "node:crypto";
import { securityHeaders } from "./security-headers.ts";

/** The header that carries a request's id, in both directions. */
export const requestIdHeader = "x-request-id";

/** A proxy in front may bring its own id; anything that could forge a log line is replaced. */
const acceptableId = /^[A-Za-z0-9._-]{8,64}$/;

/** Wraps the handler of all requests. `https` says whether people reach this server through https. */
export const aroundRequests =
  (options: { readonly https: boolean }) =>
  <E, R>(
    handle: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>,
  ): Effect.Effect<HttpServerResponse.HttpServerResponse, E, R | HttpServerRequest.HttpServerRequest | Scope.Scope> =>
    Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest;
      const given = request.headers[requestIdHeader];
      const requestId = given !== undefined && acceptableId.test(given) ? given : randomUUID();
      const path = request.url.split(/[?#]/, 1)[0] ?? "/";
      const headers = {
        ...securityHeaders({ path, host: request.headers["host"], https: options.https }),
        [requestIdHeader]: requestId,
      };
      yield* HttpEffect.appendPreResponseHandler((_request, response) =>
        Effect.succeed(HttpServerResponse.setHeaders(response, headers)),
      );
      const started = yield* Clock.currentTimeMillis;
      return yield* handle.pipe(
        Effect.onExit((exit) =>
          Effect.gen(function* () {
            const ms = (yield* Clock.currentTimeMillis) - started;
            const status = Exit.isSuccess(exit) ? exit.value.status : "failed";
            const isApi = path.startsWith("/v1");
            const write = isApi ? Effect.logInfo : Effect.logDebug;
            yield* write("request").pipe(Effect.annotateLogs({ method: request.method, path, status, ms }));
          }),
        ),
        Effect.annotateLogs({ requestId }),
        Effect.provideService(RequestId, requestId),
      );
    });
