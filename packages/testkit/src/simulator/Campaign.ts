/**
 * Many seeds over several threads. What was done so far can be kept in a file, so that a long campaign goes on where it
 * was stopped.
 */
import { readFile, rename, writeFile } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import type { SeedFailure, SeedsAnswer, SeedsRequest } from "./campaign-worker.ts";
import { FAULTS } from "./plan.ts";

export interface CampaignOptions {
  readonly firstSeed: number;
  readonly seeds: number;
  readonly devices: number;
  readonly steps: number;
  readonly workers: number;
  readonly defect?: string | undefined;
  /** Where to keep what was done. */
  readonly stateFile?: string | undefined;
  /** Stops handing out seeds after so many failures. */
  readonly maxFailures?: number | undefined;
  /** Hears of every batch; `here` counts the seeds of this call alone. */
  readonly onProgress?: ((state: CampaignState, here: number) => void) | undefined;
}

export interface CampaignState {
  readonly firstSeed: number;
  readonly seeds: number;
  readonly devices: number;
  readonly steps: number;
  /** Seeds that were run, as ranges of equal length: their first ones. */
  readonly done: ReadonlyArray<number>;
  readonly runs: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly failures: ReadonlyArray<SeedFailure>;
}

/** Seeds that a worker gets at a time. */
const BATCH = 20;
/** Below so many runs a rare fault need not have fired. */
const FAULTS_EXPECTED_FROM = 500;

const isState = (value: unknown): value is CampaignState =>
  typeof value === "object" && value !== null && "done" in value && "counts" in value && "failures" in value;

const loadState = async (options: CampaignOptions): Promise<CampaignState> => {
  const { firstSeed, seeds, devices, steps, stateFile } = options;
  const fresh: CampaignState = { firstSeed, seeds, devices, steps, done: [], runs: 0, counts: {}, failures: [] };
  if (stateFile === undefined) return fresh;
  const text = await readFile(stateFile, "utf8").catch(() => undefined);
  const known: unknown = text === undefined ? undefined : JSON.parse(text);
  if (!isState(known)) return fresh;
  const same = known.firstSeed === firstSeed && known.devices === devices && known.steps === steps;
  if (!same) throw new Error(`${stateFile} is of another campaign: remove it, or name another file`);
  return { ...known, seeds };
};

const saveState = async (file: string, state: CampaignState): Promise<void> => {
  await writeFile(`${file}.new`, JSON.stringify(state));
  await rename(`${file}.new`, file);
};

const merge = (state: CampaignState, answer: SeedsAnswer): CampaignState => {
  const counts: Record<string, number> = { ...state.counts };
  for (const [what, count] of answer.counts) counts[what] = (counts[what] ?? 0) + count;
  return {
    ...state,
    done: [...state.done, answer.from],
    runs: state.runs + answer.runs,
    counts,
    failures: [...state.failures, ...answer.failures].toSorted((left, right) => left.seed - right.seed),
  };
};

/** Runs a campaign, or what is left of one. */
export const runCampaign = async (options: CampaignOptions): Promise<CampaignState> => {
  let state = await loadState(options);
  const done = new Set(state.done);
  const { firstSeed, seeds, devices, steps, defect } = options;
  const waiting: Array<SeedsRequest> = [];
  for (let from = firstSeed; from < firstSeed + seeds; from += BATCH) {
    const count = Math.min(BATCH, firstSeed + seeds - from);
    if (!done.has(from)) waiting.push({ from, count, devices, steps, defect });
  }
  let saving = Promise.resolve();
  let here = 0;
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL("./campaign-worker.ts", import.meta.url), {
        execArgv: ["--conditions=source"],
        // What a run leaves behind dies young.
        resourceLimits: { maxYoungGenerationSizeMb: 128, maxOldGenerationSizeMb: 2_048 },
      });
      const next = (): void => {
        const enough = state.failures.length >= (options.maxFailures ?? Infinity);
        const request = enough ? undefined : waiting.shift();
        if (request === undefined) void worker.terminate().then(() => resolve(), reject);
        // A port between threads knows no origins.
        // oxlint-disable-next-line unicorn/require-post-message-target-origin
        else worker.postMessage(request);
      };
      worker.on("message", (answer: SeedsAnswer) => {
        state = merge(state, answer);
        const { stateFile } = options;
        if (stateFile !== undefined) saving = saving.then(() => saveState(stateFile, state));
        here += answer.runs;
        options.onProgress?.(state, here);
        next();
      });
      worker.on("error", reject);
      next();
    });
  await Promise.all(Array.from({ length: options.workers }, work));
  await saving;
  return state;
};

/** The faults that a campaign of this size should have seen and has not. */
export const missingFaults = ({ runs, counts }: CampaignState): ReadonlyArray<string> =>
  runs < FAULTS_EXPECTED_FROM ? [] : FAULTS.filter((fault) => (counts[fault] ?? 0) === 0);
