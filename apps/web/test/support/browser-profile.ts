import { findChromium } from "@cairn/testkit/browser";
import { readdir, readFile } from "node:fs/promises";
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

/** The browser's main process, which names its profile folder, and all that descend from it. */
const processesOf = async (directory: string): Promise<ReadonlyArray<number>> => {
  const all = await Promise.all(
    (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map((name) => describeProcess(Number(name))),
  );
  const found = new Set(all.flatMap((one) => (one?.command.includes(directory) === true ? [one.pid] : [])));
  for (let before = 0; before < found.size;) {
    before = found.size;
    for (const one of all) if (one !== undefined && found.has(one.parent)) found.add(one.pid);
  }
  return [...found];
};

const describeProcess = async (pid: number) => {
  try {
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8");
    const parent = Number(/^PPid:\s*(\d+)/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1]);
    return { pid, parent, command };
  } catch {
    return undefined;
  }
};
