/** The simulator: it repeats itself exactly, a fixed set of seeds passes, and no deliberate defect gets by. */
import {
  defects,
  FAULTS,
  keepSteps,
  makePlan,
  missingFaults,
  parseSteps,
  formatSteps,
  runCampaign,
  runPlan,
  runSeeds,
  shrink,
  type Step,
} from "@cairn/testkit/simulator";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

const MINUTES = 60_000;
/** Seeds of the fixed set; `CAIRN_SIMULATOR_SEEDS` runs more or fewer. */
const SEEDS = Number(process.env["CAIRN_SIMULATOR_SEEDS"] ?? 2_000);

const command = (...options: ReadonlyArray<string>) =>
  promisify(execFile)(process.execPath, [
    "--conditions=source",
    "--disable-warning=ExperimentalWarning",
    join(import.meta.dirname, "../src/simulator/command.ts"),
    ...options,
  ]);

test("two processes give the same trace for the same seed", async () => {
  const [one, other] = await Promise.all([command("--seed", "7"), command("--seed", "7")]);
  expect(one.stdout).toMatch(/^seed 7: trace [0-9a-f]{16}, \d+ tasks, 0 violations$/m);
  expect(other.stdout).toBe(one.stdout);
});

test("one process gives the same trace again, whatever it ran before", async () => {
  const plan = makePlan(3, 3, 200);
  const first = await runPlan(plan);
  await runPlan(makePlan(4, 2, 60));
  expect((await runPlan(plan)).hash).toBe(first.hash);
  expect((await runPlan(makePlan(5, 3, 200))).hash).not.toBe(first.hash);
});

test(
  "a campaign that was stopped goes on where it was, and says what it exercised",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "cairn-simulator-"));
    try {
      const options = { firstSeed: 1, devices: 2, steps: 200, workers: 1, stateFile: join(folder, "state.json") };
      const half = await runCampaign({ ...options, seeds: 20 });
      expect(half.runs).toBe(20);
      const told: Array<number> = [];
      const whole = await runCampaign({ ...options, seeds: 40, onProgress: ({ runs }) => void told.push(runs) });
      expect(told).toEqual([40]);
      expect(whole).toMatchObject({ runs: 40, failures: [] });
      const kept: unknown = JSON.parse(await readFile(options.stateFile, "utf8"));
      expect(kept).toEqual(whole);
      await expect(runCampaign({ ...options, seeds: 40, devices: 3 })).rejects.toThrow("another campaign");
    } finally {
      await rm(folder, { recursive: true });
    }
  },
  20 * MINUTES,
);

test("a fault that never fires is told", () => {
  const counts = Object.fromEntries(FAULTS.slice(1).map((fault) => [fault, 1]));
  expect(missingFaults({ runs: 1_000, counts })).toEqual([FAULTS[0]]);
  expect(missingFaults({ runs: 100, counts })).toEqual([]);
});

test(
  `a fixed set of ${SEEDS} seeds keeps all promises, and every fault fires`,
  async () => {
    const state = await runCampaign({
      firstSeed: 1,
      seeds: SEEDS,
      devices: 3,
      steps: 200,
      workers: Math.max(2, availableParallelism()),
      maxFailures: 3,
    });
    expect(state.failures).toEqual([]);
    expect(state.runs).toBe(SEEDS);
    expect(missingFaults(state)).toEqual([]);
  },
  20 * MINUTES,
);

describe("deliberate defects", () => {
  test("there are at least twelve, with names of their own", () => {
    expect(defects.length).toBeGreaterThanOrEqual(12);
    expect(new Set(defects.map(({ name }) => name)).size).toBe(defects.length);
  });

  test.each(defects.map(({ name, description }) => [name, description]))(
    "%s: %s",
    async (name) => {
      const { failures } = await runSeeds({ from: 1, count: 2_000, devices: 3, steps: 200, defect: name });
      expect(failures).toHaveLength(1);
    },
    20 * MINUTES,
  );

  test(
    "a finding is made short, and what is left of it still fails",
    async () => {
      const defect = defects.find(({ name }) => name === "retry-stored-again");
      const { failures } = await runSeeds({ from: 1, count: 2_000, devices: 3, steps: 200, defect: defect?.name });
      expect(failures).toHaveLength(1);
      const plan = makePlan(failures[0]?.seed ?? 0, 3, 200);
      const { violations } = await runPlan(plan, { defect });
      const kept = await shrink(plan, violations, { defect }, 60);
      expect(kept.length).toBeLessThan(100);
      expect(parseSteps(formatSteps(kept))).toEqual(kept);
      const { violations: left } = await runPlan(keepSteps(plan, kept), { defect });
      expect(left.some((violation) => violation.startsWith("promise 2"))).toBe(true);
    },
    20 * MINUTES,
  );
});

/** Runs that failed once, by what was wrong. */
describe("runs that found something", () => {
  test.each([
    [8, "a tab that leads again does not go round in circles for a row that another tab has made"],
    [197, "a new key is sealed to a device that comes in while it is made"],
    [213, "a copy from before its first page makes nothing anew that the server has"],
    [546, "a page that opens a document right after its device took a new identity writes under no counter twice"],
    [864, "the last page of all that is lost on its way is sent again"],
    [907, "an edit whose tab died before it told of it is shown"],
    [1283, "an identity that another tab has taken comes with the epochs that only the old one opens"],
    [1318, "a device that may only read takes no edit before it has the chain"],
  ])("seed %i of three devices: %s", async (seed) => {
    expect((await runPlan(makePlan(seed, 3, 200))).violations).toEqual([]);
  });

  test.each([
    [26, "another device's admission links although this one has a proposal of its own on its way"],
    [71, "what a device wrote that came in during another's key change is applied"],
    [12_186, "what an earlier identity has sent is not taken for what waits under the same counter"],
    [15_460, "newer forms that two copies of a disk make by operations of one name stay two"],
    [20_190, "an older tab gives nothing up behind which a newer one wrote what it does not know"],
    [101_899, "a node stays below the one that it is moved to, where others bring that one back from a removed one"],
    [103_195, "a node that a given-up edit alone had put into a removed one has its text once"],
    [106_101, "no empty node is made of one that goes and comes back in a difference"],
  ])("seed %i of five devices: %s", async (seed) => {
    expect((await runPlan(makePlan(seed, 5, 200))).violations).toEqual([]);
  });

  test("a clock that is set back by years stops neither rows nor heartbeats (hazard 21)", async () => {
    const edits = (from: number, who: number): ReadonlyArray<Step> =>
      Array.from({ length: 10 }, (_, index) => ({ kind: "edit", at: from + index * 50, who, a: 0, b: 0 }));
    const clock = (at: number, a: number): Step => ({ kind: "wrong-clock", at, who: 1, a, b: 0 });
    const steps = [clock(0, 1), ...edits(1_000, 0), clock(4_000, 0), ...edits(5_000, 0), ...edits(9_000, 1)];
    const plan = makePlan(1, 2, 1);
    const circumstances = { ...plan.circumstances, joinShare: 0 };
    expect((await runPlan({ ...plan, circumstances, steps })).violations).toEqual([]);
  });
});
