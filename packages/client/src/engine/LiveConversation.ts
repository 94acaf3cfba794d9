/** A conversation over a live connection: the handshake, then frames both ways until it ends. */
import { proveChallenge } from "@cairn/crypto";
import {
  ChallengePurpose,
  decodePage,
  HEARTBEAT_MILLIS,
  type LiveFrame,
  type LiveFrameType,
  PROTOCOL_VERSION,
  type PushResponse,
  type WireError,
} from "@cairn/protocol";
import { judgeIdentity, type Position } from "@cairn/sync";
import { Deferred, Duration, Effect, Queue } from "effect";
import type { OutgoingRecord } from "../store/records.ts";
import { type LiveConnection, Unreachable } from "../transport/Transport.ts";
import { type ConnectionFailure, type Conversation, currentPosition, takePage } from "./Conversation.ts";
import { drainOutbox, untilProbe } from "./Draining.ts";
import { elapsedMillis } from "./elapsed.ts";
import { batchBytes } from "./Outbox.ts";
import { Cloned } from "./Receiving.ts";
import { nonceBytes } from "./Session.ts";
import { areSomeNamed } from "./UnacknowledgedEdits.ts";

/** How long an answer may take: a frame of the handshake, or the result of a push. */
const ANSWER_TIMEOUT = Duration.seconds(30);
/** The session's token is looked at this often, and sent anew where it was renewed. */
const RENEWAL_CHECK = Duration.seconds(20);

type Welcome = Extract<LiveFrame, { readonly type: "welcome" }>;

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
export const checkIdentity = Effect.fnUntraced(function* (
  { store, context }: Conversation,
  welcome: Welcome,
): Effect.fn.Return<void, ConnectionFailure> {
  const position = yield* store.position(context.workspace);
  const [record] = welcome.last === 0 ? [] : yield* store.logOf(context.workspace, context.device, welcome.last, 1);
  const verdict = judgeIdentity(
    { last: welcome.last, hash: welcome.lastHash ?? undefined },
    {
      last: (position?.nextCounter ?? 1) - 1,
      hashAt: (counter) => (record?.counter === counter ? record.hash : undefined),
    },
  );
  if (verdict === "cloned") return yield* new Cloned({ counter: welcome.last });
});

/** The handshake: proves the device's key and says where it stands. */
export const greet = Effect.fnUntraced(function* (
  conversation: Conversation,
  live: LiveConnection,
): Effect.fn.Return<{ readonly welcome: Welcome; readonly position: Position }, ConnectionFailure> {
  const { context, calls, sessions } = conversation;
  const { token } = yield* sessions.current;
  const challenge = yield* awaitFrame(live, "challenge");
  const nonce = yield* nonceBytes(challenge.nonce);
  const proof = yield* Effect.promise(() =>
    proveChallenge(
      {
        purpose: ChallengePurpose.live,
        server: challenge.server,
        origin: calls.origin,
        workspace: context.workspace,
        subject: context.device,
        statement: new Uint8Array(0),
        nonce,
      },
      context.keys.signing,
    ),
  );
  const position = yield* currentPosition(conversation);
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

/**
 * Speaks over one live connection until it ends, from `start` on, when the log reached to `head`. `outbox` tells when there is
 * something to send.
 */
export const converse = Effect.fnUntraced(function* (
  conversation: Conversation,
  live: LiveConnection,
  { start, head }: { readonly start: Position; readonly head: number },
  outbox: Queue.Dequeue<void>,
): Effect.fn.Return<never, ConnectionFailure> {
  const answers = new Map<number, Deferred.Deferred<PushResponse, WireError>>();
  const caughtUp = yield* Deferred.make<void>();
  let lastPush = 0;
  let heardAt = yield* elapsedMillis;

  const handle = Effect.fnUntraced(function* (frame: LiveFrame, position: Position) {
    switch (frame.type) {
      case "page": {
        const page = yield* Effect.try({
          try: () => decodePage(frame.page),
          catch: (cause) => new Unreachable({ cause }),
        });
        const received = yield* takePage(conversation, position, page);
        yield* live.send({ type: "received", cursor: received.position.cursor });
        if (received.position.cursor >= head) yield* Deferred.succeed(caughtUp, undefined);
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
      heardAt = yield* elapsedMillis;
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
    // Promise 2, rule 12: what was made anew may have been sent by another copy, and then it gives way to that.
    if (start.cursor < head && (yield* areSomeNamed(conversation.store, conversation.context.workspace)))
      yield* Deferred.await(caughtUp);
    for (;;) {
      const outcome = yield* drainOutbox(conversation, push);
      yield* outcome === "drained" ? Queue.take(outbox) : untilProbe(conversation, Queue.take(outbox));
    }
  });

  /** A network can go silent without closing. */
  const heartbeat = Effect.gen(function* () {
    for (;;) {
      yield* Effect.sleep(Duration.millis(HEARTBEAT_MILLIS / 2));
      const silent = (yield* elapsedMillis) - heardAt;
      if (silent > HEARTBEAT_MILLIS * 2) return yield* new Unreachable({ cause: "the connection went silent" });
      if (silent > HEARTBEAT_MILLIS) yield* live.send({ type: "ping" });
    }
  });

  const renewal = Effect.gen(function* () {
    let { token } = yield* conversation.sessions.current;
    for (;;) {
      yield* Effect.sleep(RENEWAL_CHECK);
      const session = yield* conversation.sessions.current;
      if (session.token === token) continue;
      ({ token } = session);
      yield* live.send({ type: "renew", token });
    }
  });

  return yield* Effect.raceAllFirst([listen, send, heartbeat, renewal]);
});

const isFrameOf = <Type extends LiveFrameType>(
  frame: LiveFrame,
  type: Type,
): frame is Extract<LiveFrame, { readonly type: Type }> => frame.type === type;
