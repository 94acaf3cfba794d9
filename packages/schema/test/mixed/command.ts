/** `npm run versions`: the mixed-version property with any number of seeds, on all cores. Exit code 1 where one fails. */
import { runSeedCampaign, tellProgress } from "@cairn/testkit/campaign";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";

const USAGE = `npm run versions -- [options]

  --runs N       how many runs (1000)
  --from SEED    the first seed (1)
  --workers N    threads (one for each core)
  --of WHAT      documents: every kind of step, in three versions (the default); parts: what is in records and nodes;
                 kinds: changes from every kind of field to another
  --state FILE   keeps what was done, and goes on from there
`;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    workers: { type: "string", default: String(availableParallelism()) },
    of: { type: "string", default: "documents" },
    state: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

const toCount = (name: string, text: string): number => {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1) throw new TypeError(`--${name} takes a whole number from 1`);
  return count;
};

const main = async (): Promise<boolean> => {
  if (values.help) {
    say(USAGE);
    return true;
  }
  if (!["documents", "parts", "kinds"].includes(values.of)) throw new TypeError("--of is documents, parts or kinds");
  const runs = toCount("runs", values.runs);
  const state = await runSeedCampaign({
    worker: new URL("campaign-worker.ts", import.meta.url),
    parameters: values.of === "documents" ? {} : { of: values.of },
    firstSeed: toCount("from", values.from),
    seeds: runs,
    workers: toCount("workers", values.workers),
    stateFile: values.state,
    maxFailures: 20,
    onProgress: tellProgress(runs, say),
  });
  for (const { seed, violations } of state.failures) say(`failed: seed ${seed}: ${violations.join("; ")}`);
  say(`${state.runs} runs, ${state.failures.length} failures`);
  return state.failures.length === 0 && state.runs === runs;
};

process.exitCode = (await main()) ? 0 : 1;
