/** One thread of a campaign: runs the seeds that it is given. */
import { parentPort } from "node:worker_threads";
import { defects } from "./defects.ts";
import { makePlan } from "./plan.ts";
import { runPlan } from "./Run.ts";

export interface SeedsRequest {
  readonly from: number;
  readonly count: number;
  readonly devices: number;
  readonly steps: number;
  /** Name of a deliberate defect. */
  readonly defect: string | undefined;
}

export interface SeedFailure {
  readonly seed: number;
  readonly violations: ReadonlyArray<string>;
}

export interface SeedsAnswer {
  readonly from: number;
  readonly runs: number;
  readonly counts: ReadonlyArray<readonly [string, number]>;
  readonly failures: ReadonlyArray<SeedFailure>;
  /** Over all hashes of the runs, in order. */
  readonly hash: string;
}

/** A hash of hashes, in their order. */
export const combineHashes = (hashes: Iterable<string>): string => {
  let combined = 0x811c9dc5;
  for (const hash of hashes) {
    for (let at = 0; at < hash.length; at += 1) combined = Math.imul(combined ^ hash.charCodeAt(at), 0x01000193);
  }
  return (combined >>> 0).toString(16).padStart(8, "0");
};

/** Runs seeds one after the other. Where a defect is to be found, it stops at the first finding. */
export const runSeeds = async (request: SeedsRequest): Promise<SeedsAnswer> => {
  const counts = new Map<string, number>();
  const failures: Array<SeedFailure> = [];
  const hashes: Array<string> = [];
  const defect = request.defect === undefined ? undefined : defects.find(({ name }) => name === request.defect);
  for (let seed = request.from; seed < request.from + request.count; seed += 1) {
    const result = await runPlan(makePlan(seed, request.devices, request.steps), { defect });
    for (const [what, count] of result.counts) counts.set(what, (counts.get(what) ?? 0) + count);
    hashes.push(result.hash);
    if (result.violations.length === 0) continue;
    failures.push({ seed, violations: result.violations });
    if (defect !== undefined) break;
  }
  return { from: request.from, runs: hashes.length, counts: [...counts], failures, hash: combineHashes(hashes) };
};

parentPort?.on("message", (request: SeedsRequest) => {
  // A port between threads knows no origins.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  void runSeeds(request).then((answer) => parentPort?.postMessage(answer));
});
