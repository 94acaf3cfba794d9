import { findChromium } from "@cairn/testkit/browser";
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { type BrowserContext, chromium, type Page } from "playwright-core";

/** A browser with a profile folder of its own, which can be killed and opened again. */
export interface BrowserProfile {
  readonly context: BrowserContext;
  readonly page: Page;
  /** SIGKILL to every process of this browser at once. */
  readonly kill: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export const openProfile = async (directory: string): Promise<BrowserProfile> => {
  const { executablePath, args, env } = await findChromium();
  const context = await chromium.launchPersistentContext(directory, {
    executablePath,
    args: [...args],
    env: { ...process.env, ...env },
  });
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(15_000);
  return {
    context,
    page,
    kill: async () => {
      for (const pid of await processesOf(directory)) {
        try {
          process.kill(pid, "SIGKILL");
        } catch {
          // It ended with its parent.
        }
      }
      await context.close().catch(() => undefined);
    },
    close: () => context.close(),
  };
};

interface RunningProcess {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** The browser's main process, which names its profile folder, and all that descend from it. */
const processesOf = async (directory: string): Promise<ReadonlyArray<number>> => {
  const all = process.platform === "linux" ? await listFromProc() : await listFromPs();
  const found = new Set(all.filter(({ command }) => command.includes(directory)).map(({ pid }) => pid));
  for (let before = 0; before < found.size;) {
    before = found.size;
    for (const { parent, pid } of all) if (found.has(parent)) found.add(pid);
  }
  return [...found];
};

/** Linux has the files always, and `ps` not. */
const listFromProc = async (): Promise<ReadonlyArray<RunningProcess>> => {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      try {
        const command = await readFile(`/proc/${pid}/cmdline`, "utf8");
        const status = await readFile(`/proc/${pid}/status`, "utf8");
        return [{ pid, command, parent: Number(/^PPid:\s*(\d+)/m.exec(status)?.[1]) }];
      } catch {
        // It ended between the list and the look.
        return [];
      }
    }),
  );
  return found.flat();
};

const listFromPs = async (): Promise<ReadonlyArray<RunningProcess>> => {
  const { stdout } = await promisify(execFile)("ps", ["-axo", "pid=,ppid=,command="], { maxBuffer: 1 << 26 });
  return stdout.split("\n").flatMap((line) => {
    const [, pid, parent, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return command === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }];
  });
};
