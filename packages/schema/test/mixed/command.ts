/** `npm run versions [-- --runs N] [--from SEED]`: the mixed-version property on all cores. Exit code 1 where a seed fails. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
import { runMixedVersions } from "./run.ts";

interface Told {
  readonly seed: number;
  readonly problems: ReadonlyArray<string>;
}

const whole = (text: string | undefined, otherwise: number): number => {
  const value = text === undefined ? otherwise : Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`"${text}" is not a whole number of at least 1`);
  return value;
};

const work = (): void => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what `main` below gives its own workers
  const { from, to, step } = workerData as { readonly from: number; readonly to: number; readonly step: number };
  for (let seed = from; seed < to; seed += step) {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
    parentPort?.postMessage({ seed, problems: runMixedVersions(seed) } satisfies Told);
  }
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({ options: { runs: { type: "string" }, from: { type: "string" } } });
  const runs = whole(values.runs, 1_000);
  const first = whole(values.from, 1);
  const started = performance.now();
  let done = 0;
  let failed = 0;
  const workers = availableParallelism();
  await Promise.all(
    Array.from({ length: workers }, (_, index) => {
      const worker = new Worker(new URL(import.meta.url), {
        workerData: { from: first + index, to: first + runs, step: workers },
      });
      worker.on("message", ({ seed, problems }: Told) => {
        done += 1;
        if (problems.length > 0) {
          failed += 1;
          process.stdout.write(`seed ${seed}: ${problems.join("; ")}\n`);
        }
        if (done % 1_000 === 0) {
          process.stdout.write(
            `${done} of ${runs} runs, ${failed} failed, ${Math.round((performance.now() - started) / 1000)} s\n`,
          );
        }
      });
      return new Promise((resolve, reject) => worker.on("exit", resolve).on("error", reject));
    }),
  );
  process.stdout.write(`${done} runs, ${failed} failed\n`);
  process.exitCode = failed > 0 || done !== runs ? 1 : 0;
};

if (isMainThread) await main();
else work();
