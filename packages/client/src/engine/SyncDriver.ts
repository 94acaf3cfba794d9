/**
 * The conversation with the server for one workspace, run by whoever leads: connect, catch up, push, stay live, and come
 * back after every failure. Decisions are `@cairn/sync`'s; the steps are `Receiving`, `Outbox`, `Uploads` and `Healing`.
 */
import type { WireError } from "@cairn/protocol";
import { backoffMillis } from "@cairn/sync";
import { Clock, Duration, Effect, Queue, Random, type Scope } from "effect";
import { CairnError, type CairnErrorCode } from "../errors.ts";
import type { Fence, Fenced, StoreFailure } from "../store/LocalStore.ts";
import type { ServerCalls, TransportShape } from "../transport/Transport.ts";
import { type ConnectionFailure, type Conversation, currentPosition, drainOutbox, takePage } from "./Conversation.ts";
import { heal } from "./Healing.ts";
import { checkIdentity, converse, greet } from "./LiveConversation.ts";
import { batchBytes } from "./Outbox.ts";
import { Diverged } from "./Receiving.ts";
import { makeSessionKeeper, type SessionKeeper } from "./Session.ts";
import type { SuccessionFailure } from "./Succession.ts";

/** A problem that a person has to solve is looked at again this often. */
const HALTED_MILLIS = 60_000;
/** New sessions that are tried at once when the server takes the old one no more. */
const MAX_PAUSES = 3;

export interface SyncDriverOptions extends Omit<Conversation, "fence" | "calls" | "sessions"> {
  /** Takes a new identity, because somebody else writes under this one (rule 12). */
  readonly succeed: (conversation: Conversation) => Effect.Effect<void, SuccessionFailure>;
  readonly transport: TransportShape;
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
    const { store, context, transport, status } = options;
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

    const conversationAt = (fence: Fence, origin: string): Conversation => ({
      ...options,
      ...sessionsAt(origin),
      fence,
    });

    /** Without a live connection: one round of pulling and pushing over HTTP. */
    const httpRound = Effect.fnUntraced(function* (conversation: Conversation) {
      const { calls, sessions } = conversation;
      let position = yield* currentPosition(conversation);
      for (let more = true; more;) {
        const { token } = yield* sessions.current;
        const page = yield* calls.pull(workspace, token, { after: position.cursor, chain: position.chain });
        const received = yield* takePage(conversation, position, page);
        ({ position, more } = received);
      }
      yield* drainOutbox(conversation, (batch) =>
        Effect.flatMap(sessions.current, ({ token }) => calls.push(workspace, token, batchBytes(batch))),
      );
    });

    const connect = Effect.fnUntraced(function* (
      fence: Fence,
      origin: string,
      onLive: () => void,
    ): Effect.fn.Return<void, ConnectionFailure, Scope.Scope> {
      const conversation = conversationAt(fence, origin);
      // Proves that HTTP works, so that a failure to open the socket after it is the socket's own.
      yield* conversation.sessions.current;
      const opened = yield* Effect.result(transport.connect(origin, workspace));
      if (opened._tag === "Failure") {
        yield* httpRound(conversation);
        status.setPhase("live", yield* Clock.currentTimeMillis);
        yield* Effect.raceFirst(Effect.sleep(Duration.seconds(5)), Queue.take(outboxSignal));
        return;
      }
      const { welcome, position } = yield* greet(conversation, opened.success);
      if (welcome.diverged) return yield* new Diverged({ cursor: position.cursor });
      yield* checkIdentity(conversation, welcome);
      onLive();
      status.setPhase("live", yield* Clock.currentTimeMillis);
      status.setCatchingUp(welcome.head > position.cursor);
      yield* status.refresh;
      return yield* converse(conversation, opened.success, position, outboxSignal);
    });

    /** Answers that asked for a new session, since the last one that was good. An outage before them does not count. */
    let pauses = 0;

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
            const refused = yield* heal(store, context, fence, calls, sessions);
            if (refused !== undefined) {
              // Promise 14: what the server will not take back is no reason to ask it again and again.
              status.setProblem(problemOf(refused));
              return HALTED_MILLIS;
            }
            return failures < 3 ? 0 : backoffMillis(failures, random);
          }).pipe(
            Effect.catch((trouble) => {
              if (trouble._tag === "StoreFailure" || trouble._tag === "Fenced") return Effect.fail(trouble);
              status.setPhase("offline", now);
              return Effect.succeed(backoffMillis(failures, random));
            }),
          );
        case "Cloned":
          return yield* options.succeed(conversationAt(fence, origin)).pipe(
            Effect.as(0),
            Effect.catch((trouble) => {
              if (trouble._tag === "StoreFailure" || trouble._tag === "Fenced") return Effect.fail(trouble);
              // Promise 14: it is tried again, and said as long as it does not work.
              status.setPhase("offline", now);
              status.setProblem(problemOf(trouble._tag === "Halted" ? trouble.code : "profile-cloned"));
              return Effect.succeed(trouble._tag === "Halted" ? HALTED_MILLIS : backoffMillis(failures, random));
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
      if (failure.action === "pause") {
        pauses += 1;
        if (pauses <= MAX_PAUSES) return backoffMillis(pauses, random);
      }
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
                pauses = 0;
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
