import * as fc from "fast-check";
import { expect, it } from "vitest";
import {
  FIRST_TOGETHER,
  LEAST_TOGETHER,
  MOST_TOGETHER,
  nextTogether,
  STEP_MILLIS,
} from "../src/engine/rows-together.ts";

/** The rows of the steps after this one, where a row costs as much each time. */
const settled = (together: number, millisOfRow: number): number => {
  let rows = together;
  for (let step = 0; step < 10; step += 1) rows = nextTogether(rows, rows, rows * millisOfRow);
  return rows;
};

it("steps come to take the time that they are to take, whatever a row costs and where it began", () => {
  const together = fc.integer({ min: LEAST_TOGETHER, max: MOST_TOGETHER });
  fc.assert(
    fc.property(together, fc.double({ min: 0, max: 1_000, noNaN: true }), (from, millisOfRow) => {
      const rows = settled(from, millisOfRow);
      expect(rows).toBeGreaterThanOrEqual(LEAST_TOGETHER);
      expect(rows).toBeLessThanOrEqual(MOST_TOGETHER);
      if (rows > LEAST_TOGETHER) expect(rows * millisOfRow).toBeLessThanOrEqual(STEP_MILLIS);
      if (rows < MOST_TOGETHER) expect((rows + 1) * millisOfRow).toBeGreaterThan(STEP_MILLIS / 2);
    }),
  );
});

it("one step that waited for something else does not end it, and one that made nothing says nothing", () => {
  expect(nextTogether(40, 40, 10_000)).toBe(20);
  expect(nextTogether(20, 20, 1)).toBe(40);
  expect(nextTogether(FIRST_TOGETHER, 0, 5_000)).toBe(FIRST_TOGETHER);
  // The last rows of a stretch are few: what counts is what one of them took.
  expect(nextTogether(40, 5, 12)).toBe(41);
});
