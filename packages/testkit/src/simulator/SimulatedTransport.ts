/** A device's transport: the calls and the live connection of the real one, over the simulated network. */
import {
  type ChallengeResponse,
  decodeFrame,
  decodePage,
  encodeFrame,
  encodePage,
  type LiveFrame,
  LIMITS,
  type Session,
  type SessionClaims,
  type WireError,
  type WorkspaceId,
} from "@cairn/protocol";
import {
  type LiveConnection,
  type ServerCalls,
  type TransportFailure,
  type TransportShape,
  Unreachable,
} from "@cairn/client/effect";
import { BlobStore, Challenges, EntryLog, Links, ServerIdentity, ServerSettings, Tokens } from "@cairn/server";
import { readBatch, refuse } from "@cairn/server/adapters";
import { Cause, Effect, Exit, Queue, Redacted, type Scope } from "effect";
import { CALL_TIMEOUT, type Channel, type Network } from "./Network.ts";
import type { NodeServices, ServerCluster, ServerNode } from "./ServerCluster.ts";
import type { SimulatedProcess, World } from "./World.ts";

/** A live connection that is open, for faults. */
export interface Wire {
  /** Breaks: both sides notice sooner or later. */
  readonly cut: () => void;
  readonly toServer: Channel;
  readonly toClient: Channel;
  /** Something that no client of ours sends. */
  readonly node: ServerNode;
}

export interface Host {
  readonly online: boolean;
  readonly wires: Set<Wire>;
  /** Calls that fail when the device goes offline. */
  readonly calls: Set<() => void>;
}

const unreachable = (cause: string): Unreachable => new Unreachable({ cause });

/** What the wire of an HTTP call may do to a body. */
type Mangle<A> = (body: A, network: Network) => A;

export const makeSimulatedTransport = (
  world: World,
  network: Network,
  cluster: ServerCluster,
  process: SimulatedProcess,
  host: Host,
): TransportShape => {
  /** One call: to some node, served there, and answered, unless something comes between. */
  const call = <A>(
    name: string,
    request: Effect.Effect<A, WireError, NodeServices>,
    mangleAnswer?: Mangle<A>,
  ): Effect.Effect<A, TransportFailure> =>
    Effect.callback<A, TransportFailure>((resume) => {
      let open = true;
      const finish = (effect: Effect.Effect<A, TransportFailure>): void => {
        if (!open) return;
        open = false;
        host.calls.delete(cut);
        node?.calls.delete(cut);
        resume(effect);
      };
      const fail = (cause: string, after: number): void => {
        world.after(after, () => finish(Effect.fail(unreachable(cause))), process);
      };
      const cut = (): void => fail("the connection broke", 1 + world.random.unit() * 200);
      const node = host.online ? cluster.pick() : undefined;
      if (node === undefined) {
        fail(host.online ? "no server" : "offline", 1 + world.random.unit() * 50);
        return;
      }
      host.calls.add(cut);
      node.calls.add(cut);
      if (network.befalls("lost")) {
        fail("no answer", CALL_TIMEOUT);
        return;
      }
      const serve = (isCopy: boolean): void => {
        const answered = (exit: Exit.Exit<A, WireError>): void => {
          const outcome = Exit.isSuccess(exit) ? process.id : codeOf(exit.cause);
          world.note(`answer ${name}`, outcome);
          if (outcome === "token-expired") world.count("fault: token expired");
          if (isCopy) return;
          if (network.befalls("lostAnswer")) return fail("no answer", world.random.chance(0.5) ? 10 : CALL_TIMEOUT);
          world.after(
            network.delay(),
            () =>
              finish(
                Exit.isSuccess(exit)
                  ? Effect.suspend(() => {
                      try {
                        return Effect.succeed(
                          mangleAnswer === undefined ? exit.value : mangleAnswer(exit.value, network),
                        );
                      } catch (cause) {
                        return Effect.fail(new Unreachable({ cause }));
                      }
                    })
                  : failureOf(exit.cause),
              ),
            process,
          );
        };
        node.process.run(Effect.onExit(node.serve(request), (exit) => Effect.sync(() => answered(exit))));
      };
      world.after(network.delay(), () => serve(false), node.process);
      if (network.befalls("duplicated")) world.after(network.delay(), () => serve(true), node.process);
      return Effect.sync(() => {
        open = false;
        host.calls.delete(cut);
        node.calls.delete(cut);
      });
    });

  const authorized = <A>(
    workspace: WorkspaceId,
    token: string,
    handle: (session: SessionClaims) => Effect.Effect<A, WireError, NodeServices>,
  ): Effect.Effect<A, WireError, NodeServices> =>
    Effect.flatMap(Tokens, (tokens) => Effect.flatMap(tokens.authorize(Redacted.make(token), workspace), handle));
  const owner = (session: SessionClaims) =>
    session.kind === "master" ? Effect.succeed(session) : refuse("master-required");
  const writer = (session: SessionClaims) =>
    session.scope === "read-write" ? Effect.succeed(session) : refuse("read-only");

  const truncatedBatch = (batch: Uint8Array): Uint8Array =>
    network.befalls("truncated") ? network.truncate(batch) : batch;

  const server = (origin: string): ServerCalls => ({
    origin,
    describe: call(
      "describe",
      Effect.gen(function* () {
        const { server, epoch } = yield* ServerIdentity;
        const settings = yield* ServerSettings;
        const { attachmentBytes, workspaceBytes, registration, backupHorizonSeconds } = settings;
        return {
          server,
          epoch,
          protocol: { current: 1, oldest: 1 },
          registration,
          limits: {
            entryBytes: LIMITS.entryBytes,
            batchBytes: LIMITS.batchBytes,
            batchEntries: LIMITS.batchEntries,
            pageBytes: LIMITS.pageBytesMax,
            chunkBytes: LIMITS.chunkBytes,
            attachmentBytes,
            workspaceBytes,
          },
          backupHorizonSeconds,
        };
      }),
    ),
    challenge: call<ChallengeResponse>(
      "challenge",
      Effect.flatMap(Challenges, ({ make }) => make),
    ),
    register: (workspace, request) =>
      call<Session>(
        "register",
        Effect.flatMap(Tokens, (tokens) => tokens.register(workspace, request)),
      ),
    renew: (workspace, request) =>
      call<Session>(
        "renew",
        Effect.flatMap(Tokens, (tokens) => tokens.renew(workspace, request)),
      ),
    state: (workspace, token) =>
      call(
        "state",
        authorized(workspace, token, (session) => Effect.flatMap(EntryLog, (log) => log.state(session.workspace))),
      ),
    push: (workspace, token, batch) => {
      const sent = truncatedBatch(batch);
      return call(
        "push",
        authorized(workspace, token, (session) =>
          Effect.flatMap(EntryLog, (log) => Effect.flatMap(readBatch(sent), (entries) => log.push(session, entries))),
        ),
      );
    },
    pull: (workspace, token, query) =>
      call(
        "pull",
        authorized(workspace, token, ({ device }) =>
          Effect.flatMap(EntryLog, (log) =>
            log.pull({
              workspace,
              reader: device,
              after: query.after,
              chain: query.chain,
              maxBytes: PAGE_BYTES,
              own: query.own ?? "brief",
            }),
          ),
        ),
        (page) => {
          const bytes = encodePage(page);
          return decodePage(network.befalls("truncated") ? network.truncate(bytes) : bytes);
        },
      ),
    createLink: (workspace, token, request) =>
      call(
        "createLink",
        authorized(workspace, token, (session) =>
          Effect.andThen(
            owner(session),
            Effect.flatMap(Links, (links) => links.create(session.workspace, request)),
          ),
        ),
      ),
    listLinks: (workspace, token) =>
      call(
        "listLinks",
        authorized(workspace, token, (session) =>
          Effect.andThen(
            owner(session),
            Effect.flatMap(Links, (links) => links.list(session.workspace)),
          ),
        ),
      ),
    listGrants: (workspace, token) =>
      call(
        "listGrants",
        authorized(workspace, token, (session) =>
          Effect.andThen(
            owner(session),
            Effect.flatMap(Tokens, (tokens) => tokens.list(session.workspace)),
          ),
        ),
      ),
    describeLink: (workspace, link) =>
      call(
        "describeLink",
        Effect.flatMap(Links, (links) => links.describe(workspace, link)),
      ),
    openLink: (workspace, link, request) =>
      call<Session>(
        "openLink",
        Effect.flatMap(Links, (links) => links.open(workspace, link, request)),
      ),
    revokeLink: (workspace, token, link) =>
      call(
        "revokeLink",
        authorized(workspace, token, (session) =>
          Effect.andThen(
            owner(session),
            Effect.flatMap(Links, (links) => links.revoke(session.workspace, link)),
          ),
        ),
      ),
    putChunk: (workspace, token, hash, bytes) =>
      call(
        "putChunk",
        authorized(workspace, token, (session) =>
          Effect.andThen(
            writer(session),
            Effect.flatMap(BlobStore, (blobs) => Effect.asVoid(blobs.put(session, hash, bytes))),
          ),
        ),
      ),
    hasChunk: (workspace, token, hash) =>
      call(
        "hasChunk",
        authorized(workspace, token, () =>
          Effect.flatMap(BlobStore, (blobs) =>
            blobs.head(workspace, hash).pipe(
              Effect.as(true),
              Effect.catchTag("NotFound", () => Effect.succeed(false)),
            ),
          ),
        ),
      ),
    getChunk: (workspace, token, hash) =>
      call(
        "getChunk",
        authorized(workspace, token, () => Effect.flatMap(BlobStore, (blobs) => blobs.get(workspace, hash))),
      ),
  });

  const connect = (_origin: string, workspace: WorkspaceId): Effect.Effect<LiveConnection, Unreachable, Scope.Scope> =>
    Effect.gen(function* () {
      const frames = yield* Queue.unbounded<LiveFrame, Unreachable>();
      const opening = network.delay();
      yield* Effect.sleep(opening);
      const node = host.online ? cluster.pick() : undefined;
      if (node === undefined || network.befalls("lost")) return yield* unreachable("the socket did not open");
      let open = true;
      const end = (cause: string): void => {
        if (!open) return;
        open = false;
        host.wires.delete(wire);
        node.calls.delete(wire.cut);
        connection.leave();
        Queue.failCauseUnsafe(frames, Cause.fail(unreachable(cause)));
      };
      const take = (bytes: Uint8Array): void => {
        if (!open) return;
        try {
          const frame = decodeFrame(bytes);
          world.note(`frame ${frame.type}`, process.id);
          Queue.offerUnsafe(frames, frame);
        } catch {
          world.note("bad frame", process.id);
          end("a frame that is none");
        }
      };
      const connection = node.accept(workspace, network, process, take, () =>
        world.after(network.delay(), () => end("the server closed"), process),
      );
      const wire: Wire = {
        cut: () => {
          connection.leave();
          world.after(1 + world.random.unit() * 200, () => end("the connection broke"), process);
        },
        toServer: connection.fromClient,
        toClient: connection.toClient,
        node,
      };
      host.wires.add(wire);
      node.calls.add(wire.cut);
      // A tab that dies says goodbye by its computer, or, where that lost its power, not at all.
      process.onDeath(() => {
        host.wires.delete(wire);
        if (world.random.chance(0.5)) connection.leave();
      });
      yield* Effect.addFinalizer(() => Effect.sync(() => end("closed here")));
      return {
        frames,
        send: (frame: LiveFrame) =>
          Effect.suspend(() => {
            if (!open) return Effect.fail(unreachable("the socket is closed"));
            connection.fromClient.send(encodeFrame(frame));
            return Effect.void;
          }),
      };
    });

  // A platform may say nothing about the network, so that nothing may depend on it.
  return { server, connect, watchNetwork: () => () => undefined };
};

/** Small pages, so that catching up takes several. */
const PAGE_BYTES = 3_000;

const codeOf = (cause: Cause.Cause<WireError>): string => {
  const failure = Cause.squash(cause);
  return typeof failure === "object" && failure !== null && "code" in failure ? String(failure.code) : "defect";
};

const failureOf = <E extends WireError>(cause: Cause.Cause<E>): Effect.Effect<never, E | Unreachable> =>
  Cause.hasDies(cause) ? Effect.fail(unreachable("the server failed")) : Effect.failCause(cause);
