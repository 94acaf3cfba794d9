import { deviceIdFromBytes, type Hash, hashFromBytes, type PushResult, RefusalCode } from "@cairn/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { settlePush } from "../src/index.ts";

const device = deviceIdFromBytes(new Uint8Array(16).fill(3));
const hash: Hash = hashFromBytes(new Uint8Array(32).fill(4));
const sent = (count: number) => Array.from({ length: count }, (_, index) => ({ counter: index + 1, hash }));

const results = (count: number): fc.Arbitrary<ReadonlyArray<PushResult>> =>
  fc.tuple(...Array.from({ length: count }, (_, index) => resultOf(index + 1)));

const resultOf = (counter: number): fc.Arbitrary<PushResult> =>
  fc.oneof(
    fc.record({
      status: fc.constant("stored" as const),
      device: fc.constant(device),
      counter: fc.constant(counter),
      seq: fc.integer({ min: 1, max: 999 }),
    }),
    fc.record({
      status: fc.constant("duplicate" as const),
      device: fc.constant(device),
      counter: fc.constant(counter),
    }),
    fc.record({ status: fc.constant("skipped" as const), device: fc.constant(device), counter: fc.constant(counter) }),
    fc.record({
      status: fc.constant("identity-conflict" as const),
      device: fc.constant(device),
      counter: fc.constant(counter),
    }),
    fc.record({
      status: fc.constant("refused" as const),
      device: fc.constant(device),
      counter: fc.constant(counter),
      code: fc.constantFrom(...RefusalCode.literals),
      message: fc.constant("no"),
    }),
  );

describe("settling a push", () => {
  it("hazard 14: settles exactly what was sent and acknowledged, and nothing else", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }).chain((count) => fc.tuple(fc.constant(count), results(count + 2))),
        ([count, answers]) => {
          const settlement = settlePush(sent(count), answers);
          const acknowledged = new Set(
            answers.filter(({ status }) => status === "stored" || status === "duplicate").map(({ counter }) => counter),
          );
          for (const { counter } of settlement.settled) {
            expect(counter).toBeLessThanOrEqual(count);
            expect(acknowledged.has(counter)).toBe(true);
          }
          if (settlement.refused !== undefined) {
            expect(settlement.settled.some(({ counter }) => counter === settlement.refused?.counter)).toBe(false);
          }
        },
      ),
    );
  });

  it("hazard 6: a lost answer's retry settles like the first push", () => {
    const stored = settlePush(sent(1), [{ status: "stored", device, counter: 1, seq: 7 }]);
    const again = settlePush(sent(1), [{ status: "duplicate", device, counter: 1, seq: 7 }]);
    expect(again).toEqual(stored);
  });

  it.each([
    ["key-epoch", { refused: { counter: 1, event: "outdated" }, next: { type: "pull" } }],
    ["membership-head", { refused: { event: "outdated" }, next: { type: "pull" } }],
    ["gap", { refused: undefined, next: { type: "resupply", from: 1 } }],
    ["refs-missing", { refused: { event: "refused" }, next: { type: "upload", missing: [] } }],
    ["quota-exceeded", { refused: { event: "no-room" }, next: { type: "no-room" } }],
    ["too-large", { refused: { event: "too-large" }, next: { type: "continue" } }],
    ["role", { refused: undefined, next: { type: "stopped", code: "role" } }],
    ["not-a-member", { refused: undefined, next: { type: "stopped", code: "not-a-member" } }],
    ["invalid", { refused: { event: "never", code: "invalid", message: "no" }, next: { type: "continue" } }],
    ["signature", { refused: { event: "never" }, next: { type: "continue" } }],
    ["covers", { refused: { event: "never" }, next: { type: "continue" } }],
    ["document-purged", { refused: { event: "never" }, next: { type: "continue" } }],
  ] as const)("answers %s as the protocol says", (code, expected) => {
    expect(settlePush(sent(1), [{ status: "refused", device, counter: 1, code, message: "no" }])).toMatchObject(
      expected,
    );
  });

  it("Promise 14: an answer about nothing that was sent is none", () => {
    expect(settlePush(sent(1), [{ status: "stored", device, counter: 9, seq: 3 }]).next).toEqual({ type: "nothing" });
    expect(settlePush(sent(1), []).next).toEqual({ type: "nothing" });
  });

  it("stops at another entry under the same identity (rules 3 and 12)", () => {
    const settlement = settlePush(sent(3), [
      { status: "stored", device, counter: 1, seq: 1 },
      { status: "identity-conflict", device, counter: 2 },
      { status: "skipped", device, counter: 3 },
    ]);
    expect(settlement.settled).toEqual([{ counter: 1, seq: 1 }]);
    expect(settlement.next).toEqual({ type: "identity-conflict", counter: 2 });
  });
});
