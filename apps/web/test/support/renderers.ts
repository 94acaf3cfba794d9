import { readdir, readFile } from "node:fs/promises";
import type { Page } from "playwright-core";

/** Milliseconds for which a page keeps its process busy, so that it can be told from the others. */
const BUSY_MILLIS = 250;

/** Milliseconds after which a worker that does not answer is one that does not lead. */
const ANSWER_WITHIN = 2_000;

/** The processor time of a browser's renderer processes, in clock ticks (proc(5), `stat`). */
const rendererTimes = async (directory: string): Promise<ReadonlyMap<number, number>> => {
  const times = new Map<number, number>();
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const command = await readFile(`/proc/${name}/cmdline`, "utf8");
      if (!command.includes("--type=renderer") || !(await belongsTo(Number(name), directory))) continue;
      times.set(Number(name), await ticksOf(Number(name)));
    } catch {
      // It ended meanwhile.
    }
  }
  return times;
};

const statOf = async (pid: number): Promise<ReadonlyArray<string>> => {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // The name, in parentheses, may hold anything.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
};
const ticksOf = async (pid: number): Promise<number> => {
  const fields = await statOf(pid);
  return Number(fields[11]) + Number(fields[12]);
};

/** Whether a process descends from the browser that names this profile folder. */
const belongsTo = async (pid: number, directory: string): Promise<boolean> => {
  for (let at = pid; at > 1;) {
    if ((await readFile(`/proc/${at}/cmdline`, "utf8")).includes(directory)) return true;
    at = Number((await statOf(at))[1]);
  }
  return false;
};

/** The renderer process of a page: the one that works while the page does. Linux only, as the browser that npm brings. */
export const rendererOf = async (page: Page, directory: string): Promise<number> => {
  const before = await rendererTimes(directory);
  await page.evaluate((millis) => {
    const end = performance.now() + millis;
    while (performance.now() < end);
  }, BUSY_MILLIS);
  const after = await rendererTimes(directory);
  const [busiest] = [...after]
    .map(([pid, ticks]) => ({ pid, spent: ticks - (before.get(pid) ?? 0) }))
    .toSorted((left, right) => right.spent - left.spent);
  if (busiest === undefined) throw new Error("the browser has no renderer processes");
  return busiest.pid;
};

/** Whether the engine of this page leads: asked in its worker, which alone has the worker's name among the locks' holders. */
export const isLeading = async (page: Page): Promise<boolean> => {
  const never = new Promise<false>((resolve) => void setTimeout(() => resolve(false), ANSWER_WITHIN));
  const answers = await Promise.all(
    page.workers().map((worker) =>
      Promise.race([
        never,
        worker
          .evaluate(async () => {
            const own = crypto.randomUUID();
            return navigator.locks.request(own, async () => {
              const { held = [] } = await navigator.locks.query();
              const self = held.find(({ name }) => name === own)?.clientId;
              return held.some(({ clientId, name }) => clientId === self && name?.endsWith("/leader") === true);
            });
          })
          // A worker that ends while it is asked leads nothing.
          .catch(() => false),
      ]),
    ),
  );
  return answers.includes(true);
};
