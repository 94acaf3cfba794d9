/**
 * The conversation with the server for one workspace, run by whoever leads: connect, catch up, push, stay live, and come
 * back after every failure. Decisions are `@cairn/sync`'s; the steps are `Receiving`, `Draining`, `Outbox` and `Healing`.
 */
import { backoffMillis, classifyFailure, type Repair } from "@cairn/sync";
import { Clock, Duration, Effect, Queue, Random, type Scope } from "effect";
import type { CairnErrorCode } from "../errors.ts";
import type { Fence } from "../store/store-changes.ts";
import type { Fenced, StoreFailure } from "../store/LocalStore.ts";
import type { ServerCalls, TransportShape } from "../transport/Transport.ts";
import {
  type ConnectionFailure,
  type Conversation,
  currentPosition,
  type Restraint,
  takeLateEntries,
  takePage,
} from "./Conversation.ts";
import { drainOutbox } from "./Draining.ts";
import { heal } from "./Healing.ts";
import { checkIdentity, converse, greet } from "./LiveConversation.ts";
import { batchBytes, loseAnswers, recoverOutbox } from "./Outbox.ts";
import { Diverged } from "./Receiving.ts";
import { makeSessionKeeper, type SessionKeeper } from "./Session.ts";
import type { SuccessionFailure } from "./Succession.ts";
import { unpluggable } from "./unpluggable.ts";
import { watchOutbox } from "./Watchdog.ts";

/** New sessions that are tried at once when the server takes the old one no more. */
const MAX_TOKENS = 3;
/** Without a live connection the server is asked for news this often. */
const ROUND_MILLIS = 5_000;

export interface SyncDriverOptions extends Omit<
  Conversation,
  "fence" | "calls" | "sessions" | "restraint" | "contentBytes" | "wake"
> {
  /** Takes a new identity, because somebody else writes under this one (rule 12). */
  readonly succeed: (conversation: Conversation) => Effect.Effect<void, SuccessionFailure>;
  readonly transport: TransportShape;
  /** It is time to look for edits that nobody told of. */
  readonly onLook: () => void;
}

export interface SyncDriver {
  /** Runs until interrupted. Fails only when another leader has taken over, or the store fails. */
  readonly run: (fence: Fence) => Effect.Effect<never, StoreFailure | Fenced>;
  /** There is something to send. */
  readonly wake: () => void;
  /** Tries now, whatever the backoff says. */
  readonly retryNow: () => void;
  /** Sends and fetches nothing from now on, or again. */
  readonly pause: (paused: boolean) => Effect.Effect<void>;
  /** As if the network were away. */
  readonly simulateOffline: (on: boolean) => Effect.Effect<void>;
  readonly sessions: (origin: string) => { readonly calls: ServerCalls; readonly sessions: SessionKeeper };
}

/** What ended a connection from this side. */
type Interruption = "steered" | { readonly repair: Repair };

export const makeSyncDriver = (options: SyncDriverOptions): Effect.Effect<SyncDriver> =>
  Effect.gen(function* () {
    const { store, context, transport, status, policy } = options;
    const { workspace } = context;
    const outboxSignal = yield* Queue.sliding<void>(1);
    const retrySignal = yield* Queue.sliding<void>(1);
    const interruptions = yield* Queue.sliding<Interruption>(1);
    const keepers = new Map<string, { readonly calls: ServerCalls; readonly sessions: SessionKeeper }>();
    const contentBytes: Conversation["contentBytes"] = new Map();
    const restraint: Restraint = {
      noRoomFor: undefined,
      stopped: undefined,
      probeAt: undefined,
      batchEntries: policy.batch.entries,
      nothings: 0,
    };
    let simulated = false;
    let overHttp = false;

    const sessionsAt = (origin: string) => {
      const known = keepers.get(origin);
      if (known !== undefined) return known;
      const calls = unpluggable(transport.server(origin), () => simulated);
      const made = { calls, sessions: makeSessionKeeper(store, calls, context) };
      keepers.set(origin, made);
      return made;
    };

    /** What held the outbox back may have passed. */
    const lookAgain = (): void => {
      if (restraint.probeAt !== undefined) restraint.probeAt = 0;
    };

    const conversationAt = (fence: Fence, origin: string): Conversation => ({
      ...options,
      ...sessionsAt(origin),
      fence,
      restraint,
      contentBytes,
      onReceived: (documents, membershipChanged) => {
        if (membershipChanged) {
          lookAgain();
          Queue.offerUnsafe(outboxSignal, undefined);
        }
        options.onReceived(documents, membershipChanged);
      },
      wake: () => Queue.offerUnsafe(outboxSignal, undefined),
    });

    /** Without a live connection: one round of pulling and pushing over HTTP. */
    const httpRound = Effect.fnUntraced(function* (conversation: Conversation) {
      const { calls, sessions } = conversation;
      const pull = Effect.gen(function* () {
        let position = yield* currentPosition(conversation);
        for (let more = true; more;) {
          const { token } = yield* sessions.current;
          const page = yield* calls.pull(workspace, token, { after: position.cursor, chain: position.chain });
          const received = yield* takePage(conversation, position, page);
          ({ position, more } = received);
        }
      });
      yield* pull;
      yield* status.tell({ type: "connected", withheld: restraint.stopped !== undefined });
      yield* drainOutbox({ ...conversation, pull }, (batch) =>
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
      const opened = overHttp ? undefined : yield* Effect.result(transport.connect(origin, workspace));
      if (opened === undefined || opened._tag === "Failure") {
        yield* httpRound(conversation);
        onLive();
        yield* status.connection("http");
        yield* Effect.raceFirst(Effect.sleep(Duration.millis(ROUND_MILLIS)), Queue.take(outboxSignal));
        return;
      }
      const { welcome, position } = yield* greet(conversation, opened.success);
      if (welcome.diverged) return yield* new Diverged({ cursor: position.cursor });
      yield* checkIdentity(conversation, welcome);
      onLive();
      yield* status.tell({ type: "connected", withheld: restraint.stopped !== undefined });
      yield* status.connection("live");
      status.setIncoming(Math.max(0, welcome.head - position.cursor));
      if (welcome.head <= position.cursor) status.setSyncedAt(yield* Clock.currentTimeMillis);
      return yield* converse(conversation, opened.success, { start: position, head: welcome.head }, outboxSignal);
    });

    /** Answers that asked for a new session, since the last one that was good. An outage before them does not count. */
    let tokens = 0;

    const backoff = Effect.fnUntraced(function* (failures: number, retryAfterSeconds?: number) {
      return backoffMillis(failures, yield* Random.next, policy.backoff, retryAfterSeconds);
    });

    const stopped = Effect.fnUntraced(function* (code: CairnErrorCode) {
      yield* status.tell({ type: "stopped" }, code);
      return policy.probeMillis;
    });

    const compare = Effect.fnUntraced(function* (
      fence: Fence,
      origin: string,
      failures: number,
    ): Effect.fn.Return<number, StoreFailure | Fenced> {
      const { calls, sessions } = sessionsAt(origin);
      const healed = yield* Effect.result(heal(store, context, fence, calls, sessions));
      if (healed._tag === "Success") {
        // Promise 14: what the server will not take back is no reason to ask it again and again.
        if (healed.success !== undefined) return yield* stopped(healed.success);
        return failures < 3 ? 0 : yield* backoff(failures);
      }
      const { failure } = healed;
      if (failure._tag === "StoreFailure" || failure._tag === "Fenced") return yield* Effect.fail(failure);
      yield* status.tell({ type: "unreachable" });
      return yield* backoff(failures);
    });

    const takeNewIdentity = Effect.fnUntraced(function* (
      fence: Fence,
      origin: string,
      failures: number,
    ): Effect.fn.Return<number, StoreFailure | Fenced> {
      const taken = yield* Effect.result(options.succeed(conversationAt(fence, origin)));
      if (taken._tag === "Success") return 0;
      const { failure } = taken;
      if (failure._tag === "StoreFailure" || failure._tag === "Fenced") return yield* Effect.fail(failure);
      // Promise 14: it is tried again, and said as long as it does not work.
      if (failure._tag === "Halted") return yield* stopped(failure.code);
      yield* stopped("profile-cloned");
      return yield* backoff(failures);
    });

    /** What to do after a connection ended: how long to wait, and what to tell. */
    const recover = Effect.fnUntraced(function* (
      fence: Fence,
      origin: string,
      failure: ConnectionFailure,
      failures: number,
    ): Effect.fn.Return<number, StoreFailure | Fenced> {
      const { sessions } = sessionsAt(origin);
      if (failure._tag === "Fenced" || failure._tag === "StoreFailure") return yield* Effect.fail(failure);
      if (failure._tag === "Diverged") return yield* compare(fence, origin, failures);
      if (failure._tag === "Cloned") return yield* takeNewIdentity(fence, origin, failures);
      if (failure._tag === "Halted") return yield* stopped(failure.code);
      if (failure._tag === "BatchRefused") return yield* stopped("server-refused");
      if (failure._tag === "BadPage") {
        yield* status.tell({ type: "asked-to-wait" });
        return yield* backoff(failures);
      }
      const verdict = classifyFailure(failure._tag === "Unreachable" ? undefined : failure, false);
      switch (verdict.type) {
        case "offline":
          yield* status.tell({ type: "unreachable" });
          return yield* backoff(failures);
        case "wait":
          yield* status.tell({ type: "asked-to-wait" });
          return yield* backoff(failures, verdict.retryAfterSeconds);
        case "diverged":
          return yield* compare(fence, origin, failures);
        case "token":
          yield* sessions.discard;
          tokens += 1;
          if (tokens > MAX_TOKENS && failure._tag !== "Unreachable") return yield* stopped(failure.code);
          yield* status.tell({ type: "token-refused" });
          return yield* backoff(tokens);
        case "no-room":
          // Of a chunk or an entry that is sent again: the outbox looks whether there is room before.
          restraint.noRoomFor ??= 1;
          restraint.probeAt = (yield* Clock.currentTimeMillis) + policy.probeMillis;
          yield* status.tell({ type: "no-room" }, "quota-exceeded");
          return yield* backoff(failures);
        case "stopped":
          yield* sessions.discard;
          yield* status.tell({ type: "stopped" }, verdict.code);
          return verdict.recheck ? yield* backoff(failures) : policy.probeMillis;
        case "batch":
          return yield* stopped(verdict.code);
      }
    });

    /** Waits, unless somebody wants it now. */
    const rest = Effect.fnUntraced(function* (millis: number) {
      if (millis > 0) status.setNextAttempt((yield* Clock.currentTimeMillis) + millis);
      yield* Effect.raceAllFirst([
        Effect.sleep(Duration.millis(millis)),
        Queue.take(retrySignal),
        Effect.asVoid(Queue.take(interruptions)),
      ]);
      status.setNextAttempt(undefined);
    });

    const codeOf = (failure: ConnectionFailure): string => ("code" in failure ? failure.code : failure._tag);

    const talk = Effect.fnUntraced(function* (fence: Fence): Effect.fn.Return<never, StoreFailure | Fenced> {
      let failures = 0;
      for (;;) {
        const origin = context.record.server;
        if (origin === undefined) {
          status.setServer(undefined);
          yield* Queue.take(retrySignal);
          continue;
        }
        if (status.facts().paused || simulated) {
          yield* status.tell({ type: simulated ? "unreachable" : "paused" });
          yield* Queue.take(interruptions);
          failures = 0;
          continue;
        }
        if (failures === 0) {
          yield* status.tell({ type: "connecting" });
          yield* status.connection("connecting");
        }
        const live = connect(fence, origin, () => {
          failures = 0;
          tokens = 0;
        });
        const ended = yield* Effect.raceFirst(
          Effect.result(Effect.scoped(live)),
          Effect.map(Queue.take(interruptions), (interruption) => ({ _tag: "Interrupted", interruption }) as const),
        );
        if (ended._tag === "Success") continue;
        const conversation = conversationAt(fence, origin);
        if (ended._tag === "Interrupted") {
          yield* loseAnswers(conversation);
          if (ended.interruption === "steered") continue;
          overHttp = ended.interruption.repair === "http";
          if (ended.interruption.repair === "compare") yield* compare(fence, origin, 1);
          continue;
        }
        failures += 1;
        yield* Effect.logDebug("connection ended").pipe(
          Effect.annotateLogs({ workspace, reason: ended.failure._tag, detail: String(ended.failure) }),
        );
        if (ended.failure._tag !== "Fenced" && ended.failure._tag !== "StoreFailure") yield* loseAnswers(conversation);
        const wait = yield* recover(fence, origin, ended.failure, failures);
        yield* status.connection("ended", codeOf(ended.failure), wait);
        options.onOutbox();
        yield* rest(wait);
      }
    });

    const retryNow = (): void => {
      lookAgain();
      Queue.offerUnsafe(retrySignal, undefined);
      Queue.offerUnsafe(outboxSignal, undefined);
    };

    /** A network that went may have left a connection that only looks alive: a new one shows how it stands. */
    const networkChanged = (online: boolean): void => {
      if (online) retryNow();
      else Queue.offerUnsafe(interruptions, "steered");
    };

    const run: SyncDriver["run"] = (fence) =>
      Effect.gen(function* () {
        yield* Effect.acquireRelease(
          Effect.sync(() => transport.watchNetwork(networkChanged)),
          (stop) => Effect.sync(stop),
        );
        const origin = context.record.server;
        if (origin !== undefined) {
          yield* recoverOutbox(conversationAt(fence, origin));
          // This version of the app may open what another one could not.
          yield* takeLateEntries(conversationAt(fence, origin));
        }
        const repair = (step: Repair): void => {
          overHttp = false;
          Queue.offerUnsafe(interruptions, { repair: step });
        };
        // Events between tabs are hints: a tab may die between storing an edit and telling of it.
        const look = Effect.gen(function* () {
          options.onLook();
          yield* Effect.ignore(status.read);
          if (status.state().pendingDocuments > 0) Queue.offerUnsafe(outboxSignal, undefined);
        });
        return yield* Effect.raceAllFirst([
          talk(fence),
          watchOutbox({ status, policy, workspace, restraint, overHttp: () => overHttp, look, repair }),
        ]);
      }).pipe(Effect.scoped);

    const steer = Effect.sync(() => {
      Queue.offerUnsafe(interruptions, "steered");
    });

    return {
      run,
      wake: () => {
        Queue.offerUnsafe(outboxSignal, undefined);
      },
      retryNow,
      pause: (paused) =>
        Effect.gen(function* () {
          if (status.facts().paused === paused) return;
          yield* status.tell({ type: paused ? "paused" : "resumed" });
          yield* status.connection(paused ? "paused" : "resumed");
          yield* steer;
        }),
      simulateOffline: (on) =>
        Effect.gen(function* () {
          if (simulated === on) return;
          simulated = on;
          status.setSimulatedOffline(on);
          if (on) yield* status.connection("offline-simulated");
          yield* steer;
        }),
      sessions: sessionsAt,
    };
  });
