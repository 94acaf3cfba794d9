/** `npm run simulate`: seeds on the command line. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { tellProgress } from "../campaign/index.ts";
import { type CampaignState, missingFaults, runCampaign } from "./Campaign.ts";
import { defects } from "./defects.ts";
import { keepSteps, makePlan } from "./plan.ts";
import { runPlan } from "./Run.ts";
import { formatSteps, parseSteps, shrink } from "./shrink.ts";

const USAGE = `npm run simulate -- [options]

  --seeds N      how many seeds (1)
  --seed S       the first seed (1); alone, it runs that one and says everything about it
  --devices N    devices in each run (5)
  --steps N      steps of each run (200)
  --workers N    threads (one for each core)
  --state FILE   keeps what was done, and goes on from there
  --only STEPS   only these steps of the plan, such as 3,7-9
  --trace        prints every event of a single run
  --defect NAME  with a deliberate defect: ${defects.map(({ name }) => name).join(", ")}
`;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    seed: { type: "string" },
    devices: { type: "string", default: "5" },
    steps: { type: "string", default: "200" },
    workers: { type: "string" },
    state: { type: "string" },
    only: { type: "string" },
    trace: { type: "boolean", default: false },
    defect: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

const toCount = (name: string, text: string): number => {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new TypeError(`--${name} takes a whole number from 1`);
  return count;
};

const devices = toCount("devices", values.devices);
const steps = toCount("steps", values.steps);
const seed = toCount("seed", values.seed ?? "1");
const defect = values.defect === undefined ? undefined : defects.find(({ name }) => name === values.defect);
if (values.defect !== undefined && defect === undefined) throw new TypeError(`no defect is called ${values.defect}`);

const replayCommand = (failed: number, kept?: ReadonlyArray<number>): string => {
  const only = kept === undefined ? "" : ` --only ${formatSteps(kept)}`;
  const withDefect = defect === undefined ? "" : ` --defect ${defect.name}`;
  return `npm run simulate -- --seed ${failed} --devices ${devices} --steps ${steps}${only}${withDefect}`;
};

/** Makes a failing seed short, and says what is left of it. */
const explain = async (failed: number, violations: ReadonlyArray<string>): Promise<void> => {
  const plan = makePlan(failed, devices, steps);
  say(`seed ${failed} breaks:\n  ${violations.slice(0, 5).join("\n  ")}`);
  const kept = await shrink(plan, violations, { defect });
  const short = await runPlan(keepSteps(plan, kept), { defect });
  say(`with ${kept.length} of ${plan.steps.length} steps:\n  ${short.violations.slice(0, 5).join("\n  ")}`);
  for (const index of kept) {
    const step = plan.steps[index];
    if (step !== undefined)
      say(`  ${String(index).padStart(4)}  ${step.at.toFixed(0).padStart(7)} ms  ${step.kind} ${step.who}`);
  }
  say(`replay: ${replayCommand(failed, kept)} --trace`);
};

const single = async (): Promise<boolean> => {
  const plan = makePlan(seed, devices, steps);
  const kept = values.only === undefined ? undefined : parseSteps(values.only);
  const result = await runPlan(kept === undefined ? plan : keepSteps(plan, kept), { defect, trace: values.trace });
  if (values.trace) say(result.lines.join("\n"));
  say(`seed ${seed}: trace ${result.hash}, ${result.tasks} tasks, ${result.violations.length} violations`);
  if (result.violations.length === 0) return true;
  if (kept === undefined) await explain(seed, result.violations);
  else say(result.violations.join("\n"));
  return false;
};

const summary = (state: CampaignState): void => {
  for (const [what, count] of Object.entries(state.counts).toSorted(([left], [right]) => left.localeCompare(right))) {
    say(`  ${what.padEnd(40)} ${count}`);
  }
};

const campaign = async (seeds: number): Promise<boolean> => {
  const state = await runCampaign({
    firstSeed: seed,
    seeds,
    devices,
    steps,
    workers: values.workers === undefined ? availableParallelism() : toCount("workers", values.workers),
    stateFile: values.state,
    defect: defect?.name,
    maxFailures: 20,
    onProgress: tellProgress(seeds, say),
  });
  summary(state);
  const missing = missingFaults(state);
  for (const fault of missing) say(`never fired: ${fault}`);
  const [first] = state.failures;
  for (const failure of state.failures.slice(0, 20)) {
    say(`failed: seed ${failure.seed}: ${failure.violations[0] ?? ""}\n  ${replayCommand(failure.seed)}`);
  }
  if (first !== undefined) await explain(first.seed, first.violations);
  say(`${state.runs} seeds, ${state.failures.length} failures`);
  return first === undefined && missing.length === 0;
};

const main = (): Promise<boolean> => {
  if (values.help) {
    say(USAGE);
    return Promise.resolve(true);
  }
  return values.seeds === undefined ? single() : campaign(toCount("seeds", values.seeds));
};

process.exitCode = (await main()) ? 0 : 1;
