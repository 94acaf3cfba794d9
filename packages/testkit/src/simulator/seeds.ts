/** Seeds one after the other, and what came of them. */
import type { SeedFailure, SeedsAnswer } from "../campaign/index.ts";
import { defects } from "./defects.ts";
import { makePlan } from "./plan.ts";
import { runPlan } from "./Run.ts";

export interface SimulatedSeeds {
  readonly from: number;
  readonly count: number;
  readonly devices: number;
  readonly steps: number;
  /** Name of a deliberate defect. */
  readonly defect?: string | undefined;
}

/** Runs seeds one after the other. Where a defect is to be found, it stops at the first finding. */
export const runSeeds = async ({ from, count, devices, steps, defect: name }: SimulatedSeeds): Promise<SeedsAnswer> => {
  const counts = new Map<string, number>();
  const failures: Array<SeedFailure> = [];
  let runs = 0;
  const defect = name === undefined ? undefined : defects.find((each) => each.name === name);
  for (let seed = from; seed < from + count; seed += 1) {
    const result = await runPlan(makePlan(seed, devices, steps), { defect });
    runs += 1;
    for (const [what, times] of result.counts) counts.set(what, (counts.get(what) ?? 0) + times);
    if (result.violations.length === 0) continue;
    failures.push({ seed, violations: result.violations });
    if (defect !== undefined) break;
  }
  return { from, runs, counts: [...counts], failures };
};
