/** The real server program as a child process, for tests that start, ask, kill and restart it. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable } from "node:stream";

const main = join(import.meta.dirname, "../src/main.ts");

export interface ServerProcess {
  readonly url: string;
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  /** What it printed for the person. */
  readonly printed: () => string;
  /** What it logged. */
  readonly logged: () => string;
  /** Waits until the log contains the text. */
  readonly untilLogged: (text: string) => Promise<void>;
  /** Sends a signal, waits for the end, and returns the exit code. */
  readonly end: (signal: NodeJS.Signals) => Promise<number | null>;
}

const spawnServer = (environment: Readonly<Record<string, string>>, args: ReadonlyArray<string>, cwd?: string) => {
  const child = spawn(
    process.execPath,
    ["--conditions=source", "--disable-warning=ExperimentalWarning", main, ...args],
    {
      env: { PATH: process.env["PATH"] ?? "", CAIRN_WEB_DIR: "/nonexistent", PORT: "0", ...environment },
      stdio: ["ignore", "pipe", "pipe"],
      cwd,
    },
  );
  const output = { printed: "", logged: "" };
  child.stdout.on("data", (chunk: Buffer) => {
    output.printed += chunk.toString("utf8");
  });
  child.stderr.on("data", (chunk: Buffer) => {
    output.logged += chunk.toString("utf8");
  });
  return { child, output };
};

/** Starts a server and waits until it says that it is ready. */
export const startServer = async (environment: Readonly<Record<string, string>>): Promise<ServerProcess> => {
  const { child, output } = spawnServer(environment, []);
  const ended = once(child, "exit");
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on("data", () => {
      const found = /is ready: (\S+)/.exec(output.printed)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once("exit", () => reject(new Error(`the server did not start: ${output.printed}${output.logged}`)));
  });
  return {
    url,
    child,
    printed: () => output.printed,
    logged: () => output.logged,
    untilLogged: async (text) => {
      while (!output.logged.includes(text)) await once(child.stderr, "data");
    },
    end: async (signal) => {
      child.kill(signal);
      await ended;
      return child.exitCode;
    },
  };
};

/** Runs the program in a folder to its end. */
export const runServerIn = async (cwd: string, environment: Readonly<Record<string, string>>) => {
  const { child, output } = spawnServer(environment, [], cwd);
  await once(child, "close");
  return { code: child.exitCode, ...output };
};

/** Runs the program to its end: for what it refuses, and for `--help`. */
export const runServer = async (
  environment: Readonly<Record<string, string>>,
  ...args: ReadonlyArray<string>
): Promise<{ readonly code: number | null; readonly printed: string; readonly logged: string }> => {
  const { child, output } = spawnServer(environment, args);
  await once(child, "close");
  return { code: child.exitCode, ...output };
};
