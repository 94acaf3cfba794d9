/** The command's arguments. */
import { parseArgs } from "node:util";

export interface ReplayOptions {
  readonly file: string;
  /** Devices of a sequential session; 3 unless told. Concurrent sessions have one for each agent. */
  readonly devices: number | undefined;
  /** Transactions a second that one author types at most. */
  readonly rate: number | undefined;
  /** How many times the server is killed. */
  readonly kills: number;
  readonly seed: number;
}

/** Arguments that cannot be meant. */
export class UsageError extends Error {}

/** The person asks what there is to say. */
export class HelpWanted extends Error {}

export const USAGE = `npm run replay -- FILE [--devices N] [--rate R] [--kill-server N] [--seed S]

Drives real clients through a real server with a recorded editing session (JSON, gzipped or not).

  FILE             the session: sequential (one author, who moves from device to device) or concurrent
  --devices N      devices of a sequential session (3); a concurrent one has a device for each agent
  --rate R         transactions a second of one author, at most (as fast as it goes)
  --kill-server N  SIGKILL the server N times while a push is under way (0)
  --seed S         draws the moments of the kills (a random one, which is printed)
  --help           this text
`;

const wholeNumber = (name: string, text: string | undefined, least: number): number | undefined => {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) {
    throw new UsageError(`--${name} is "${text}": expected a whole number, at least ${least}`);
  }
  return value;
};

/** Throws `UsageError`, or `HelpWanted`. */
export const parseReplayOptions = (args: ReadonlyArray<string>): ReplayOptions => {
  const { positionals, values } = parse(args);
  if (values.help === true) throw new HelpWanted();
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw new UsageError("expected one file");
  return {
    file,
    devices: wholeNumber("devices", values.devices, 1),
    rate: wholeNumber("rate", values.rate, 1),
    kills: wholeNumber("kill-server", values["kill-server"], 0) ?? 0,
    seed: wholeNumber("seed", values.seed, 0) ?? Math.floor(Math.random() * 0x1_0000_0000),
  };
};

const parse = (args: ReadonlyArray<string>) => {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        devices: { type: "string" },
        rate: { type: "string" },
        "kill-server": { type: "string" },
        seed: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
};
