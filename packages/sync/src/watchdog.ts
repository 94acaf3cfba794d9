/**
 * The watchdog (Promise 14, hazard 17): connected, something pending, and nothing moving for too long is a stall. It says
 * so and what to try, one thing after the other. Pure: the caller reads the clock, counts movements, and repairs.
 */

/** What to try against a stall, in this order: the last one is repeated. */
export const REPAIRS = ["reconnect", "http", "compare"] as const;
/** `reconnect`: a new connection. `http`: push and pull by plain requests. `compare`: ask the server what it has, and supply. */
export type Repair = (typeof REPAIRS)[number];

export interface Watch {
  /** Since when nothing has moved though it could; undefined while nothing has to. */
  readonly since: number | undefined;
  /** The count of movements that was seen last. */
  readonly movements: number;
  /** Repairs that were tried in this stall. */
  readonly repairs: number;
}

export const INITIAL_WATCH: Watch = { since: undefined, movements: 0, repairs: 0 };

/** What is seen now. */
export interface Sighting {
  /** Any clock that goes forward, in milliseconds. */
  readonly now: number;
  readonly connected: boolean;
  /** Something waits that nothing known holds back: no pause, no missing room, no dead letter. */
  readonly pending: boolean;
  /** Grows with every acknowledged entry and chunk. */
  readonly movements: number;
}

export interface Verdict {
  readonly watch: Watch;
  /** A stall goes on for this long; undefined where there is none. */
  readonly stalledMillis: number | undefined;
  /** To be tried now. */
  readonly repair: Repair | undefined;
}

/** Looks once. A repair is due each time that another `stallMillis` have passed without a movement. */
export const watch = (before: Watch, seen: Sighting, stallMillis: number): Verdict => {
  const { now, movements } = seen;
  if (!seen.pending || movements !== before.movements) {
    const since = seen.pending ? now : undefined;
    return { watch: { since, movements, repairs: 0 }, stalledMillis: undefined, repair: undefined };
  }
  if (!seen.connected) {
    // Offline is no stall. But the moment without connection in the middle of a repair does not end one.
    const since = before.repairs > 0 ? before.since : undefined;
    return { watch: { ...before, since }, stalledMillis: undefined, repair: undefined };
  }
  // A clock that was set back begins anew, and never reports too early.
  const since = before.since === undefined || before.since > now ? now : before.since;
  const idle = now - since;
  const due = Math.floor(idle / stallMillis) > before.repairs;
  const repairs = before.repairs + (due ? 1 : 0);
  return {
    watch: { since, movements, repairs },
    stalledMillis: repairs > 0 ? idle : undefined,
    repair: due ? REPAIRS[Math.min(repairs, REPAIRS.length) - 1] : undefined,
  };
};
