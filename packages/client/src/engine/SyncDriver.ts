/**
 * The conversation with the server for one workspace, run by whoever leads: connect, catch up, push, stay live, and come
 * back after every failure. Decisions are `@cairn/sync`'s; the steps are `Receiving`, `Outbox`, `Uploads` and `Healing`.
 */
import { proveChallenge } from "@cairn/crypto";
import {
  ChallengePurpose,
  decodePage,
  type DocumentId,
  HEARTBEAT_MILLIS,
  type LiveFrame,
  type LiveFrameType,
  PROTOCOL_VERSION,
  type PushResponse,
  type WireError,
} from "@cairn/protocol";
import { backoffMillis, judgeIdentity, type Position } from "@cairn/sync";
import { Clock, Data, Deferred, Duration, Effect, Queue, Random, type Scope } from "effect";
import type { Fence, Fenced, LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import type { OutgoingRecord } from "../store/records.ts";
import { type LiveConnection, type ServerCalls, type TransportShape, Unreachable } from "../transport/Transport.ts";
import { type CairnErrorCode, CairnError } from "../errors.ts";
import type { DocumentImportsShape } from "./DocumentImports.ts";
import { heal } from "./Healing.ts";
import { batchBytes, freezePending, missingChunks, nextBatch, settle } from "./Outbox.ts";
import { type BadPage, Diverged, receive } from "./Receiving.ts";
import { makeSessionKeeper, nonceBytes, type SessionKeeper } from "./Session.ts";
import type { SyncStatus } from "./SyncStatus.ts";
import { uploadChunks } from "./Uploads.ts";
import type { WorkspaceContext } from "./WorkspaceContext.ts";

/** Something a person has to know or decide; trying again by itself does not help. */
export class Halted extends Data.TaggedError("Halted")<{ readonly code: CairnErrorCode }> {}

/** Everything that ends a connection. */
type ConnectionFailure = WireError | Unreachable | Diverged | BadPage | Halted | StoreFailure | Fenced;

/** How long an answer may take: a frame of the handshake, or the result of a push. */
const ANSWER_TIMEOUT = Duration.seconds(30);
/** A problem that a person has to solve is looked at again this often. */
const HALTED_MILLIS = 60_000;

export interface SyncDriverOptions {
  readonly store: LocalStoreShape;
  readonly context: WorkspaceContext;
  readonly transport: TransportShape;
  readonly imports: DocumentImportsShape;
  readonly status: SyncStatus;
  /** Received entries were stored. */
  readonly onReceived: (documents: ReadonlySet<DocumentId>, membershipChanged: boolean) => void;
  /** The outbox changed. */
  readonly onOutbox: () => void;
  /** Chunks were acknowledged. */
  readonly onUploaded: () => void;
}

export interface SyncDriver {
  /** Runs until interrupted. Fails only when another leader has taken over, or the store fails. */
  readonly run: (fence: Fence) => Effect.Effect<never, StoreFailure | Fenced>;
  /** There is something to send, or the network may be back. */
  readonly wake: () => void;
  /** Tries now, whatever the backoff says. */
  readonly retryNow: () => void;
  readonly sessions: (origin: string) => { readonly calls: ServerCalls; readonly sessions: SessionKeeper };
}

export const makeSyncDriver = (options: SyncDriverOptions): Effect.Effect<SyncDriver> =>
  Effect.gen(function* () {
    const { store, context, transport, imports, status } = options;
    const { workspace } = context;
    const outboxSignal = yield* Queue.sliding<void>(1);
    const retrySignal = yield* Queue.sliding<void>(1);
    const keepers = new Map<string, { readonly calls: ServerCalls; readonly sessions: SessionKeeper }>();

    const sessionsAt = (origin: string) => {
      const known = keepers.get(origin);
      if (known !== undefined) return known;
      const calls = transport.server(origin);
      const made = { calls, sessions: makeSessionKeeper(store, calls, context) };
      keepers.set(origin, made);
      return made;
    };

    const currentPosition: Effect.Effect<Position, StoreFailure> = Effect.flatMap(
      store.position(workspace),
      (position) =>
        position === undefined ? Effect.die(new Error("a workspace without a position")) : Effect.succeed(position),
    );

    /** Sends what waits, until nothing does. */
    const drainOutbox = Effect.fnUntraced(function* (
      fence: Fence,
      calls: ServerCalls,
      sessions: SessionKeeper,
      push: (
        batch: ReadonlyArray<OutgoingRecord>,
      ) => Effect.Effect<PushResponse, WireError | Unreachable | StoreFailure>,
    ): Effect.fn.Return<void, ConnectionFailure> {
      for (;;) {
        yield* freezePending(store, context, imports, fence);
        const batch = yield* nextBatch(store, context);
        if (batch === undefined) return;
        const chunks = yield* missingChunks(store, context, batch);
        if (chunks.length > 0) yield* uploadChunks(store, context, calls, sessions, chunks, options.onUploaded);
        const response = yield* push(batch);
        const settlement = yield* settle(store, context, fence, batch, response);
        options.onOutbox();
        if (settlement.settled.length > 0) status.setSyncedAt(yield* Clock.currentTimeMillis);
        switch (settlement.next.type) {
          case "continue":
            status.setProblem(undefined);
            break;
          case "upload":
            yield* uploadChunks(store, context, calls, sessions, settlement.next.missing, options.onUploaded);
            break;
          case "quota":
            return yield* new Halted({ code: "quota-exceeded" });
          case "identity-conflict":
            return yield* new Halted({ code: "profile-cloned" });
          case "resupply":
            return yield* new Diverged({ cursor: (yield* currentPosition).cursor });
          case "pull":
            // The entry was sealed or signed for an older membership; what changed it arrives as a page.
            yield* Effect.sleep(Duration.millis(200));
            break;
        }
      }
    });

    const takePage = Effect.fnUntraced(function* (
      fence: Fence,
      position: Position,
      page: Parameters<typeof receive>[4],
    ) {
      const received = yield* receive(store, context, fence, position, page);
      if (received.unapplied.length > 0) {
        yield* Effect.logWarning("entries kept and not applied").pipe(
          Effect.annotateLogs({ workspace, entries: received.unapplied }),
        );
      }
      options.onReceived(received.documents, received.membershipChanged);
      status.setCatchingUp(received.more);
      if (!received.more) status.setSyncedAt(yield* Clock.currentTimeMillis);
      return received;
    });

    /** Without a live connection: one round of pulling and pushing over HTTP. */
    const httpRound = Effect.fnUntraced(function* (fence: Fence, calls: ServerCalls, sessions: SessionKeeper) {
      let position = yield* currentPosition;
      for (let more = true; more;) {
        const { token } = yield* sessions.current;
        const page = yield* calls.pull(workspace, token, { after: position.cursor, chain: position.chain });
        const received = yield* takePage(fence, position, page);
        ({ position, more } = received);
      }
      yield* drainOutbox(fence, calls, sessions, (batch) =>
        Effect.flatMap(sessions.current, ({ token }) => calls.push(workspace, token, batchBytes(batch))),
      );
    });

    const awaitFrame = Effect.fnUntraced(function* <Type extends LiveFrameType>(
      live: LiveConnection,
      type: Type,
    ): Effect.fn.Return<Extract<LiveFrame, { readonly type: Type }>, ConnectionFailure> {
      const frame = yield* Queue.take(live.frames).pipe(
        Effect.timeoutOrElse({
          duration: ANSWER_TIMEOUT,
          orElse: () => Effect.fail(new Unreachable({ cause: "no answer" })),
        }),
      );
      if (frame.type === "closing") return yield* Effect.fail(frame.error);
      if (!isFrameOf(frame, type)) return yield* new Unreachable({ cause: `expected ${type}, got ${frame.type}` });
      return frame;
    });

    /** Rule 12: the server remembers this device; a store that does not is a copy. */
    const checkIdentity = Effect.fnUntraced(function* (
      welcome: Extract<LiveFrame, { readonly type: "welcome" }>,
    ): Effect.fn.Return<void, ConnectionFailure> {
      const position = yield* store.position(workspace);
      const [record] = welcome.last === 0 ? [] : yield* store.logOf(workspace, context.device, welcome.last, 1);
      const verdict = judgeIdentity(
        { last: welcome.last, hash: welcome.lastHash ?? undefined },
        {
          last: (position?.nextCounter ?? 1) - 1,
          hashAt: (counter) => (record?.counter === counter ? record.hash : undefined),
        },
      );
      if (verdict === "cloned") return yield* new Halted({ code: "profile-cloned" });
    });

    const greet = Effect.fnUntraced(function* (live: LiveConnection, calls: ServerCalls, sessions: SessionKeeper) {
      const { token } = yield* sessions.current;
      const challenge = yield* awaitFrame(live, "challenge");
      const nonce = yield* nonceBytes(challenge.nonce);
      const proof = yield* Effect.promise(() =>
        proveChallenge(
          {
            purpose: ChallengePurpose.live,
            server: challenge.server,
            origin: calls.origin,
            workspace,
            subject: context.device,
            statement: new Uint8Array(0),
            nonce,
          },
          context.keys.signing,
        ),
      );
      const position = yield* currentPosition;
      yield* live.send({
        type: "hello",
        protocol: PROTOCOL_VERSION,
        token,
        device: context.device,
        proof,
        cursor: position.cursor,
        chain: position.chain,
      });
      const welcome = yield* awaitFrame(live, "welcome");
      return { welcome, position };
    });

    /** Speaks over one live connection until it ends. */
    const converse = Effect.fnUntraced(function* (
      fence: Fence,
      calls: ServerCalls,
      sessions: SessionKeeper,
      live: LiveConnection,
      start: Position,
    ): Effect.fn.Return<never, ConnectionFailure> {
      const answers = new Map<number, Deferred.Deferred<PushResponse, WireError>>();
      let lastPush = 0;
      let heardAt = yield* Clock.currentTimeMillis;

      const handle = Effect.fnUntraced(function* (frame: LiveFrame, position: Position) {
        switch (frame.type) {
          case "page": {
            const page = yield* Effect.try({
              try: () => decodePage(frame.page),
              catch: (cause) => new Unreachable({ cause }),
            });
            const received = yield* takePage(fence, position, page);
            yield* live.send({ type: "received", cursor: received.position.cursor });
            return received.position;
          }
          case "pushed": {
            const answer = answers.get(frame.push);
            if (answer !== undefined) yield* Deferred.succeed(answer, frame.response);
            return position;
          }
          case "push-failed": {
            const answer = answers.get(frame.push);
            if (answer !== undefined) yield* Deferred.fail(answer, frame.error);
            return position;
          }
          case "ping":
            yield* live.send({ type: "pong" });
            return position;
          case "closing":
            return yield* Effect.fail(frame.error);
          case "renewed":
          case "pong":
            return position;
          case "challenge":
          case "hello":
          case "welcome":
          case "push":
          case "received":
          case "renew":
            return yield* new Unreachable({ cause: `a ${frame.type} frame in the middle of a conversation` });
        }
      });

      const listen = Effect.gen(function* () {
        let position = start;
        for (;;) {
          const frame = yield* Queue.take(live.frames);
          heardAt = yield* Clock.currentTimeMillis;
          position = yield* handle(frame, position);
        }
      });

      const push = (batch: ReadonlyArray<OutgoingRecord>) =>
        Effect.gen(function* () {
          lastPush += 1;
          const id = lastPush;
          const answer = yield* Deferred.make<PushResponse, WireError>();
          answers.set(id, answer);
          yield* live.send({ type: "push", push: id, batch: batchBytes(batch) });
          return yield* Deferred.await(answer).pipe(
            Effect.timeoutOrElse({
              duration: ANSWER_TIMEOUT,
              orElse: () => Effect.fail(new Unreachable({ cause: "no answer to a push" })),
            }),
            Effect.ensuring(Effect.sync(() => answers.delete(id))),
          );
        });

      const send = Effect.gen(function* () {
        for (;;) {
          yield* drainOutbox(fence, calls, sessions, push);
          yield* Queue.take(outboxSignal);
        }
      });

      /** A network can go silent without closing. */
      const heartbeat = Effect.gen(function* () {
        for (;;) {
          yield* Effect.sleep(Duration.millis(HEARTBEAT_MILLIS / 2));
          const silent = (yield* Clock.currentTimeMillis) - heardAt;
          if (silent > HEARTBEAT_MILLIS * 2) return yield* new Unreachable({ cause: "the connection went silent" });
          if (silent > HEARTBEAT_MILLIS) yield* live.send({ type: "ping" });
        }
      });

      const renewal = Effect.gen(function* () {
        let { token } = yield* sessions.current;
        for (;;) {
          yield* Effect.sleep(Duration.seconds(20));
          const session = yield* sessions.current;
          if (session.token === token) continue;
          ({ token } = session);
          yield* live.send({ type: "renew", token });
        }
      });

      return yield* Effect.raceAllFirst([listen, send, heartbeat, renewal]);
    });

    const connect = Effect.fnUntraced(function* (
      fence: Fence,
      origin: string,
      onLive: () => void,
    ): Effect.fn.Return<void, ConnectionFailure, Scope.Scope> {
      const { calls, sessions } = sessionsAt(origin);
      // Proves that HTTP works, so that a failure to open the socket after it is the socket's own.
      yield* sessions.current;
      const opened = yield* Effect.result(transport.connect(origin, workspace));
      if (opened._tag === "Failure") {
        yield* httpRound(fence, calls, sessions);
        status.setPhase("live", yield* Clock.currentTimeMillis);
        yield* Effect.raceFirst(Effect.sleep(Duration.seconds(5)), Queue.take(outboxSignal));
        return;
      }
      const { welcome, position } = yield* greet(opened.success, calls, sessions);
      if (welcome.diverged) return yield* new Diverged({ cursor: position.cursor });
      yield* checkIdentity(welcome);
      onLive();
      status.setPhase("live", yield* Clock.currentTimeMillis);
      status.setCatchingUp(welcome.head > position.cursor);
      yield* status.refresh;
      yield* converse(fence, calls, sessions, opened.success, position);
    });

    /** What to do after a connection ended: how long to wait, and what to tell. */
    const recover = Effect.fnUntraced(function* (
      fence: Fence,
      origin: string,
      failure: ConnectionFailure,
      failures: number,
    ): Effect.fn.Return<number, StoreFailure | Fenced> {
      const now = yield* Clock.currentTimeMillis;
      const random = yield* Random.next;
      const { calls, sessions } = sessionsAt(origin);
      switch (failure._tag) {
        case "Fenced":
        case "StoreFailure":
          return yield* Effect.fail(failure);
        case "Unreachable":
        case "BadPage":
          status.setPhase("offline", now);
          return backoffMillis(failures, random);
        case "Diverged":
          return yield* Effect.gen(function* () {
            const { token } = yield* sessions.current;
            yield* heal(store, context, fence, calls, token);
            return failures < 3 ? 0 : backoffMillis(failures, random);
          }).pipe(
            Effect.catch((trouble) => {
              if (trouble._tag === "StoreFailure" || trouble._tag === "Fenced") return Effect.fail(trouble);
              status.setPhase("offline", now);
              return Effect.succeed(backoffMillis(failures, random));
            }),
          );
        case "Halted":
          status.setPhase("connecting", now);
          status.setProblem(problemOf(failure.code));
          return HALTED_MILLIS;
        case "Malformed":
        case "Unauthenticated":
        case "Forbidden":
        case "NotFound":
        case "MethodNotAllowed":
        case "Conflict":
        case "Gone":
        case "TooLarge":
        case "UnsupportedMediaType":
        case "UnsupportedProtocol":
        case "RateLimited":
        case "Internal":
        case "Unavailable":
        case "QuotaExceeded":
          return yield* recoverFromAnswer(fence, origin, failure, failures, { now, random });
      }
    });

    /** What to do after the server refused something. */
    const recoverFromAnswer = Effect.fnUntraced(function* (
      fence: Fence,
      origin: string,
      failure: WireError,
      failures: number,
      { now, random }: { readonly now: number; readonly random: number },
    ): Effect.fn.Return<number, StoreFailure | Fenced> {
      const { sessions } = sessionsAt(origin);
      if (failure.action === "retry") {
        status.setPhase("offline", now);
        return backoffMillis(failures, random, undefined, failure.retryAfter);
      }
      if (failure.code === "diverged") return yield* recover(fence, origin, new Diverged({ cursor: 0 }), failures);
      yield* sessions.discard;
      if (failure.action === "pause" && failures < 3) return backoffMillis(failures, random);
      if (failure.code === "grant-unknown" || failure.code === "workspace-unknown") {
        // A server that came back from an older backup may not know this device until an owner has healed it.
        status.setProblem(problemOf(failure.code));
        return backoffMillis(failures, random);
      }
      status.setProblem(problemOf(failure.code));
      return HALTED_MILLIS;
    });

    const run: SyncDriver["run"] = (fence) =>
      Effect.gen(function* () {
        let failures = 0;
        for (;;) {
          const origin = context.record.server;
          if (origin === undefined) {
            status.setServer(undefined);
            yield* Queue.take(retrySignal);
            continue;
          }
          if (failures === 0) status.setPhase("connecting", yield* Clock.currentTimeMillis);
          const ended = yield* Effect.result(
            Effect.scoped(
              connect(fence, origin, () => {
                failures = 0;
                status.setProblem(undefined);
              }),
            ),
          );
          if (ended._tag === "Success") continue;
          failures += 1;
          yield* Effect.logDebug("connection ended").pipe(
            Effect.annotateLogs({ workspace, reason: ended.failure._tag, detail: String(ended.failure) }),
          );
          const wait = yield* recover(fence, origin, ended.failure, failures);
          yield* Effect.raceFirst(Effect.sleep(Duration.millis(wait)), Queue.take(retrySignal));
        }
      });

    return {
      run,
      wake: () => {
        Queue.offerUnsafe(outboxSignal, undefined);
      },
      retryNow: () => {
        Queue.offerUnsafe(retrySignal, undefined);
        Queue.offerUnsafe(outboxSignal, undefined);
      },
      sessions: sessionsAt,
    };
  });

const problemOf = (code: CairnErrorCode) => {
  const { message, action } = new CairnError(code);
  return { code, message, action };
};

const isFrameOf = <Type extends LiveFrameType>(
  frame: LiveFrame,
  type: Type,
): frame is Extract<LiveFrame, { readonly type: Type }> => frame.type === type;
