/** Runs the real command as a process of its own. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const BIN = resolve(import.meta.dirname, "../bin/cairn.mjs");

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export const cairn = (
  directory: string,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {},
  cwd = process.cwd(),
): Promise<Ran> =>
  new Promise((done, fail) => {
    const child = spawn(process.execPath, [BIN, "--directory", directory, ...args], {
      env: { ...process.env, ...env },
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", fail);
    child.on("close", (code) => done({ code, stdout, stderr }));
  });

/** The one line of JSON that a successful command printed. */
export const resultOf = ({ code, stdout, stderr }: Ran): unknown => {
  if (code !== 0) throw new Error(`the command failed with ${code}: ${stderr}`);
  const parsed: unknown = JSON.parse(stdout);
  return parsed;
};

const folders: Array<string> = [];

export const folder = async (): Promise<string> => {
  const made = await mkdtemp(join(tmpdir(), "cairn-cli-"));
  folders.push(made);
  return made;
};

export const removeFolders = async (): Promise<void> => {
  for (const made of folders.splice(0)) await rm(made, { recursive: true, force: true });
};
