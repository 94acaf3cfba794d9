/**
 * Live connections on Node's HTTP server: the upgrade, the handshake, and the watch over all connections of this node
 * that closes those whose grant was withdrawn, wherever that happened.
 */
import {
  ChallengePurpose,
  encodeFrame,
  type ErrorOf,
  type GrantId,
  isSupportedProtocolVersion,
  OLDEST_PROTOCOL_VERSION,
  PROTOCOL_VERSION,
  wireError,
  type WireError,
  type WorkspaceId,
} from "@cairn/protocol";
import { NodeHttpServerRequest } from "@effect/platform-node";
import { Cause, Effect, Layer, Redacted, Schedule } from "effect";
import { type HttpServerRequest, HttpServerResponse } from "effect/http";
import { Socket } from "effect/socket";
import { ServerIdentity } from "../database/Database.ts";
import { FanOut } from "../fan-out/FanOut.ts";
import { errorResponse } from "../http/boundary.ts";
import { EntryLog } from "../log/EntryLog.ts";
import { refuse, RequestId } from "../refusals.ts";
import { ServerSettings } from "../ServerSettings.ts";
import { Challenges } from "../tokens/Challenges.ts";
import { Tokens } from "../tokens/Tokens.ts";
import { type FrameSocket, LiveConnection, readFrame } from "./LiveConnection.ts";
import { LiveConnections } from "./LiveConnections.ts";

/** A client that has not said hello by then is gone, or is none. */
const HELLO_PATIENCE = "10 seconds";
/** Bytes that may wait in the process for a client to read them: the window of pages, one large page, and answers. */
const MAX_OUTBOUND_BYTES = 16 * 1024 * 1024;
/** How long a closed connection may take to say goodbye, in milliseconds. */
const GOODBYE_MILLIS = 400;
/** Promise 8: the revocation mark is read twice a second, and with it where the logs end. */
const POLL = "500 millis";

const SHUTDOWN: WireError = wireError("unavailable", { message: "The server is shutting down.", retryAfter: 1 });

const make = Effect.gen(function* () {
  const identity = yield* ServerIdentity;
  const log = yield* EntryLog;
  const tokens = yield* Tokens;
  const challenges = yield* Challenges;
  const fanOut = yield* FanOut;
  const settings = yield* ServerSettings;

  const connectionsByWorkspace = new Map<WorkspaceId, Set<LiveConnection>>();
  let open = 0;
  let shuttingDown = false;

  const registered = (workspace: WorkspaceId, connection: LiveConnection) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const connections = connectionsByWorkspace.get(workspace) ?? new Set();
        connectionsByWorkspace.set(workspace, connections.add(connection));
        open += 1;
      }),
      () =>
        Effect.sync(() => {
          const connections = connectionsByWorkspace.get(workspace);
          connections?.delete(connection);
          if (connections?.size === 0) connectionsByWorkspace.delete(workspace);
          open -= 1;
        }),
    );

  const endWithdrawn = Effect.fnUntraced(function* (workspace: WorkspaceId, grants: ReadonlySet<GrantId>) {
    const withdrawn = yield* tokens.withdrawn(workspace, grants);
    for (const connection of connectionsByWorkspace.get(workspace) ?? []) connection.revoked(withdrawn);
  });

  /**
   * Promise 14: what another node committed, and what this one committed without learning of it (the database's answer
   * was lost), reaches the connections too.
   */
  const watchHeads = Effect.gen(function* () {
    if (connectionsByWorkspace.size === 0) return;
    for (const [workspace, head] of yield* log.heads(connectionsByWorkspace.keys())) {
      for (const connection of connectionsByWorkspace.get(workspace) ?? []) connection.reach(head);
    }
  });

  let seenMark: bigint | undefined;
  const watchRevocations = Effect.gen(function* () {
    if (connectionsByWorkspace.size === 0) return;
    const mark = yield* tokens.revocationMark;
    if (mark === seenMark) return;
    for (const [workspace, connections] of connectionsByWorkspace) {
      yield* endWithdrawn(workspace, new Set([...connections].map(({ grant }) => grant)));
    }
    seenMark = mark;
  });
  // A database that does not answer takes no pushes either; the next look is half a second away.
  yield* Effect.all([Effect.ignore(watchRevocations), Effect.ignore(watchHeads)]).pipe(
    Effect.repeat(Schedule.spaced(POLL)),
    Effect.forkScoped,
  );

  const greet = Effect.fnUntraced(function* (workspace: WorkspaceId, socket: FrameSocket) {
    const { server, nonce } = yield* challenges.make;
    const protocol = { current: PROTOCOL_VERSION, oldest: OLDEST_PROTOCOL_VERSION };
    yield* socket.send(encodeFrame({ type: "challenge", server, nonce, protocol }));
    const [message, ...more] = yield* socket.pull.pipe(
      Effect.timeoutOrElse({
        duration: HELLO_PATIENCE,
        orElse: () => refuse("malformed", { message: "The client did not say hello." }),
      }),
    );
    const hello = yield* readFrame(message ?? "");
    if (hello.type !== "hello" || more.length > 0) {
      return yield* refuse("malformed", { message: "A connection begins with hello, and waits for its welcome." });
    }
    if (!isSupportedProtocolVersion(hello.protocol)) return yield* refuse("unsupported-protocol");
    const session = yield* tokens.authorize(Redacted.make(hello.token), workspace);
    const { device } = session;
    if (device !== hello.device) return yield* refuse("wrong-device");
    if (hello.proof.nonce !== nonce) {
      return yield* refuse("proof-invalid", { message: "The proof is not of this connection's challenge." });
    }
    return { hello, session };
  });

  const converse = Effect.fnUntraced(function* (workspace: WorkspaceId, socket: FrameSocket) {
    const { hello, session } = yield* greet(workspace, socket);
    const { device } = session;
    const before = yield* log.standing(workspace, device, hello);
    yield* challenges.check(
      before.signingKey,
      { purpose: ChallengePurpose.live, workspace, subject: device, statement: new Uint8Array() },
      hello.proof,
    );
    const { cursor } = hello;
    const { diverged } = before;
    const connection = new LiveConnection({ socket, session, log, tokens, cursor, head: before.head, diverged });
    yield* registered(workspace, connection);
    yield* fanOut.subscribe(workspace, connection);
    if (shuttingDown) return yield* Effect.fail(SHUTDOWN);
    // From here on no withdrawal is missed; one that came before is found now.
    yield* endWithdrawn(workspace, new Set([session.grant]));
    const now = yield* log.standing(workspace, device, hello);
    connection.reach(now.head);
    yield* socket.send(
      encodeFrame({
        type: "welcome",
        server: identity.server,
        serverEpoch: identity.epoch,
        head: now.head,
        chain: now.chain,
        role: session.role,
        scope: session.scope,
        keyEpoch: now.keyEpoch,
        last: now.last,
        lastHash: now.lastHash,
        diverged,
        sessionExpiresAt: session.expiresAt,
      }),
    );
    return yield* connection.run;
  }, Effect.scoped);

  const serve: LiveConnections["Service"]["serve"] = Effect.fnUntraced(function* (workspace, request) {
    if (shuttingDown) return yield* refuse("unavailable", { retryAfter: 1 });
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
    const error = yield* Effect.flip(converse(workspace, socket)).pipe(
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
    shuttingDown = true;
    for (const connections of connectionsByWorkspace.values()) {
      for (const connection of connections) connection.end(SHUTDOWN);
    }
    yield* Effect.suspend(() => (open === 0 ? Effect.void : Effect.fail("open" as const))).pipe(
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
