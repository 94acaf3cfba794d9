/** Results go to stdout, progress and failures to stderr. With `--json` each result is one line of JSON. */
import { Effect } from "effect";
import type { CommandFailure } from "./failures.ts";

export interface Output {
  /** The result: JSON, or lines for people. */
  readonly result: (value: unknown, lines: () => ReadonlyArray<string>) => Effect.Effect<void>;
  /** What is going on; the last such line is overwritten where a person is watching. */
  readonly progress: (text: string) => void;
  /** The end of a line of progress. */
  readonly note: (text: string) => void;
  readonly failed: (failure: CommandFailure) => Effect.Effect<void>;
}

export const makeOutput = (json: boolean): Output => {
  const { stdout, stderr } = process;
  let open = false;
  const line = (text: string): void => {
    stderr.write(open ? `\r\u001b[K${text}\n` : `${text}\n`);
    open = false;
  };
  return {
    result: (value, lines) =>
      Effect.sync(() => {
        for (const text of json ? [JSON.stringify(value)] : lines()) stdout.write(`${text}\n`);
      }),
    progress: (text) => {
      // A log is no place for a line that moves.
      if (!stderr.isTTY) return;
      stderr.write(`\r\u001b[K${text}`);
      open = true;
    },
    note: line,
    failed: ({ code, action, message }) =>
      Effect.sync(() =>
        line(json ? JSON.stringify({ error: { code, action, message } }) : `cairn: ${message} [${code}]`),
      ),
  };
};

/** Bytes for people. */
export const size = (bytes: number): string => {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
};

/** What comes from a document may hold anything; a terminal obeys what it is told. */
export const printable = (text: string): string => text.replaceAll(/\p{Cc}/gu, " ");
