/**
 * Many seeds over several threads. What was done so far can be kept in a file, so that a long campaign goes on where it
 * was stopped.
 */
import { canonicalJson } from "@cairn/schema";
import { readFile, rename, writeFile } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import type { SeedFailure, SeedsAnswer, SeedsRequest } from "./serve-seeds.ts";

/** What every run of a campaign is made with, besides its seed. A campaign with other parameters is another one. */
export type Parameters = Readonly<Record<string, string | number>>;

export interface SeedCampaignOptions {
  /** The module of a thread, which calls `serveSeeds`. */
  readonly worker: URL;
  readonly firstSeed: number;
  readonly seeds: number;
  readonly workers: number;
  readonly parameters: Parameters;
  /** Where to keep what was done. */
  readonly stateFile?: string | undefined;
  /** Stops handing out seeds after so many failures. */
  readonly maxFailures?: number | undefined;
  /** Hears of every batch; `here` counts the seeds of this call alone. */
  readonly onProgress?: ((state: SeedCampaignState, here: number) => void) | undefined;
}

export interface SeedCampaignState {
  readonly firstSeed: number;
  readonly seeds: number;
  readonly parameters: Parameters;
  /** Seeds that were run, as ranges of equal length: their first ones. */
  readonly done: ReadonlyArray<number>;
  readonly runs: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly failures: ReadonlyArray<SeedFailure>;
}

/** Seeds that a worker gets at a time. */
const BATCH = 20;

const isState = (value: unknown): value is SeedCampaignState =>
  typeof value === "object" &&
  value !== null &&
  "parameters" in value &&
  "done" in value &&
  "counts" in value &&
  "failures" in value;

const isSame = (left: Parameters, right: Parameters): boolean => canonicalJson(left) === canonicalJson(right);

const loadState = async (options: SeedCampaignOptions): Promise<SeedCampaignState> => {
  const { firstSeed, seeds, parameters, stateFile } = options;
  const fresh: SeedCampaignState = { firstSeed, seeds, parameters, done: [], runs: 0, counts: {}, failures: [] };
  if (stateFile === undefined) return fresh;
  const text = await readFile(stateFile, "utf8").catch(() => undefined);
  if (text === undefined) return fresh;
  const known: unknown = JSON.parse(text);
  if (!isState(known) || known.firstSeed !== firstSeed || !isSame(known.parameters, parameters)) {
    throw new Error(`${stateFile} is of another campaign: remove it, or name another file`);
  }
  return { ...known, seeds };
};

const saveState = async (file: string, state: SeedCampaignState): Promise<void> => {
  await writeFile(`${file}.new`, JSON.stringify(state));
  await rename(`${file}.new`, file);
};

const merge = (state: SeedCampaignState, answer: SeedsAnswer): SeedCampaignState => {
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
export const runSeedCampaign = async (options: SeedCampaignOptions): Promise<SeedCampaignState> => {
  let state = await loadState(options);
  const done = new Set(state.done);
  const { firstSeed, seeds, parameters } = options;
  const waiting: Array<SeedsRequest> = [];
  for (let from = firstSeed; from < firstSeed + seeds; from += BATCH) {
    const count = Math.min(BATCH, firstSeed + seeds - from);
    if (!done.has(from)) waiting.push({ from, count, parameters });
  }
  let saving = Promise.resolve();
  let here = 0;
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(options.worker, {
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
