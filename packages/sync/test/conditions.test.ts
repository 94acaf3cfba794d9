import { ERROR_CATALOGUE, type ErrorCode } from "@cairn/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  backoffMillis,
  classifyFailure,
  conditionOf,
  INITIAL_FACTS,
  INITIAL_WATCH,
  MAX_RETRY_AFTER_SECONDS,
  nextFacts,
  policyOf,
  REPAIRS,
  type Sighting,
  SYNC_CONDITIONS,
  type SyncEvent,
  watch,
} from "../src/index.ts";

const event: fc.Arbitrary<SyncEvent> = fc.oneof(
  fc.record({ type: fc.constant("server-named" as const), named: fc.boolean() }),
  fc.record({ type: fc.constant("connected" as const), withheld: fc.boolean() }),
  fc.record({
    type: fc.constantFrom(
      "paused" as const,
      "resumed" as const,
      "connecting" as const,
      "unreachable" as const,
      "token-refused" as const,
      "asked-to-wait" as const,
      "stopped" as const,
      "allowed" as const,
      "no-room" as const,
      "room" as const,
      "moved" as const,
      "stalled" as const,
    ),
  }),
);

type Step = Exclude<SyncEvent["type"], "server-named" | "connected"> | "connected" | "connected-withheld";

const after = (...steps: ReadonlyArray<Step>) => {
  let facts = { ...INITIAL_FACTS, server: true };
  for (const step of steps) {
    const isConnected = step === "connected" || step === "connected-withheld";
    facts = nextFacts(facts, isConnected ? { type: "connected", withheld: step !== "connected" } : { type: step });
  }
  return conditionOf(facts);
};

describe("the condition of a workspace", () => {
  it("is total, and what a person wants comes first", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        let facts = { ...INITIAL_FACTS, server: true };
        for (const each of events) {
          facts = nextFacts(facts, each);
          expect(SYNC_CONDITIONS).toContain(conditionOf(facts));
          if (!facts.server) expect(conditionOf(facts)).toBe("LOCAL_ONLY");
          else if (facts.paused) expect(conditionOf(facts)).toBe("PAUSED");
        }
      }),
    );
  });

  it.each([
    [["connected"], "LIVE"],
    [["connected", "unreachable"], "OFFLINE"],
    [["connected", "unreachable", "connecting"], "CONNECTING"],
    [["connected", "token-refused"], "WAITING_FOR_TOKEN"],
    [["connected", "asked-to-wait"], "BACKING_OFF"],
    [["connected", "no-room"], "QUOTA"],
    [["connected", "no-room", "room"], "LIVE"],
    [["connected", "no-room", "moved"], "LIVE"],
    // Full stays full over a reconnection: nothing has disproved it.
    [["connected", "no-room", "unreachable", "connecting", "connected"], "QUOTA"],
    [["connected", "stopped"], "STOPPED"],
    [["connected", "stopped", "allowed"], "LIVE"],
    [["connecting", "stopped", "connected"], "LIVE"],
    [["connected", "stopped", "unreachable", "connected-withheld"], "STOPPED"],
    [["connected-withheld"], "LIVE"],
    [["connected", "stalled"], "STALLED"],
    [["connected", "stalled", "moved"], "LIVE"],
    // Hazard 17 is about connections: offline, full and stopped are no stall.
    [["unreachable", "stalled", "connected"], "LIVE"],
    [["connected", "no-room", "stalled", "room"], "LIVE"],
    [["connected", "paused"], "PAUSED"],
    [["connected", "paused", "stalled", "resumed"], "CONNECTING"],
  ] as const)("%j is %s", (events, expected) => {
    expect(after(...events)).toBe(expected);
  });
});

describe("failed calls", () => {
  const codes = Object.keys(ERROR_CATALOGUE).filter((code): code is ErrorCode => code in ERROR_CATALOGUE);

  it("hazard 16: every code of the wire has a class, in a push and elsewhere", () => {
    expect(codes.length).toBeGreaterThan(30);
    for (const code of codes) {
      for (const pushing of [true, false]) {
        const { type } = classifyFailure({ code, action: ERROR_CATALOGUE[code].action }, pushing);
        // What the catalogue calls passing is never taken for final.
        if (ERROR_CATALOGUE[code].action === "retry") expect(type).toBe("wait");
        if (!pushing) expect(type).not.toBe("batch");
      }
    }
  });

  it("no network is not an error", () => {
    expect(classifyFailure(undefined, true)).toEqual({ type: "offline" });
  });

  it.each([
    ["token-expired", { type: "token" }],
    ["revoked", { type: "stopped", code: "revoked", recheck: false }],
    ["read-only", { type: "stopped", code: "read-only", recheck: false }],
    ["diverged", { type: "diverged" }],
    ["too-large", { type: "batch", code: "too-large", tooLarge: true }],
    ["malformed", { type: "batch", code: "malformed", tooLarge: false }],
    ["quota-exceeded", { type: "no-room" }],
    ["internal", { type: "wait", retryAfterSeconds: undefined }],
  ] as const)("%s", (code, expected) => {
    expect(classifyFailure({ code, action: ERROR_CATALOGUE[code].action }, true)).toEqual(expected);
  });

  it("hazard 22: Retry-After is obeyed, within reason", () => {
    const wait = (retryAfter: number) => classifyFailure({ code: "rate-limited", action: "retry", retryAfter }, true);
    expect(wait(12)).toEqual({ type: "wait", retryAfterSeconds: 12 });
    expect(wait(1e9)).toEqual({ type: "wait", retryAfterSeconds: MAX_RETRY_AFTER_SECONDS });
    for (const nonsense of [-1, 0, Number.NaN]) {
      expect(wait(nonsense)).toEqual({ type: "wait", retryAfterSeconds: undefined });
    }
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat({ max: 3_600 }), (random, seconds) => {
        expect(backoffMillis(1, random, undefined, seconds)).toBeGreaterThanOrEqual(seconds * 1_000);
      }),
    );
  });
});

describe("the policy", () => {
  it("works whatever an app says", () => {
    const any = fc.option(fc.double(), { nil: undefined });
    fc.assert(
      fc.property(any, any, any, any, any, (base, ceiling, attempts, stall, entries) => {
        const policy = policyOf({
          backoff: { baseMillis: base, ceilingMillis: ceiling },
          attempts,
          stallMillis: stall,
          probeMillis: stall,
          batch: { entries, bytes: base },
        });
        expect(policy.backoff.baseMillis).toBeGreaterThan(0);
        expect(policy.backoff.ceilingMillis).toBeGreaterThanOrEqual(policy.backoff.baseMillis);
        for (const number of [policy.attempts, policy.batch.entries]) {
          expect(Number.isInteger(number)).toBe(true);
          expect(number).toBeGreaterThanOrEqual(1);
        }
        expect(policy.stallMillis).toBeGreaterThan(0);
        expect(policy.batch.bytes).toBeGreaterThan(0);
      }),
    );
  });
});

describe("hazard 17: the watchdog", () => {
  const STALL = 1_000;
  const look = (sightings: ReadonlyArray<Partial<Sighting>>) => {
    let watched = INITIAL_WATCH;
    return sightings.map((sighting) => {
      const verdict = watch(watched, { now: 0, connected: true, pending: true, movements: 0, ...sighting }, STALL);
      watched = verdict.watch;
      return verdict;
    });
  };

  it("connected, pending and nothing moving for long enough is a stall, and is repaired in one way after the other", () => {
    const verdicts = look([0, 999, 1_000, 1_500, 2_000, 3_000, 4_000].map((now) => ({ now })));
    expect(verdicts.map(({ repair }) => repair)).toEqual([
      undefined,
      undefined,
      REPAIRS[0],
      undefined,
      REPAIRS[1],
      REPAIRS[2],
      REPAIRS[2],
    ]);
    expect(verdicts.map(({ stalledMillis }) => stalledMillis)).toEqual([
      undefined,
      undefined,
      1_000,
      1_500,
      2_000,
      3_000,
      4_000,
    ]);
  });

  it("a movement ends a stall, and so does having nothing to do", () => {
    for (const end of [{ movements: 1 }, { pending: false }]) {
      const verdicts = look([{ now: 0 }, { now: 1_000 }, { now: 1_100, ...end }, { now: 1_900, ...end }]);
      expect(verdicts[1]?.repair).toBe("reconnect");
      expect(verdicts.slice(2).map(({ stalledMillis }) => stalledMillis)).toEqual([undefined, undefined]);
    }
  });

  it("offline is no stall, also not right after it", () => {
    const verdicts = look([{ now: 0 }, { now: 900, connected: false }, { now: 9_000 }, { now: 9_900 }]);
    expect(verdicts.every(({ repair }) => repair === undefined)).toBe(true);
  });

  it("the moment without a connection in the middle of a repair does not begin anew", () => {
    const verdicts = look([{ now: 0 }, { now: 1_000 }, { now: 1_200, connected: false }, { now: 2_000 }]);
    expect(verdicts[3]?.repair).toBe(REPAIRS[1]);
  });

  it("hazard 21: a clock that jumps never reports a stall of an outbox that moves", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 1e9 }), { maxLength: 50 }), (times) => {
        const verdicts = look(times.map((now, movements) => ({ now, movements })));
        expect(verdicts.every(({ repair }) => repair === undefined)).toBe(true);
      }),
    );
  });
});
