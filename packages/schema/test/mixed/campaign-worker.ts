/** One thread of a campaign of mixed-version runs. */
import { type SeedFailure, serveSeeds } from "@cairn/testkit/campaign";
import { setImmediate } from "node:timers/promises";
import { runMixedParts } from "./parts.ts";
import { runMixedVersions } from "./run.ts";

serveSeeds(async ({ from, count, parameters }) => {
  const run = parameters["of"] === "parts" ? runMixedParts : runMixedVersions;
  const failures: Array<SeedFailure> = [];
  for (let seed = from; seed < from + count; seed += 1) {
    const violations = run(seed);
    if (violations.length > 0) failures.push({ seed, violations });
    // Only between two turns is the memory given back of handles that nobody holds.
    await setImmediate();
  }
  return { from, runs: count, counts: [], failures };
});
