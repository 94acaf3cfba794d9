/** Whole systems in one process, with a seeded scheduler, clock and network. */
export * from "./Campaign.ts";
export { runSeeds, type SimulatedSeeds } from "./seeds.ts";
export type { Defect } from "./Defect.ts";
export { defects } from "./defects.ts";
export * from "./plan.ts";
export { Run, runPlan, type RunOptions, type RunResult } from "./Run.ts";
export { formatSteps, kindOfViolation, parseSteps, shrink } from "./shrink.ts";
