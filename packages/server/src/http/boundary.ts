/**
 * What stands around every request to the API: its id, the protocol version, bounds on its body, and the promise that
 * whatever goes wrong is answered as a typed error without a trace of the inside (Promise 11).
 */
import {
  encodeBase64Url,
  type ErrorCode,
  type ErrorDetails,
  isSupportedProtocolVersion,
  OLDEST_PROTOCOL_VERSION,
  PROTOCOL_VERSION,
  wireError,
  WireError,
} from "@cairn/protocol";
import { Cause, Effect, type Layer, Schema } from "effect";
import {
  HttpIncomingMessage,
  HttpRouter,
  HttpServerError,
  type HttpServerRequest as Request,
  HttpServerRequest,
  HttpServerResponse,
} from "effect/http";
import { HttpApiError } from "effect/http-api";
import * as ByteSize from "effect/ByteSize";
import { randomBytes } from "node:crypto";
import { RequestId } from "../refusals.ts";
import { type EndpointRow, endpointsAt } from "./endpoints.ts";

/** The header by which a client says which protocol version it speaks. */
export const PROTOCOL_HEADER = "cairn-protocol";
const REQUEST_ID_HEADER = "x-request-id";

const encodeWireError = Schema.encodeSync(WireError);

/** An error as the response that carries it. */
export const errorResponse = (
  code: ErrorCode,
  status: number,
  details: ErrorDetails,
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.jsonUnsafe(encodeWireError(wireError(code, details)), { status });

const pathOf = (url: string): string => url.split(/[?#]/, 1)[0] ?? "/";
const isApiPath = (path: string): boolean => /^\/(v\d+|health|ready|openapi\.json)(\/|$)/.test(path);

/** Wraps every route; leaves alone what is not the API. */
export const layerBoundary: Layer.Layer<never, never, HttpRouter.HttpRouter> = HttpRouter.middleware(
  (handle) =>
    Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest;
      const path = pathOf(request.url);
      if (!isApiPath(path)) return yield* handle;
      const given = yield* RequestId;
      const requestId = given ?? encodeBase64Url(randomBytes(12));
      const found = endpointsAt(path);
      const endpoint = found.find(({ method }) => method === request.method);
      const refused = preflight(request, endpoint, requestId);
      const response =
        refused ??
        (yield* handle.pipe(
          Effect.provideService(RequestId, requestId),
          Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.fromInputUnsafe(endpoint?.maxBodyBytes ?? 0)),
          Effect.catchCause((cause) => explain(cause, found, requestId)),
          Effect.map((answer) => withRetryAfter(typed(answer, requestId))),
          given === undefined ? Effect.annotateLogs({ requestId }) : (same) => same,
        ));
      return HttpServerResponse.setHeaders(response, {
        [REQUEST_ID_HEADER]: requestId,
        [PROTOCOL_HEADER]: String(PROTOCOL_VERSION),
        "cache-control": response.headers["cache-control"] ?? "no-store",
      });
    }),
  { global: true },
);

/** What can be refused before the body is read. */
const preflight = (
  request: Request.HttpServerRequest,
  endpoint: EndpointRow | undefined,
  requestId: string,
): HttpServerResponse.HttpServerResponse | undefined => {
  const version = request.headers[PROTOCOL_HEADER];
  if (version !== undefined && !isSupportedProtocolVersion(/^\d{1,6}$/.test(version) ? Number(version) : 0)) {
    const message = `This server speaks the protocol versions ${OLDEST_PROTOCOL_VERSION} to ${PROTOCOL_VERSION}.`;
    return errorResponse("unsupported-protocol", 426, { requestId, message });
  }
  if (endpoint === undefined) return undefined;
  const length = Number(request.headers["content-length"] ?? 0);
  if (length > endpoint.maxBodyBytes) {
    return closing(errorResponse("too-large", 413, { requestId, message: tooLarge(endpoint) }));
  }
  if (endpoint.mediaType !== undefined && mediaTypeOf(request) !== endpoint.mediaType) {
    const message = `Send the body as ${endpoint.mediaType}.`;
    return closing(errorResponse("unsupported-media-type", 415, { requestId, message }));
  }
  return undefined;
};

const tooLarge = ({ maxBodyBytes }: EndpointRow): string => `The body may have at most ${maxBodyBytes} bytes.`;

const mediaTypeOf = (request: Request.HttpServerRequest): string =>
  (request.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";

/** A body that nobody will read is not waited for. */
const closing = (response: HttpServerResponse.HttpServerResponse) =>
  HttpServerResponse.setHeader(response, "connection", "close");

/** The answer to a request whose handler did not answer. */
const explain = (
  cause: Cause.Cause<unknown>,
  found: ReadonlyArray<EndpointRow>,
  requestId: string,
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt;
  const error = Cause.squash(cause);
  if (HttpServerResponse.isHttpServerResponse(error)) return Effect.succeed(error);
  if (HttpApiError.HttpApiSchemaError.is(error)) {
    return error.kind === "Body" || error.kind === "ResponseHeaders"
      ? failed(cause, requestId)
      : Effect.succeed(errorResponse("malformed", 400, { requestId, message: schemaMessage(error) }));
  }
  if (HttpServerError.isHttpServerError(error)) {
    const { reason } = error;
    if (reason._tag === "RouteNotFound") return Effect.succeed(nowhere(found, requestId));
    if (reason._tag === "RequestParseError") {
      return Effect.succeed(
        reason.reason === "BodyTooLarge"
          ? closing(errorResponse("too-large", 413, { requestId }))
          : closing(errorResponse("malformed", 400, { requestId, message: "The request's body cannot be read." })),
      );
    }
  }
  return failed(cause, requestId);
};

const failed = (cause: Cause.Cause<unknown>, requestId: string) =>
  Effect.as(Effect.logError("A request failed", cause), errorResponse("internal", 500, { requestId }));

/** Where there is no such endpoint, or none for this method. */
export const nowhere = (found: ReadonlyArray<EndpointRow>, requestId: string | undefined) => {
  const details = requestId === undefined ? {} : { requestId };
  if (found.length === 0) return errorResponse("not-found", 404, details);
  const allowed = found.map(({ method }) => method).join(", ");
  return HttpServerResponse.setHeader(errorResponse("method-not-allowed", 405, details), "allow", allowed);
};

/** Says which field is wrong and how; never what was sent. */
const schemaMessage = (error: HttpApiError.HttpApiSchemaError): string => {
  const where = error.kind === "Payload" ? "body" : error.kind.toLowerCase();
  return `The request's ${where} is not in the form that the API describes (see /openapi.json).`;
};

const codeByStatus: Readonly<Record<number, ErrorCode>> = {
  400: "malformed",
  404: "not-found",
  413: "too-large",
  415: "unsupported-media-type",
  500: "internal",
  503: "unavailable",
};

/** Errors that the framework answered by itself, in our form. */
const typed = (response: HttpServerResponse.HttpServerResponse, requestId: string) => {
  if (response.status < 400 || response.headers["content-type"]?.startsWith("application/json") === true)
    return response;
  if (response.body._tag !== "Empty" && response.headers["content-type"]?.startsWith("text/plain") !== true)
    return response;
  const code = codeByStatus[response.status] ?? (response.status < 500 ? "malformed" : "internal");
  return errorResponse(code, response.status, { requestId });
};

const decodeRetryAfter = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ retryAfter: Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)) })),
);

/** The wait that an error names, also where proxies and plain clients look for it (RFC 9110, section 10.2.3). */
const withRetryAfter = (response: HttpServerResponse.HttpServerResponse) => {
  if ((response.status !== 429 && response.status !== 503) || response.body._tag !== "Uint8Array") return response;
  const found = decodeRetryAfter(new TextDecoder().decode(response.body.body));
  return found._tag === "None"
    ? response
    : HttpServerResponse.setHeader(response, "retry-after", String(Math.ceil(found.value.retryAfter)));
};
