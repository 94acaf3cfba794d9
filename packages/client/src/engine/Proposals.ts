/** What an owner's device adds to the membership chain: proposed online, against the chain's current head (rule 20). */
import { currentRole, type MembershipState, proposeMembership } from "@cairn/crypto";
import { type Entry, entryHash, EntryKind, type MembershipRecord, NO_DOCUMENT } from "@cairn/protocol";
import { freezing } from "@cairn/sync";
import { Clock, Duration, Effect } from "effect";
import { CairnError } from "../errors.ts";
import type { Fence } from "../store/store-changes.ts";
import type { Fenced, LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import type { ServerCalls, TransportFailure } from "../transport/Transport.ts";
import { attempt } from "./failures.ts";
import { isOfRegistration } from "./Invitation.ts";
import type { SessionKeeper } from "./Session.ts";
import type { WorkspaceContext } from "./WorkspaceContext.ts";
import type { WorkspaceRuntime } from "./WorkspaceRuntime.ts";

/** Puts a membership entry with these records into the outbox, behind the head of the chain that they were made for. */
const propose = Effect.fnUntraced(
  function* (
    store: LocalStoreShape,
    context: WorkspaceContext,
    fence: Fence,
    membership: MembershipState,
    records: ReadonlyArray<MembershipRecord>,
  ): Effect.fn.Return<Entry, StoreFailure | Fenced | CairnError> {
    const position = yield* store.position(context.workspace);
    if (position === undefined) return yield* Effect.fail(new CairnError("workspace-not-here"));
    const entry = yield* attempt(() =>
      proposeMembership(membership, records, {
        device: context.device,
        counter: position.nextCounter,
        signing: context.keys.signing,
      }),
    );
    const now = yield* Clock.currentTimeMillis;
    yield* store.freeze(context.workspace, fence, [
      {
        device: context.device,
        counter: entry.header.counter,
        document: NO_DOCUMENT,
        kind: EntryKind.membership,
        entry: entry.bytes,
        hash: entryHash(entry.bytes),
        refs: [],
        frozen: freezing(0),
        frozenAt: now,
        updates: [],
      },
    ]);
    return entry;
  },
  (effect, _store, context) => context.authoring.withPermits(1)(effect),
);

/** What an owner's work on membership needs. */
export interface OwnerWork {
  readonly store: LocalStoreShape;
  readonly runtime: WorkspaceRuntime;
  readonly calls: ServerCalls;
  readonly sessions: SessionKeeper;
}

/** How often a proposal that came behind another one is made again. */
const MAX_PROPOSALS = 5;
const SETTLE_TIMEOUT = Duration.seconds(20);
/** Milliseconds before it is looked again, at first and at most. */
const LOOK_AGAIN = { first: 10, most: 160 };

const lookAgain = (looks: number): Effect.Effect<void> =>
  Effect.sleep(Duration.millis(Math.min(LOOK_AGAIN.most, LOOK_AGAIN.first * 2 ** looks)));

/** Waits until the log has the entry of this counter, and says whether it is still the one that was proposed. */
const settled = Effect.fnUntraced(function* ({ store, runtime }: OwnerWork, counter: number) {
  const { workspace, device } = runtime.context;
  for (let looks = 0; ; looks += 1) {
    const [record] = yield* store.logOf(workspace, device, counter, 1);
    if (record?.counter !== counter || record.kind !== EntryKind.membership) return false;
    if (record.seq !== undefined) return true;
    yield* lookAgain(looks);
  }
});

/** Only an owner's device may change who is in. */
export const requireOwner = ({ context }: WorkspaceRuntime): Effect.Effect<void, CairnError> =>
  currentRole(context.membership, context.device) === "owner"
    ? Effect.void
    : Effect.fail(new CairnError("owner-required"));

/**
 * Waits until whoever leads talks with the server, because what is frozen before that cannot be taken back. Fails at once
 * with the problem that stands in the way.
 */
const conversing = Effect.fnUntraced(function* ({ runtime, calls }: OwnerWork) {
  const before = runtime.status.state();
  if (before.status === "offline" || (before.problem !== undefined && isOfRegistration(before.problem.code))) {
    // That was the last attempt; whether it still holds is asked now.
    yield* calls.describe;
    runtime.driver.retryNow();
  }
  for (let looks = 0; ; looks += 1) {
    const fence = runtime.fence();
    const { status, problem } = runtime.status.state();
    if (fence === undefined || status === "local-only") return yield* Effect.fail(new CairnError("offline"));
    if (problem !== undefined && problem.action !== "retry" && !isOfRegistration(problem.code)) {
      return yield* Effect.fail(new CairnError(problem.code, problem.message));
    }
    if (status === "paused") return yield* Effect.fail(new CairnError("sync-paused"));
    if (status === "syncing" || status === "up-to-date") return fence;
    yield* lookAgain(looks);
  }
});

export interface Proposal {
  /** None, where the chain turns out to say as much already. */
  readonly records: ReadonlyArray<MembershipRecord>;
}

/**
 * Proposes records until the chain has them (rule 20), and returns the proposal that it has. Fails with `offline` where the
 * server cannot be asked now.
 *
 * @param make makes the records anew for each proposal, for the chain as it is given. What others add meanwhile refuses the
 *   proposal: a new key would else be sealed to everybody but the device that has just come in.
 */
export const proposeAndSettle = Effect.fnUntraced(function* <P extends Proposal>(
  work: OwnerWork,
  make: (membership: MembershipState) => Effect.Effect<P, CairnError>,
): Effect.fn.Return<P, StoreFailure | Fenced | CairnError | TransportFailure> {
  const { store, runtime } = work;
  for (let attempts = 0; attempts < MAX_PROPOSALS; attempts += 1) {
    const fence = yield* conversing(work).pipe(
      Effect.timeoutOrElse({ duration: SETTLE_TIMEOUT, orElse: () => Effect.fail(new CairnError("unavailable")) }),
    );
    const { membership } = runtime.context;
    const proposal = yield* make(membership);
    if (proposal.records.length === 0) return proposal;
    const entry = yield* propose(store, runtime.context, fence, membership, proposal.records);
    runtime.status.setStale();
    runtime.driver.wake();
    const taken = yield* settled(work, entry.header.counter).pipe(
      Effect.timeoutOrElse({ duration: SETTLE_TIMEOUT, orElse: () => Effect.fail(new CairnError("offline")) }),
    );
    if (taken) return proposal;
  }
  return yield* Effect.fail(new CairnError("unavailable"));
});
