/** One thread of a campaign of mixed-version runs. */
import { type SeedFailure, serveSeeds } from "@cairn/testkit/campaign";
import { runMixedVersions } from "./run.ts";

serveSeeds(({ from, count }) => {
  const failures: Array<SeedFailure> = [];
  for (let seed = from; seed < from + count; seed += 1) {
    const violations = runMixedVersions(seed);
    if (violations.length > 0) failures.push({ seed, violations });
  }
  return Promise.resolve({ from, runs: count, counts: [], failures });
});
