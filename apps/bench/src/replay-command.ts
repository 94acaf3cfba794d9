/** `npm run replay`: see `replay/options.ts` for the arguments. */
import { access, constants } from "node:fs/promises";
import { resolve } from "node:path";
import { HelpWanted, parseReplayOptions, USAGE, UsageError } from "./replay/options.ts";
import { LEAST_ENTRIES, promisesEntries } from "./replay/entries.ts";
import { replay, succeeded } from "./replay/replay.ts";
import { describeReport } from "./replay/report.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const main = async (): Promise<number> => {
  const options = parseReplayOptions(process.argv.slice(2));
  // npm changes to the repository's folder; the path is meant from where the command was typed.
  const file = resolve(process.env["INIT_CWD"] ?? process.cwd(), options.file);
  await access(file, constants.R_OK).catch(() => {
    throw new UsageError(`there is no file ${file} that can be read`);
  });
  const report = await replay({ ...options, file, say });
  for (const line of describeReport(report, options.kills)) say(line);
  if (!succeeded(report, options.kills)) return 1;
  if (report.kind === "sequential" && promisesEntries(report.transactions) && report.entries < LEAST_ENTRIES) {
    say(`FAILED: ${report.entries} entries, and at least ${LEAST_ENTRIES} are expected of a sequential session`);
    return 1;
  }
  return 0;
};

const describe = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by ${describe(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
};

try {
  process.exitCode = await main();
} catch (error) {
  const usage = error instanceof UsageError;
  if (error instanceof HelpWanted) say(USAGE.trimEnd());
  else process.stderr.write(usage ? `${error.message}\n\n${USAGE}` : `The replay failed: ${describe(error)}\n`);
  process.exitCode = error instanceof HelpWanted ? 0 : usage ? 2 : 1;
}
