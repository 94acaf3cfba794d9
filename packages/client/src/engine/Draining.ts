/**
 * Sending: freeze what waits, push it in batches, and do what the answers say, until nothing is left that can go. One
 * document's trouble never holds up another's (hazard 15), and what has to wait for somebody says for whom.
 */
import { EntryKind, type Hash, type PushResponse, type WireError } from "@cairn/protocol";
import { backoffMillis, classifyFailure, type FailureClass } from "@cairn/sync";
import { Clock, Duration, Effect, Random } from "effect";
import type { CairnErrorCode } from "../errors.ts";
import type { Fenced, StoreFailure } from "../store/LocalStore.ts";
import type { OutgoingRecord } from "../store/records.ts";
import type { Unreachable } from "../transport/Transport.ts";
import { BatchRefused, type ConnectionFailure, type Conversation, currentPosition } from "./Conversation.ts";
import { Halted } from "./Halted.ts";
import { freezePending, type Lacking, park, whyWithheld } from "./Freezing.ts";
import { loseAnswers, missingChunks, nextBatch, refuse, settle } from "./Outbox.ts";
import { Diverged } from "./Receiving.ts";
import { uploadChunks } from "./Uploads.ts";

/** How long an entry waits for the page that says why it was sealed or signed too late. */
const MEMBERSHIP_PAUSE = Duration.millis(200);
/** How long an entry waits at most for chunks that somebody else uploads, between two attempts. */
const LONGEST_REFS_PAUSE_MILLIS = 2_000;

const attemptsOf = (batch: ReadonlyArray<OutgoingRecord>): ReadonlyArray<number> =>
  batch.map(({ attempts }) => attempts);

/** Why the outbox is not empty. `drained`: it is. */
export type Drained = "drained" | "no-room" | "stopped";

type Push = (
  batch: ReadonlyArray<OutgoingRecord>,
) => Effect.Effect<PushResponse, WireError | Unreachable | StoreFailure | Fenced>;

/** Sends what waits, until nothing does that can. */
export const drainOutbox = Effect.fnUntraced(function* (
  conversation: Conversation,
  push: Push,
): Effect.fn.Return<Drained, ConnectionFailure> {
  const { restraint } = conversation;
  yield* probe(conversation);
  if (restraint.stopped !== undefined) {
    // A new connection does not change it.
    yield* conversation.status.tell({ type: "stopped" }, restraint.stopped);
    return "stopped";
  }
  for (;;) {
    const { lacking, outgoing } =
      restraint.noRoomFor === undefined ? yield* freezePending(conversation) : { lacking: [], outgoing: true };
    const batch = outgoing ? yield* nextBatch(conversation, restraint.batchEntries) : undefined;
    if (batch !== undefined) {
      const outcome = yield* sendBatch(conversation, push, batch);
      if (outcome === "stopped") return outcome;
      continue;
    }
    const [next] = lacking;
    if (next === undefined) {
      if (restraint.noRoomFor !== undefined) return "no-room";
      const withheld = yield* whyWithheld(conversation);
      if (withheld === undefined) return "drained";
      // Promise 14: until a change of the membership lets them go, or a person does something about it.
      yield* stop(conversation, withheld);
      return "stopped";
    }
    // One at a time: what was written meanwhile goes out between two chunks of a large attachment.
    yield* uploadFirst(conversation, next);
  }
});

const sendBatch = Effect.fnUntraced(function* (
  conversation: Conversation,
  push: Push,
  batch: ReadonlyArray<OutgoingRecord>,
): Effect.fn.Return<"sent" | "stopped", ConnectionFailure> {
  const { status, restraint, policy } = conversation;
  const chunks = yield* missingChunks(conversation, batch);
  if (chunks.length > 0) yield* upload(conversation, chunks);
  const pushed = yield* Effect.result(push(batch));
  if (pushed._tag === "Failure") {
    const { failure } = pushed;
    const wholly =
      isStoreProblem(failure) || failure._tag === "Unreachable" ? undefined : classifyFailure(failure, true);
    if (wholly?.type !== "batch") return yield* Effect.fail(failure);
    yield* blame(conversation, batch, wholly);
    return "sent";
  }
  restraint.batchEntries = Math.min(policy.batch.entries, restraint.batchEntries * 2);
  const { settled, next } = yield* settle(conversation, batch, pushed.success);
  conversation.onOutbox();
  if (settled > 0) {
    status.setSyncedAt(yield* Clock.currentTimeMillis);
    restraint.nothings = 0;
    // A void finds room where the entry that it stands for found none.
    if (restraint.noRoomFor === undefined) yield* status.tell({ type: "moved" });
  }
  switch (next.type) {
    case "continue":
      return "sent";
    case "upload":
      yield* upload(conversation, next.missing);
      // Somebody else may still be uploading them. Entries behind this one wait for its counter, so it is not waited for long.
      yield* Effect.sleep(
        Duration.millis(
          Math.min(LONGEST_REFS_PAUSE_MILLIS, backoffMillis(1 + Math.max(0, ...attemptsOf(batch)), yield* Random.next)),
        ),
      );
      return "sent";
    case "no-room":
      yield* waitForRoom(conversation, Math.max(1, ...batch.map(({ entry }) => entry.length)));
      return "sent";
    case "stopped":
      yield* stop(conversation, next.code === "role" ? "read-only" : "revoked");
      return "stopped";
    case "void-refused":
      yield* stop(conversation, "server-refused");
      return "stopped";
    case "identity-conflict":
      return yield* new Halted({ code: "profile-cloned" });
    case "resupply":
      return yield* new Diverged({ cursor: (yield* currentPosition(conversation)).cursor });
    case "pull":
      // The entry was sealed or signed for an older membership; what changed it arrives as a page. On a slow network that
      // may take longer than the answer, and each further attempt waits twice as long for it.
      yield* (
        conversation.pull ??
        Effect.sleep(Duration.times(MEMBERSHIP_PAUSE, 2 ** Math.min(6, Math.max(0, ...attemptsOf(batch)))))
      );
      return "sent";
    case "nothing": {
      // Promise 14: an answer about nothing is asked for again, ever more slowly; the watchdog does the rest.
      restraint.nothings += 1;
      const wait = backoffMillis(restraint.nothings, yield* Random.next, policy.backoff);
      yield* Effect.sleep(Duration.millis(wait));
      return "sent";
    }
  }
});

/** A push that was refused as a whole: smaller ones next, and when one entry is alone it is the one. */
const blame = Effect.fnUntraced(function* (
  conversation: Conversation,
  batch: ReadonlyArray<OutgoingRecord>,
  { code, tooLarge }: Extract<FailureClass, { readonly type: "batch" }>,
): Effect.fn.Return<void, ConnectionFailure> {
  const [only] = batch;
  if (batch.length > 1 || only === undefined) {
    yield* loseAnswers(conversation);
    conversation.restraint.batchEntries = Math.max(1, Math.ceil(batch.length / 2));
    return;
  }
  if (only.kind === EntryKind.void) return yield* new BatchRefused({ code, tooLarge });
  const refusal = tooLarge ? ("too-large" as const) : ("invalid" as const);
  yield* refuse(conversation, only, {
    event: tooLarge ? "too-large" : "refused",
    code: refusal,
    message: `the server answers ${code}`,
  });
  conversation.onOutbox();
  if (!tooLarge) {
    const wait = backoffMillis(only.attempts + 1, yield* Random.next, conversation.policy.backoff);
    yield* Effect.sleep(Duration.millis(wait));
  }
});

const isStoreProblem = (failure: WireError | Unreachable | StoreFailure | Fenced): failure is StoreFailure | Fenced =>
  failure._tag === "StoreFailure" || failure._tag === "Fenced";

const upload = (conversation: Conversation, hashes: ReadonlyArray<Hash>) =>
  uploadChunks(conversation.store, conversation.context, conversation.calls, conversation.sessions, hashes, () => {
    conversation.status.uploaded();
    conversation.onUploaded();
  });

/** The next chunk of a document. One that the server will never take parks the document, and no other one (hazard 15). */
const uploadFirst = Effect.fnUntraced(function* (
  conversation: Conversation,
  { document, chunks }: Lacking,
): Effect.fn.Return<void, ConnectionFailure> {
  const uploaded = yield* Effect.result(upload(conversation, chunks.slice(0, 1)));
  if (uploaded._tag === "Success") return;
  const { failure } = uploaded;
  if (failure._tag === "StoreFailure" || failure._tag === "Unreachable") return yield* Effect.fail(failure);
  const [first] = chunks;
  if (failure._tag === "QuotaExceeded" && first !== undefined) {
    const chunk = yield* conversation.store.chunk(conversation.context.workspace, first);
    return yield* waitForRoom(conversation, chunk?.bytes.length ?? 1);
  }
  const verdict = classifyFailure(failure, true);
  if (verdict.type !== "batch" && failure.code !== "chunk-mismatch") return yield* Effect.fail(failure);
  const waiting = yield* conversation.store.pendingUpdates(conversation.context.workspace, document);
  const through = waiting.find(({ refs }) => chunks.some((hash) => refs.includes(hash)))?.id ?? 0;
  yield* park(conversation, document, through, failure.code, "the server does not take a piece of an attachment");
  conversation.onOutbox();
});

/** When to look again: not all devices of a full workspace at once (hazard 22). */
const probeLater = Effect.fnUntraced(function* ({ restraint, policy, status }: Conversation): Effect.fn.Return<void> {
  const now = yield* Clock.currentTimeMillis;
  restraint.probeAt = now + policy.probeMillis * (0.5 + 0.5 * (yield* Random.next));
  status.setNextAttempt(restraint.probeAt);
});

/** Hazard 7: what found no room waits, is shown, and goes out by itself when there is some. */
const waitForRoom = Effect.fnUntraced(function* (conversation: Conversation, bytes: number): Effect.fn.Return<void> {
  conversation.restraint.noRoomFor = bytes;
  yield* conversation.status.tell({ type: "no-room" }, "quota-exceeded");
  yield* probeLater(conversation);
});

const stop = Effect.fnUntraced(function* (conversation: Conversation, code: CairnErrorCode): Effect.fn.Return<void> {
  conversation.restraint.stopped = code;
  yield* conversation.status.tell({ type: "stopped" }, code);
  yield* probeLater(conversation);
});

/** Looks again at what held the outbox back, when it is time. */
const probe = Effect.fnUntraced(function* (conversation: Conversation): Effect.fn.Return<void, ConnectionFailure> {
  const { calls, sessions, context, restraint, status } = conversation;
  const now = yield* Clock.currentTimeMillis;
  if (restraint.probeAt === undefined || now < restraint.probeAt) return;
  restraint.probeAt = undefined;
  status.setNextAttempt(undefined);
  if (restraint.stopped !== undefined) {
    restraint.stopped = undefined;
    yield* status.tell({ type: "allowed" });
  }
  if (restraint.noRoomFor === undefined) return;
  // Asking costs less than sending what may be refused again.
  const { token } = yield* sessions.current;
  const { usage } = yield* calls.state(context.workspace, token);
  const used = usage.entriesBytes + usage.attachmentsBytes + restraint.noRoomFor;
  if (usage.quotaBytes > 0 && used > usage.quotaBytes) return yield* probeLater(conversation);
  restraint.noRoomFor = undefined;
  yield* status.tell({ type: "room" });
});

/** Waits until it is time to look again, or until `signal`. */
export const untilProbe = <A>({ restraint }: Conversation, signal: Effect.Effect<A>): Effect.Effect<void> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.asVoid(
      restraint.probeAt === undefined
        ? signal
        : Effect.raceFirst(Effect.sleep(Duration.millis(Math.max(0, restraint.probeAt - now))), signal),
    ),
  );
