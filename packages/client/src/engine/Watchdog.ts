/**
 * The watchdog at work (Promise 14): looks at the store now and then, because nobody tells of what a tab stored right before
 * it died; and when nothing moves in the outbox says so with a diagnosis and has it repaired. Whether it is a stall, and what
 * to try, `@cairn/sync` decides.
 */
import type { WorkspaceId } from "@cairn/protocol";
import { INITIAL_WATCH, type Repair, type SyncPolicy, watch, type Watch } from "@cairn/sync";
import { Clock, Duration, Effect } from "effect";
import type { StallDiagnosis } from "../sync-api.ts";
import type { Restraint } from "./Conversation.ts";
import type { SyncStatus } from "./SyncStatus.ts";

export interface WatchdogOptions {
  readonly status: SyncStatus;
  readonly policy: SyncPolicy;
  readonly workspace: WorkspaceId;
  readonly restraint: Restraint;
  readonly overHttp: () => boolean;
  /** Finds what waits in the store, whoever put it there. */
  readonly look: Effect.Effect<void>;
  readonly repair: (step: Repair) => void;
}

/** Looks this many times within the time that makes a stall. */
const LOOKS = 4;

/** Runs as long as somebody leads. */
export const watchOutbox = Effect.fnUntraced(function* (options: WatchdogOptions): Effect.fn.Return<never> {
  const { status, policy, restraint } = options;
  let watched: Watch = INITIAL_WATCH;
  for (;;) {
    yield* Effect.sleep(Duration.millis(policy.stallMillis / LOOKS));
    yield* options.look;
    const facts = status.facts();
    const seen = {
      now: yield* Clock.currentTimeMillis,
      connected: facts.link === "up",
      pending: status.state().pendingDocuments > 0 && !facts.paused && !facts.full && !facts.stopped && facts.server,
      movements: status.movements(),
    };
    const verdict = watch(watched, seen, policy.stallMillis);
    watched = verdict.watch;
    if (verdict.stalledMillis === undefined || verdict.repair === undefined) continue;
    const { states, bytes, entries } = status.outbox();
    const diagnosis: StallDiagnosis = {
      idleMillis: verdict.stalledMillis,
      transport: options.overHttp() ? "http" : "live",
      states,
      bytes,
      oldestCounter: entries.find(({ counter }) => counter !== undefined)?.counter,
      lastAnswer: restraint.nothings > 0 ? `${restraint.nothings} answers about nothing` : "none that moved anything",
      repair: verdict.repair,
    };
    yield* Effect.logWarning("the outbox does not move").pipe(
      Effect.annotateLogs({ workspace: options.workspace, diagnosis }),
    );
    yield* status.stalled(diagnosis);
    yield* status.tell({ type: "stalled" });
    yield* status.connection("stalled", verdict.repair);
    options.repair(verdict.repair);
  }
});
