/** One thread of a campaign of mixed-version runs. */
import { type SeedFailure, serveSeeds } from "@cairn/testkit/campaign";
import { setImmediate } from "node:timers/promises";
import { runMixedKinds } from "./kinds.ts";
import { runMixedParts } from "./parts.ts";
import { runMixedVersions } from "./run.ts";

const runsOf = new Map<unknown, typeof runMixedVersions>([
  ["parts", runMixedParts],
  ["kinds", runMixedKinds],
]);

serveSeeds(async ({ from, count, parameters }) => {
  const run = runsOf.get(parameters["of"]) ?? runMixedVersions;
  const failures: Array<SeedFailure> = [];
  for (let seed = from; seed < from + count; seed += 1) {
    const violations = run(seed);
    if (violations.length > 0) failures.push({ seed, violations });
    // Only between two turns is the memory given back of handles that nobody holds.
    await setImmediate();
  }
  return { from, runs: count, counts: [], failures };
});
