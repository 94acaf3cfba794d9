import { describe, expect, test } from "vitest";
import { historyMs, type OutboxSample, withSample } from "../src/sync/outbox-history.ts";

const sample = (at: number, depth: number): OutboxSample => ({ at, depth, age: 0 });
const record = (samples: ReadonlyArray<OutboxSample>): ReadonlyArray<OutboxSample> =>
  samples.reduce<ReadonlyArray<OutboxSample>>((history, next) => withSample(history, next), []);

describe("the outbox over time", () => {
  test("stays small however often it changes, and keeps its peaks", () => {
    const busy = Array.from({ length: 20_000 }, (_, index) => sample(index * 10, index === 9000 ? 99 : index % 3));
    const history = record(busy);
    expect(history.length).toBeLessThan(8000);
    expect(Math.max(...history.map(({ depth }) => depth))).toBe(99);
    expect(history.at(-1)).toEqual(busy.at(-1));
  });

  test("forgets what is too old to be shown", () => {
    const history = record([sample(0, 1), sample(historyMs / 2, 2), sample(historyMs + 1, 3)]);
    expect(history.map(({ depth }) => depth)).toEqual([2, 3]);
  });
});
