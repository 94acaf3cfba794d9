/**
 * One live connection after its welcome: what the client sends, what it is sent, and when it ends.
 *
 * Three loops share the connection's state: `read` acts on frames, `pump` sends pages while the window has room, and
 * `keep` watches silence and the session's expiry. The first that fails ends the connection with its error.
 */
import {
  decodeFrame,
  encodeFrame,
  encodePage,
  HEARTBEAT_MILLIS,
  LIMITS,
  type LiveFrame,
  MalformedBytes,
  type SessionClaims,
  wireError,
  type WireError,
} from "@cairn/protocol";
import { Clock, Deferred, Effect, Latch, Redacted } from "effect";
import type { Socket } from "effect/socket";
import type { Committed, Subscriber } from "../fan-out/FanOut.ts";
import { readBatch } from "../http/read-batch.ts";
import type { EntryLogShape } from "../log/EntryLog.ts";
import { refuse } from "../refusals.ts";
import type { TokensShape } from "../tokens/Tokens.ts";
import { frameOfCommits, PageWindow } from "./page-window.ts";

/** A socket as frames. */
export interface FrameSocket {
  readonly pull: Effect.Effect<ReadonlyArray<Uint8Array | string>, Socket.SocketError>;
  /** Fails where the peer reads so little that what waits for it exceeds its bound. */
  readonly send: (bytes: Uint8Array) => Effect.Effect<void, Socket.SocketError | WireError>;
}

export interface ConnectionOptions {
  readonly socket: FrameSocket;
  readonly session: SessionClaims;
  readonly log: EntryLogShape;
  readonly tokens: TokensShape;
  readonly cursor: number;
  readonly head: number;
  /** No pages are sent to a client whose log is another one (rule 11). */
  readonly diverged: boolean;
}

/** Bytes of pushes that one connection may have under way before its next frame is read. */
const MAX_PUSHING_BYTES = LIMITS.batchBytes;

/**
 * A page that is not confirmed for this long did not arrive, or its confirmation did not: the client begins anew at its
 * cursor. Long enough for a slow device that takes in a large page. Without it the last page of all could be missing for as
 * long as nothing else happens (Promise 3).
 */
const CONFIRMING_MILLIS = 30 * HEARTBEAT_MILLIS;

/** Decodes a frame, or refuses it. */
export const readFrame = (message: Uint8Array | string) =>
  Effect.suspend(() => {
    if (typeof message === "string") return refuse("malformed", { message: "Frames are binary." });
    try {
      return Effect.succeed(decodeFrame(message));
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error;
      const code = message.length > LIMITS.frameBytes ? "too-large" : "malformed";
      return refuse(code, { message: `The frame cannot be read: ${error.message}` });
    }
  });

export class LiveConnection implements Subscriber {
  readonly #options: ConnectionOptions;
  readonly #window: PageWindow;
  readonly #ended = Deferred.makeUnsafe<never, WireError>();
  readonly #wake = Latch.makeUnsafe(true);
  readonly #pushesDone = Latch.makeUnsafe(true);
  #session: SessionClaims;
  #heard = 0;
  #pushingBytes = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#session = options.session;
    this.#window = new PageWindow(options.cursor, options.head);
  }

  get grant(): SessionClaims["grant"] {
    return this.#session.grant;
  }

  /** The log has grown to `head`, whoever told. */
  reach(head: number): void {
    this.#window.reach(head);
    this.#wakePump();
  }

  committed(commit: Committed): void {
    this.#window.offer(commit);
    this.#wakePump();
  }

  /** Most of what a node hears twice a second of its logs is no news to a connection. */
  #wakePump(): void {
    if (this.#window.room > 0) this.#wake.openUnsafe();
  }

  revoked(grants: ReadonlySet<SessionClaims["grant"]>): void {
    if (grants.has(this.grant)) this.end(wireError("revoked"));
  }

  /** Ends the connection; the client is told why. */
  end(error: WireError): void {
    Deferred.doneUnsafe(this.#ended, Effect.fail(error));
  }

  /** Serves until the socket closes, or fails with the reason that the client is to be told. */
  get run(): Effect.Effect<never, Socket.SocketError | WireError> {
    return Effect.gen({ self: this }, function* () {
      this.#heard = yield* Clock.currentTimeMillis;
      const loops = [this.#read, this.#keep, Deferred.await(this.#ended)];
      return yield* Effect.raceAllFirst(this.#options.diverged ? loops : [...loops, this.#pump]);
    });
  }

  #send(frame: LiveFrame) {
    return this.#options.socket.send(encodeFrame(frame));
  }

  get #read(): Effect.Effect<never, Socket.SocketError | WireError> {
    return Effect.gen({ self: this }, function* () {
      for (;;) {
        const messages = yield* this.#options.socket.pull;
        this.#heard = yield* Clock.currentTimeMillis;
        for (const message of messages) yield* this.#act(yield* readFrame(message));
      }
    });
  }

  #act(frame: LiveFrame): Effect.Effect<void, Socket.SocketError | WireError> {
    switch (frame.type) {
      case "push":
        return this.#push(frame.push, frame.batch);
      case "received":
        if (!this.#window.received(frame.cursor)) {
          return refuse("malformed", { message: "The cursor is beyond what was sent." });
        }
        this.#wakePump();
        return Effect.void;
      case "renew":
        return this.#renew(frame.token);
      case "ping":
        return this.#send({ type: "pong" });
      case "pong":
        return Effect.void;
      case "challenge":
      case "hello":
      case "welcome":
      case "pushed":
      case "push-failed":
      case "page":
      case "renewed":
      case "closing":
        return refuse("malformed", { message: `A client does not send ${frame.type} here.` });
    }
  }

  /** Commits in the background, so that pushes on one connection share commits; in order, because commits queue. */
  #push(push: number, bytes: Uint8Array): Effect.Effect<void, Socket.SocketError | WireError> {
    return Effect.gen({ self: this }, function* () {
      if (this.#pushingBytes >= MAX_PUSHING_BYTES) yield* this.#pushesDone.await;
      this.#pushingBytes += bytes.length;
      if (this.#pushingBytes >= MAX_PUSHING_BYTES) this.#pushesDone.closeUnsafe();
      yield* this.#commit(push, bytes).pipe(
        Effect.catchCause((cause) =>
          Effect.andThen(
            Effect.logError("A push on a live connection failed", cause),
            Effect.sync(() => this.end(wireError("internal"))),
          ),
        ),
        Effect.ensuring(
          Effect.sync(() => {
            this.#pushingBytes -= bytes.length;
            if (this.#pushingBytes < MAX_PUSHING_BYTES) this.#pushesDone.openUnsafe();
          }),
        ),
        Effect.forkChild,
      );
    });
  }

  #commit(push: number, bytes: Uint8Array): Effect.Effect<void> {
    return readBatch(bytes).pipe(
      Effect.flatMap((batch) => this.#options.log.push(this.#session, batch)),
      Effect.matchEffect({
        onSuccess: (response) => this.#send({ type: "pushed", push, response }),
        onFailure: (error) => {
          // Promise 8: who was put out gets no further word than that.
          if (error.code === "revoked" || error.code === "grant-expired") this.end(error);
          return this.#send({ type: "push-failed", push, error });
        },
      }),
      // A socket that cannot be written to ends by its reader; a client that does not read ends here.
      Effect.catch((error) => Effect.sync(() => ("code" in error ? this.end(error) : undefined))),
    );
  }

  #renew(token: string): Effect.Effect<void, Socket.SocketError | WireError> {
    return Effect.gen({ self: this }, function* () {
      const { workspace, device } = this.#session;
      const session = yield* this.#options.tokens.authorize(Redacted.make(token), workspace);
      if (session.device !== device || session.grant !== this.grant) return yield* refuse("wrong-device");
      this.#session = session;
      yield* this.#send({ type: "renewed", sessionExpiresAt: session.expiresAt });
    });
  }

  get #pump(): Effect.Effect<never, Socket.SocketError | WireError> {
    return Effect.gen({ self: this }, function* () {
      for (;;) {
        yield* this.#wake.await;
        this.#wake.closeUnsafe();
        while (this.#window.room > 0) yield* this.#sendPage;
      }
    });
  }

  get #sendPage(): Effect.Effect<void, Socket.SocketError | WireError> {
    return Effect.gen({ self: this }, function* () {
      const { workspace, device } = this.#session;
      const commits = this.#window.take();
      const until = commits?.at(-1)?.until;
      if (commits !== undefined && until !== undefined) {
        const frame = frameOfCommits(commits, device);
        this.#window.sending(until, frame.length, yield* Clock.currentTimeMillis);
        return yield* this.#options.socket.send(frame);
      }
      const page = yield* this.#options.log.pull({
        workspace,
        after: this.#window.sent,
        chain: undefined,
        maxBytes: Math.min(LIMITS.pageBytesDefault, this.#window.room),
        reader: device,
        own: "brief",
      });
      const frame = encodeFrame({ type: "page", page: encodePage(page) });
      this.#window.sending(page.until, frame.length, yield* Clock.currentTimeMillis);
      yield* this.#options.socket.send(frame);
    });
  }

  /** Pings through silence, and ends a connection that stays silent or whose session has expired. */
  get #keep(): Effect.Effect<never, Socket.SocketError | WireError> {
    return Effect.gen({ self: this }, function* () {
      for (;;) {
        const now = yield* Clock.currentTimeMillis;
        if (this.#session.expiresAt <= now) return yield* refuse("token-expired");
        const silence = now - this.#heard;
        if (silence >= 2 * HEARTBEAT_MILLIS) {
          return yield* refuse("unavailable", { message: "Nothing was heard from the client." });
        }
        if (now - (this.#window.waitingSince ?? now) >= CONFIRMING_MILLIS) {
          return yield* refuse("unavailable", { message: "A page was not confirmed." });
        }
        if (silence >= HEARTBEAT_MILLIS) yield* this.#send({ type: "ping" });
        const next = silence >= HEARTBEAT_MILLIS ? HEARTBEAT_MILLIS : HEARTBEAT_MILLIS - silence;
        yield* Effect.sleep(Math.max(1, Math.min(next, this.#session.expiresAt - now)));
      }
    });
  }
}
