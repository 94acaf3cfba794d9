/** Promise 10: apps of different versions edit the same documents, and nothing is lost. */
import { expect, test } from "vitest";
import { runMixedVersions } from "./mixed/run.ts";

/** A fixed share; `npm run versions` runs any number. */
const RUNS = Number(process.env["CAIRN_MIXED_RUNS"] ?? 25);

test("hazard L8, promise 10: devices of three versions, updated at any moment, lose nothing and double nothing", () => {
  const failed: Array<readonly [number, ReadonlyArray<string>]> = [];
  for (let seed = 1; seed <= RUNS && failed.length < 5; seed += 1) {
    const problems = runMixedVersions(seed);
    if (problems.length > 0) failed.push([seed, problems]);
  }
  expect(failed).toEqual([]);
});
