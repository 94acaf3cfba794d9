/**
 * Live connections whatever carries their frames: the handshake, and the watch over all connections of this node that
 * closes those whose grant was withdrawn, wherever that happened.
 */
import {
  ChallengePurpose,
  encodeFrame,
  type GrantId,
  isSupportedProtocolVersion,
  OLDEST_PROTOCOL_VERSION,
  PROTOCOL_VERSION,
  wireError,
  type WireError,
  type WorkspaceId,
} from "@cairn/protocol";
import { Effect, Redacted, type Scope } from "effect";
import type { Socket } from "effect/socket";
import { ServerIdentity } from "../database/Database.ts";
import { FanOut } from "../fan-out/FanOut.ts";
import { EntryLog } from "../log/EntryLog.ts";
import { refuse } from "../refusals.ts";
import { Challenges } from "../tokens/Challenges.ts";
import { Tokens } from "../tokens/Tokens.ts";
import { type FrameSocket, LiveConnection, readFrame } from "./LiveConnection.ts";

/** A client that has not said hello by then is gone, or is none. */
const HELLO_PATIENCE = "10 seconds";
/** Promise 8: the revocation mark is read twice a second, and with it where the logs end. */
const POLL = "500 millis";

const SHUTDOWN: WireError = wireError("unavailable", { message: "The server is shutting down.", retryAfter: 1 });

export interface LiveHub {
  /** Greets whoever is behind the socket, and serves until it closes; fails with the reason that the client is to be told. */
  readonly converse: (
    workspace: WorkspaceId,
    socket: FrameSocket,
  ) => Effect.Effect<never, Socket.SocketError | WireError>;
  /** Ends all connections; new ones are refused. */
  readonly shutDown: Effect.Effect<void>;
  readonly isShuttingDown: () => boolean;
  /** Connections that are served now. */
  readonly open: () => number;
}

/** Watches until the scope ends. */
export const makeLiveHub: Effect.Effect<
  LiveHub,
  never,
  ServerIdentity | EntryLog | Tokens | Challenges | FanOut | Scope.Scope
> = Effect.gen(function* () {
  const identity = yield* ServerIdentity;
  const log = yield* EntryLog;
  const tokens = yield* Tokens;
  const challenges = yield* Challenges;
  const fanOut = yield* FanOut;

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
    for (const [workspace, head] of yield* log.heads(connectionsByWorkspace.keys())) {
      for (const connection of connectionsByWorkspace.get(workspace) ?? []) connection.reach(head);
    }
  });

  let seenMark: bigint | undefined;
  const watchRevocations = Effect.gen(function* () {
    const mark = yield* tokens.revocationMark;
    if (mark === seenMark) return;
    for (const [workspace, connections] of connectionsByWorkspace) {
      yield* endWithdrawn(workspace, new Set([...connections].map(({ grant }) => grant)));
    }
    seenMark = mark;
  });
  // A database that does not answer takes no pushes either; the next look is half a second away.
  const watch = Effect.gen(function* () {
    for (;;) {
      if (connectionsByWorkspace.size > 0) {
        yield* Effect.ignore(watchRevocations);
        yield* Effect.ignore(watchHeads);
      }
      yield* Effect.sleep(POLL);
    }
  });
  yield* Effect.forkScoped(watch);

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

  return {
    converse,
    shutDown: Effect.sync(() => {
      shuttingDown = true;
      for (const connections of connectionsByWorkspace.values()) {
        for (const connection of connections) connection.end(SHUTDOWN);
      }
    }),
    isShuttingDown: () => shuttingDown,
    open: () => open,
  };
});
