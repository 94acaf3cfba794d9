/** Promise 10, inside of documents: records that are removed and made again, nodes that are moved, and what is in them. */
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { runMixedParts } from "./mixed/parts.ts";

/** A fixed share; `npm run versions -- --of parts` runs any number. */
const RUNS = Number(process.env["CAIRN_MIXED_RUNS"] ?? 200);

test(
  "hazard L8, promise 10: devices of three versions lose nothing in records and nodes, and what was removed stays away",
  // However slow the machine is.
  { timeout: 1_800_000 },
  async () => {
    const failed: Array<readonly [number, ReadonlyArray<string>]> = [];
    for (let seed = 1; seed <= RUNS && failed.length < 5; seed += 1) {
      const problems = runMixedParts(seed);
      if (problems.length > 0) failed.push([seed, problems]);
      // Only between two turns is the memory given back of handles that nobody holds.
      await setImmediate();
    }
    expect(failed).toEqual([]);
  },
);
