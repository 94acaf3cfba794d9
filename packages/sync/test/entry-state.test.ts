import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ENTRY_EVENTS,
  ENTRY_STATES,
  type EntryEvent,
  type EntryStanding,
  type EntryState,
  transition,
} from "../src/index.ts";

const standing: fc.Arbitrary<EntryStanding> = fc.record({
  state: fc.constantFrom(...ENTRY_STATES),
  attempts: fc.nat({ max: 20 }),
});
const event = fc.constantFrom(...ENTRY_EVENTS);
const limit = fc.integer({ min: 1, max: 12 });

const everyCase = (check: (from: EntryStanding, event: EntryEvent, limit: number) => void): void =>
  fc.assert(fc.property(standing, event, limit, check), { numRuns: 5_000 });

/** The same table, written down a second time: what each event makes of each state, in the order of `ENTRY_STATES`. */
const EXPECTED: Readonly<Record<EntryEvent, ReadonlyArray<EntryState | "GONE" | "-">>> = {
  frozen: ["IN_FLIGHT", "-", "-", "-", "-", "-"],
  sent: ["-", "-", "-", "IN_FLIGHT", "-", "-"],
  unanswered: ["-", "RETRYABLE_ERROR", "-", "-", "-", "-"],
  recovered: ["-", "RETRYABLE_ERROR", "-", "-", "-", "-"],
  acknowledged: ["-", "SYNCED", "-", "SYNCED", "SYNCED", "-"],
  refused: ["-", "RETRYABLE_ERROR", "-", "RETRYABLE_ERROR", "-", "-"],
  outdated: ["-", "PENDING", "-", "PENDING", "-", "-"],
  "no-room": ["-", "PENDING", "-", "PENDING", "-", "-"],
  "too-large": ["-", "PENDING", "-", "PENDING", "-", "-"],
  never: ["-", "FATAL_ERROR", "-", "FATAL_ERROR", "-", "-"],
  voided: ["-", "-", "-", "-", "DEAD_LETTER", "-"],
  unsendable: ["DEAD_LETTER", "-", "-", "-", "-", "-"],
  retried: ["-", "-", "-", "-", "-", "PENDING"],
  discarded: ["-", "-", "-", "-", "-", "GONE"],
};

describe("the state of an entry", () => {
  it.each(ENTRY_EVENTS.flatMap((event) => ENTRY_STATES.map((state, index) => ({ event, state, index }))))(
    "$event of what is $state",
    ({ event, state, index }) => {
      expect(transition({ state, attempts: 0 }, event, 100)?.to ?? "-").toBe(EXPECTED[event][index]);
    },
  );

  it("is total: every event has a meaning in every state, and says where it began", () => {
    expect(ENTRY_EVENTS.length * ENTRY_STATES.length).toBe(84);
    everyCase((from, event, limit) => {
      const decided = transition(from, event, limit);
      if (decided === undefined) return;
      expect(decided.from).toBe(from.state);
      expect(decided.event).toBe(event);
      expect([...ENTRY_STATES, "GONE"]).toContain(decided.to);
      expect(decided.attempts).toBeGreaterThanOrEqual(0);
    });
  });

  it("rule 30: only a definite refusal uses up an attempt, and only a person gives them back", () => {
    expect(transition({ state: "IN_FLIGHT", attempts: 2 }, "refused")?.attempts).toBe(3);
    everyCase((from, event, limit) => {
      const decided = transition(from, event, limit);
      if (decided === undefined) return;
      const definite = event === "refused" || event === "outdated";
      if (event === "retried") expect(decided.attempts).toBe(0);
      else expect(decided.attempts).toBe(from.attempts + (definite ? 1 : 0));
    });
  });

  it("hazard 16: no network, no answer, no room and no restart ever park an entry", () => {
    const harmless = ["frozen", "sent", "unanswered", "recovered", "no-room", "too-large"] as const;
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...harmless), { maxLength: 200 }), limit, (events, limit) => {
        let current: EntryStanding = { state: "PENDING", attempts: 0 };
        for (const event of events) {
          const decided = transition(current, event, limit);
          if (decided === undefined || decided.to === "GONE") continue;
          current = { state: decided.to, attempts: decided.attempts };
        }
        expect(current.attempts).toBe(0);
        expect(["PENDING", "IN_FLIGHT", "RETRYABLE_ERROR"]).toContain(current.state);
      }),
    );
  });

  it("the last attempt makes a FATAL_ERROR, whatever the limit", () => {
    fc.assert(
      fc.property(limit, fc.constantFrom("refused" as const, "outdated" as const), (limit, event) => {
        let attempts = 0;
        for (let refusals = 1; refusals <= limit; refusals += 1) {
          const decided = transition({ state: "IN_FLIGHT", attempts }, event, limit);
          attempts = decided?.attempts ?? 0;
          expect(decided?.to === "FATAL_ERROR").toBe(refusals === limit);
        }
      }),
    );
  });

  it("a DEAD_LETTER leaves by a person's action alone, and SYNCED is for good", () => {
    expect(transition({ state: "DEAD_LETTER", attempts: 8 }, "acknowledged")).toBeUndefined();
    everyCase((from, event, limit) => {
      const decided = transition(from, event, limit);
      if (from.state === "SYNCED") expect(decided).toBeUndefined();
      if (from.state === "DEAD_LETTER")
        expect(decided !== undefined).toBe(event === "retried" || event === "discarded");
    });
  });

  it("Promise 1: what the server acknowledged is SYNCED, in whatever state its frozen entry was", () => {
    for (const state of ["IN_FLIGHT", "RETRYABLE_ERROR", "FATAL_ERROR"] as const) {
      expect(transition({ state, attempts: 3 }, "acknowledged")?.to).toBe("SYNCED");
    }
  });

  it("nothing is given up but by a person: no sequence of other events loses an entry", () => {
    const others = ENTRY_EVENTS.filter((event) => event !== "discarded");
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...others), { maxLength: 100 }), limit, (events, limit) => {
        let current: EntryStanding = { state: "PENDING", attempts: 0 };
        for (const event of events) {
          const decided = transition(current, event, limit);
          if (decided === undefined) continue;
          expect(decided.to).not.toBe("GONE");
          if (decided.to !== "GONE") current = { state: decided.to, attempts: decided.attempts };
        }
      }),
    );
  });
});
