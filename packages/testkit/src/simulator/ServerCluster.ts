/**
 * The server: nodes that share one database in memory. Each runs the real logic behind its ports: sessions, group commit,
 * `decide`, fan-out, and live connections with their pages and windows. A node that crashes is gone between any two of
 * its steps; the database keeps what was committed.
 */
import { encodeFrame, serverIdFromBytes, type WireError, type WorkspaceId } from "@cairn/protocol";
import {
  type BlobStore,
  type Challenges,
  defaultSettings,
  EntryLog,
  type FanOut,
  type Links,
  type ServerIdentity,
  ServerSettings,
  TokenKeys,
  type Tokens,
} from "@cairn/server";
import {
  type FrameSocket,
  type LiveHub,
  makeLiveHub,
  RandomBytes,
  refuse,
  SignatureVerifier,
} from "@cairn/server/adapters";
import { Cause, Context, Effect, Layer, Redacted, Scope } from "effect";
import { Socket } from "effect/socket";
import {
  DatabaseConnection,
  layerMemoryPorts,
  MemoryConnection,
  MemoryDatabase,
  type TransactionPoint,
} from "../memory-server/index.ts";
import type { Defect } from "./Defect.ts";
import { Channel, type Network } from "./Network.ts";
import { Refusals } from "./Refusals.ts";
import { SeededRandom } from "./seeded-random.ts";
import { simulatedCryptography } from "./simulated-cryptography.ts";
import { SimulatedProcess, type World } from "./World.ts";

export const ORIGIN = "https://cairn.example";

export type NodeServices =
  | EntryLog
  | Tokens
  | Links
  | BlobStore
  | Challenges
  | FanOut
  | ServerIdentity
  | ServerSettings;

/** The key that signs sessions: the same in every run, and no secret. */
const tokenKeys = Effect.runSync(
  Effect.provide(TokenKeys, TokenKeys.layerSecret(Redacted.make("the simulator's token key, which guards nothing"))),
);

/** Unread bytes that a node keeps for a client: little, so that slow consumers are met in a run of small documents. */
const OUTBOUND_BYTES = 6_000;
/** Milliseconds that a database takes for a step. */
const DATABASE_STEP = 3;

export interface ServerOptions {
  readonly sessionMillis: number;
  readonly quotaBytes: number;
  readonly defect: Defect | undefined;
}

const closed = (code: number): Socket.SocketError =>
  new Socket.SocketError({ reason: new Socket.SocketCloseError({ code }) });

/** A node as it runs between two crashes. */
export class ServerNode {
  readonly process: SimulatedProcess;
  readonly connection: MemoryConnection;
  readonly services: Context.Context<NodeServices>;
  readonly hub: LiveHub;
  /** What ends when the node does. */
  readonly calls = new Set<() => void>();

  constructor(
    process: SimulatedProcess,
    connection: MemoryConnection,
    services: Context.Context<NodeServices>,
    hub: LiveHub,
  ) {
    this.process = process;
    this.connection = connection;
    this.services = services;
    this.hub = hub;
  }

  get up(): boolean {
    return this.process.alive;
  }

  /** Runs a request in this node. */
  serve<A, E>(request: Effect.Effect<A, E, NodeServices>): Effect.Effect<A, E> {
    return Effect.provideContext(request, this.services);
  }

  /** Accepts a connection. The returned functions take the client's frames, and its going away. */
  accept(
    workspace: WorkspaceId,
    network: Network,
    client: SimulatedProcess,
    toClient: (bytes: Uint8Array) => void,
    ended: () => void,
  ): { readonly fromClient: Channel; readonly toClient: Channel; readonly leave: () => void } {
    const inbox: Array<Uint8Array> = [];
    let isOpen = true;
    let waiting: (() => void) | undefined;
    const outgoing = new Channel(network, client, toClient);
    const incoming = new Channel(network, this.process, (bytes) => {
      inbox.push(bytes);
      waiting?.();
    });
    const leave = (): void => {
      isOpen = false;
      incoming.close();
      waiting?.();
    };
    const pull: FrameSocket["pull"] = Effect.suspend(() => {
      if (inbox.length > 0) return Effect.succeed(inbox.splice(0));
      if (!isOpen) return Effect.fail(closed(1006));
      return Effect.callback<ReadonlyArray<Uint8Array>, Socket.SocketError>((resume) => {
        waiting = () => {
          waiting = undefined;
          resume(isOpen ? Effect.succeed(inbox.splice(0)) : Effect.fail(closed(1006)));
        };
        return Effect.sync(() => {
          waiting = undefined;
        });
      });
    });
    const send: FrameSocket["send"] = (bytes) =>
      Effect.suspend((): Effect.Effect<void, Socket.SocketError | WireError> => {
        if (!isOpen) return Effect.fail(closed(1006));
        if (outgoing.underWay > OUTBOUND_BYTES) {
          network.world.count("slow consumer refused");
          return refuse("rate-limited", { message: "The client does not read what it asked for." });
        }
        outgoing.send(bytes);
        return Effect.void;
      });
    const converse = Effect.flip(this.hub.converse(workspace, { pull, send })).pipe(
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause)
          ? Effect.interrupt
          : Effect.as(Effect.logError("A live connection failed", cause), undefined),
      ),
      Effect.map((error) => {
        if (error !== undefined && !Socket.isSocketError(error)) {
          network.world.note("goodbye", error.code);
          if (error.code === "token-expired") network.world.count("fault: token expired");
          if (isOpen) outgoing.send(encodeFrame({ type: "closing", error }));
        }
        leave();
        ended();
      }),
    );
    this.process.run(converse);
    return { fromClient: incoming, toClient: outgoing, leave };
  }
}

export class ServerCluster {
  readonly world: World;
  readonly database: MemoryDatabase;
  readonly nodes: Array<ServerNode | undefined> = [];
  readonly refusals: Refusals;
  readonly #options: ServerOptions;
  #random: SeededRandom;
  /** Told of at each point of a transaction: the run may crash the node there. */
  atPoint: (node: number, point: TransactionPoint) => void = () => undefined;

  constructor(world: World, nodes: number, options: ServerOptions) {
    this.world = world;
    this.#options = options;
    this.#random = new SeededRandom(world.seed, 2);
    this.database = new MemoryDatabase(serverIdFromBytes(this.#random.bytes(16)));
    this.refusals = new Refusals(world, this.database);
    for (let index = 0; index < nodes; index += 1) this.nodes.push(this.#start(index));
  }

  #start(index: number): ServerNode {
    const { world } = this;
    const process = new SimulatedProcess(world, `node ${index}`);
    const { random } = process;
    const connection = new MemoryConnection(this.database, {
      locks: this.#options.defect?.server?.withoutRowLock !== true,
      at: (point) =>
        Effect.suspend(() => {
          this.atPoint(index, point);
          if (!process.alive) return Effect.never;
          return point === "committed" ? Effect.void : Effect.sleep(random.unit() * DATABASE_STEP);
        }),
    });
    const settings = {
      ...defaultSettings,
      origins: () => new Set([ORIGIN]),
      sessionMillis: this.#options.sessionMillis,
      workspaceBytes: this.#options.quotaBytes,
    };
    const scope = Scope.makeUnsafe();
    const platform = process.context.pipe(
      Context.add(SignatureVerifier, simulatedCryptography.verify),
      Context.add(RandomBytes, (length: number) => random.bytes(length)),
    );
    const build = Effect.gen({ self: this }, function* () {
      const ports = yield* Layer.build(
        layerMemoryPorts.pipe(
          Layer.provideMerge(Layer.succeed(ServerSettings, settings)),
          Layer.provide(Layer.succeed(TokenKeys, tokenKeys)),
          Layer.provide(Layer.succeed(DatabaseConnection, connection)),
        ),
      );
      const real = Context.get(ports, EntryLog);
      const log = this.#options.defect?.server?.entryLog?.(real, world, this.database) ?? real;
      // What requests look at, besides the ports.
      const services = Context.add(Context.merge(platform, ports), EntryLog, this.refusals.around(log));
      return { services, hub: yield* Effect.provideContext(makeLiveHub, services) };
    }).pipe(Scope.provide(scope));
    const { services, hub } = Effect.runSyncWith(platform)(build);
    const node = new ServerNode(process, connection, services, hub);
    process.onDeath(() => {
      connection.close();
      for (const end of node.calls) end();
    });
    return node;
  }

  /** Some node that is up. */
  pick(): ServerNode | undefined {
    const up = this.nodes.filter((node) => node?.up === true);
    return this.world.random.pick(up);
  }

  crash(index: number): void {
    const node = this.nodes[index];
    if (node === undefined || !node.up) return;
    this.world.note("crash node", index);
    node.process.kill();
  }

  restart(index: number): void {
    if (this.nodes[index]?.up === true) return;
    this.world.note("restart node", index);
    this.nodes[index] = this.#start(index);
  }
}
