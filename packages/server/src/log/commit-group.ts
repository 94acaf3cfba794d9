/**
 * A group of pushes on its way into a workspace's log, whatever stores it: admitted, decided and answered. An adapter adds
 * what is between: the lock, the state that is read under it, and the write.
 */
import { type Entry, type GrantId, LIMITS, type PushResponse, type WorkspaceId } from "@cairn/protocol";
import { Effect } from "effect";
import type { Committed } from "../fan-out/FanOut.ts";
import { refuse } from "../refusals.ts";
import type { VerifySignature } from "../signatures.ts";
import { decide, prepareEntry } from "./decide.ts";
import type { EntryLogShape, Pusher, PushError } from "./EntryLog.ts";
import { makeGroupCommit } from "./GroupCommit.ts";
import type { LockedGrant } from "./locked-state.ts";
import type { Decision, LogState, PreparedEntry } from "./log-state.ts";

/** A batch that was looked at before the lock is taken. */
export interface PreparedPush {
  readonly pusher: Pusher;
  readonly entries: ReadonlyArray<PreparedEntry>;
  readonly bytes: number;
}

/** What happened to one push of a group. */
export type Answer =
  | { readonly type: "response"; readonly response: PushResponse }
  | { readonly type: "refused"; readonly code: "revoked" | "grant-expired" | "read-only" };

/** A group, decided: what to write, what to tell the pushers, what to tell everybody else after the commit. */
export interface DecidedGroup {
  readonly decision: Decision;
  readonly answers: ReadonlyArray<Answer>;
  readonly committed: Committed;
}

/** Bytes of batches that wait for a commit in the whole process. */
const MAX_WAITING_BYTES = 128 * 1024 * 1024;

/** Decides pushes on what was read under the lock. `now` is in milliseconds since 1970. */
export const decideGroup = (
  locked: { readonly state: LogState; readonly grants: ReadonlyMap<GrantId, LockedGrant> },
  pushes: ReadonlyArray<PreparedPush>,
  now: number,
  verify: VerifySignature,
): DecidedGroup => {
  // Promise 8: a grant that was withdrawn before this lock was taken is seen here, whatever the token says.
  const admitted = pushes.map((push) => ({ push, grant: locked.grants.get(push.pusher.grant) }));
  const refusals = admitted.map(({ grant }) => {
    if (grant === undefined || grant.revoked) return "revoked";
    return grant.expiresAt !== undefined && grant.expiresAt <= now ? "grant-expired" : undefined;
  });
  const decision = decide(
    locked.state,
    admitted.flatMap(({ push, grant }, index) =>
      grant === undefined || refusals[index] !== undefined
        ? []
        : [{ device: push.pusher.device, role: grant.role, entries: push.entries }],
    ),
    verify,
  );
  const { head, chain } = decision.next;
  const outcomes = decision.outcomes.values();
  const answers = refusals.map((code): Answer => {
    if (code !== undefined) return { type: "refused", code };
    const { value: outcome } = outcomes.next();
    if (outcome === undefined) throw new Error("a decision has an outcome for every push");
    return outcome.type === "refused"
      ? outcome
      : { type: "response", response: { results: [...outcome.results], head, chain } };
  });
  return {
    decision,
    answers,
    committed: {
      after: locked.state.head,
      until: head,
      chain,
      entries: decision.rows.map(({ seq, hash, entry }) => ({
        seq,
        hash,
        device: entry.header.device,
        counter: entry.header.counter,
        bytes: entry.bytes,
      })),
    },
  };
};

/** `EntryLog.push` over a commit: pushes of one workspace that arrive while a commit is under way go together. */
export const makePush = (
  commit: (
    workspace: WorkspaceId,
    pushes: ReadonlyArray<PreparedPush>,
  ) => Effect.Effect<ReadonlyArray<Answer>, PushError>,
): EntryLogShape["push"] => {
  const submit = makeGroupCommit<WorkspaceId, PreparedPush, Answer, PushError>({
    commit,
    weigh: ({ bytes }) => bytes,
    maxWeight: LIMITS.batchBytes,
    maxWaiting: MAX_WAITING_BYTES,
    refuse: refuse("unavailable", { retryAfter: 1, message: "Too much is being written right now." }),
  });
  return Effect.fnUntraced(function* (pusher: Pusher, batch: ReadonlyArray<Entry>) {
    if (batch.some(({ header }) => header.workspace !== pusher.workspace)) {
      return yield* refuse("wrong-workspace", { message: "The batch has an entry of another workspace." });
    }
    const entries = batch.map(prepareEntry);
    const bytes = batch.reduce((sum, entry) => sum + entry.bytes.length, 0);
    const answer = yield* submit(pusher.workspace, { pusher, entries, bytes });
    return answer.type === "response" ? answer.response : yield* refuse(answer.code);
  });
};
