/** Live connections on Node's HTTP server: the upgrade, and goodbye. What they serve is `live-hub.ts`. */
import { encodeFrame, type ErrorOf, wireError, type WireError } from "@cairn/protocol";
import { NodeHttpServerRequest } from "@effect/platform-node";
import { Cause, Effect, Layer, Schedule } from "effect";
import { type HttpServerRequest, HttpServerResponse } from "effect/http";
import { Socket } from "effect/socket";
import type { ServerIdentity } from "../database/Database.ts";
import type { FanOut } from "../fan-out/FanOut.ts";
import { errorResponse } from "../http/boundary.ts";
import type { EntryLog } from "../log/EntryLog.ts";
import { refuse, RequestId } from "../refusals.ts";
import { ServerSettings } from "../ServerSettings.ts";
import type { Challenges } from "../tokens/Challenges.ts";
import type { Tokens } from "../tokens/Tokens.ts";
import { LiveConnections } from "./LiveConnections.ts";
import { makeLiveHub } from "./live-hub.ts";

/** Bytes that may wait in the process for a client to read them: the window of pages, one large page, and answers. */
const MAX_OUTBOUND_BYTES = 16 * 1024 * 1024;
/** How long a closed connection may take to say goodbye, in milliseconds. */
const GOODBYE_MILLIS = 400;

const make = Effect.gen(function* () {
  const settings = yield* ServerSettings;
  const hub = yield* makeLiveHub;

  const serve: LiveConnections["Service"]["serve"] = Effect.fnUntraced(function* (workspace, request) {
    if (hub.isShuttingDown()) return yield* refuse("unavailable", { retryAfter: 1 });
    if (!isUpgrade(request)) {
      return yield* refuse("malformed", { message: "This address is a WebSocket: ask for an upgrade (RFC 6455)." });
    }
    if (!isFromAllowedOrigin(request, settings)) {
      const requestId = yield* RequestId;
      return errorResponse("origin-not-allowed", 403, requestId === undefined ? {} : { requestId });
    }
    const upgraded = yield* Effect.orDie(request.upgrade);
    const opened = yield* Effect.option(frameSocket(request, upgraded));
    // Gone before the handshake was through.
    if (opened._tag === "None") return HttpServerResponse.empty();
    const socket = opened.value;
    const error = yield* Effect.flip(hub.converse(workspace, socket)).pipe(
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause)
          ? Effect.interrupt
          : Effect.as(Effect.logError("A live connection failed", cause), wireError("internal")),
      ),
    );
    if (!Socket.isSocketError(error)) yield* socket.goodbye(error);
    return HttpServerResponse.empty();
  });

  const closeAll = Effect.gen(function* () {
    yield* hub.shutDown;
    yield* Effect.suspend(() => (hub.open() === 0 ? Effect.void : Effect.fail("open" as const))).pipe(
      Effect.retry(Schedule.spaced("10 millis")),
      Effect.timeoutOption("1 second"),
      Effect.ignore,
    );
  });

  return LiveConnections.of({ serve, closeAll });
});

export const layerNodeLiveConnections: Layer.Layer<
  LiveConnections,
  never,
  ServerIdentity | EntryLog | Tokens | Challenges | FanOut | ServerSettings
> = Layer.effect(LiveConnections, make);

/** RFC 6455, section 4.2.1: what `ws` would refuse in its own words. */
const isUpgrade = ({ headers, method }: HttpServerRequest.HttpServerRequest): boolean =>
  method === "GET" &&
  headers["upgrade"]?.toLowerCase() === "websocket" &&
  /(?:^|,)\s*upgrade\s*(?:,|$)/i.test(headers["connection"] ?? "") &&
  /^[+/0-9A-Za-z]{22}==$/.test(headers["sec-websocket-key"] ?? "") &&
  headers["sec-websocket-version"] === "13";

/** Browsers say where a page comes from; other programs need not. */
const isFromAllowedOrigin = (
  { headers }: HttpServerRequest.HttpServerRequest,
  settings: ServerSettings["Service"],
): boolean => {
  const { origin, host } = headers;
  if (origin === undefined || settings.origins().has(origin) || settings.allowedOrigins.has(origin)) return true;
  return host !== undefined && URL.parse(origin)?.host === host;
};

const closeCodes: Partial<Readonly<Record<WireError["code"], number>>> = {
  "too-large": 1009,
  internal: 1011,
  unavailable: 1013,
};
/** RFC 6455, section 7.4.1: the reason is in the frame before. */
const POLICY = 1008;

const frameSocket = Effect.fnUntraced(function* (
  request: HttpServerRequest.HttpServerRequest,
  upgraded: Socket.Socket,
) {
  const { socket } = NodeHttpServerRequest.toIncomingMessage(request);
  const writer = yield* upgraded.writer;
  const reader = yield* upgraded.reader;
  const send = (bytes: Uint8Array): Effect.Effect<void, Socket.SocketError | ErrorOf<"rate-limited">> =>
    socket.writableLength > MAX_OUTBOUND_BYTES
      ? refuse("rate-limited", { message: "The client does not read what it asked for." })
      : writer.write(bytes);
  const goodbye = (error: WireError): Effect.Effect<void> =>
    Effect.gen(function* () {
      if (socket.writableLength <= MAX_OUTBOUND_BYTES) yield* writer.write(encodeFrame({ type: "closing", error }));
      yield* writer.write(new Socket.CloseEvent(closeCodes[error.code] ?? POLICY, error.code));
      // A peer that does not answer the goodbye is not waited for.
      setTimeout(() => socket.destroy(), GOODBYE_MILLIS).unref();
    }).pipe(Effect.ignore);
  return { pull: reader.pull, send, goodbye };
});
