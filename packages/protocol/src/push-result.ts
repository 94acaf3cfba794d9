/**
 * The server's answer to a push: one result for each entry of the batch, in the batch's order (rules 2, 3, 4, 8).
 */
import { Schema } from "effect";
import { DeviceId, Hash } from "./ids.ts";
import { LIMITS } from "./limits.ts";

const Counter = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0));
const Seq = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1));

/**
 * Why one entry was refused. All but `gap`, `refs-missing` and `quota-exceeded` are definite: the entry will never be
 * taken as it is, and its author replaces it under its counter by a `void` (rule 4); a membership entry that came too
 * late is proposed again.
 *
 * - `gap`: the server expects `expected` next from this device; send from there.
 * - `key-epoch`: sealed under an old key; seal anew under `expected` (rule 21).
 * - `refs-missing`: attachment chunks are not there (`missing`); upload them, then send the entry again unchanged.
 * - `membership-head`: `prev` is not the chain's head (`head`); pull and propose again (rule 19).
 * - `not-a-member`, `role`: the author may not write such an entry.
 * - `covers`: a snapshot claims entries that the server never had (rule 26).
 * - `document-purged`: the document is gone for good (rule 27).
 * - `signature`: the author's signature does not verify.
 * - `quota-exceeded`: no room; the entry stays in the outbox until there is.
 * - `invalid`: the entry breaks a rule of its kind.
 */
export const RefusalCode = Schema.Literals([
  "gap",
  "key-epoch",
  "refs-missing",
  "membership-head",
  "not-a-member",
  "role",
  "covers",
  "document-purged",
  "signature",
  "quota-exceeded",
  "too-large",
  "invalid",
]);
export type RefusalCode = typeof RefusalCode.Type;

const identity = { device: DeviceId, counter: Counter };

/** What became of one entry. */
export const PushResult = Schema.Union([
  /** Committed at `seq` (Promise 1). */
  Schema.Struct({ status: Schema.Literal("stored"), ...identity, seq: Seq }),
  /** Was here already, with the same bytes. `seq` is absent where it was pruned since ("settled", rule 2). */
  Schema.Struct({ status: Schema.Literal("duplicate"), ...identity, seq: Schema.optional(Seq) }),
  /** Another entry has this identity (rule 3). `hash` is that entry's, where it is still known. */
  Schema.Struct({
    status: Schema.Literal("identity-conflict"),
    ...identity,
    seq: Schema.optional(Seq),
    hash: Schema.optional(Hash),
  }),
  Schema.Struct({
    status: Schema.Literal("refused"),
    ...identity,
    code: RefusalCode,
    message: Schema.String.check(Schema.isMaxLength(500)),
    /** `gap`: the next counter. `key-epoch`: the current epoch. */
    expected: Schema.optional(Counter),
    /** `refs-missing`: the chunks that are not there. */
    missing: Schema.optional(Schema.Array(Hash).check(Schema.isMaxLength(LIMITS.refs))),
    /** `membership-head`: the chain's head. */
    head: Schema.optional(Hash),
  }),
  /** Not looked at, because an earlier entry of the same device was not taken. */
  Schema.Struct({ status: Schema.Literal("skipped"), ...identity }),
]);
export type PushResult = typeof PushResult.Type;

/** The answer to one batch: its results, and the log as this commit left it (rule 11). */
export const PushResponse = Schema.Struct({
  results: Schema.Array(PushResult).check(Schema.isMaxLength(LIMITS.batchEntries)),
  head: Counter,
  /** The running hash at `head`. */
  chain: Hash,
});
export type PushResponse = typeof PushResponse.Type;
