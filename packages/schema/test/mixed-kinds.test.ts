/** Promise 10, where fields of every kind become fields of another. */
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { runMixedKinds } from "./mixed/kinds.ts";

/** A fixed share; `npm run versions -- --of kinds` runs any number. */
const RUNS = Number(process.env["CAIRN_MIXED_RUNS"] ?? 80);

test(
  "hazard L8, promise 10: whatever becomes of a field, nothing in it is lost or there twice, and what was taken out stays away",
  // However slow the machine is.
  { timeout: 1_800_000 },
  async () => {
    const failed: Array<readonly [number, ReadonlyArray<string>]> = [];
    for (let seed = 1; seed <= RUNS && failed.length < 5; seed += 1) {
      const problems = runMixedKinds(seed);
      if (problems.length > 0) failed.push([seed, problems]);
      // Only between two turns is the memory given back of handles that nobody holds.
      await setImmediate();
    }
    expect(failed).toEqual([]);
  },
);
