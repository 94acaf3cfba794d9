/** `npm start` as a person types it: the app is built and served, Ctrl-C and the end of npm itself stop all of it. */
import { freePort } from "@cairn/testkit/server-program";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";

const repository = join(import.meta.dirname, "..");

let data: string;
let origin: string;
let port: number;
const started = new Set<ChildProcess>();

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), "cairn-start-"));
  // The database may run as another user, who has to pass through.
  await chmod(data, 0o711);
  port = await freePort();
  origin = `http://127.0.0.1:${port}`;
});
afterAll(async () => {
  // Only what failed still runs.
  for (const child of started) {
    const ended = once(child, "close");
    if (child.pid !== undefined && tryKill(-child.pid, "SIGTERM")) await ended;
  }
  await rm(data, { recursive: true, force: true });
});

const tryKill = (pid: number, signal: NodeJS.Signals | 0): boolean => {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
};

/** Runs `npm start` as a terminal does: in a process group of its own. */
const npmStart = async () => {
  const outside = Object.entries(process.env).filter(([name]) => !/^(npm_|VITEST|NODE_ENV$|NODE_OPTIONS$)/.test(name));
  const child = spawn("npm", ["start"], {
    cwd: repository,
    detached: true,
    env: { ...Object.fromEntries(outside), CAIRN_DATA_DIR: join(data, "data"), HOST: "127.0.0.1", PORT: String(port) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.add(child);
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      printed += chunk.toString("utf8");
    });
  }
  const closed = once(child, "close").then(() => started.delete(child));
  const health = (): Promise<number> =>
    fetch(`${origin}/health`).then(
      ({ status }) => status,
      () => 0,
    );
  while ((await health()) !== 200) {
    if (child.exitCode !== null) throw new Error(`npm start ended:\n${printed}`);
    await setTimeout(50);
  }
  const { pid } = child;
  if (pid === undefined) throw new Error("npm start has no process");
  const postmaster = Number.parseInt(await readFile(join(data, "data/database/cluster/postmaster.pid"), "utf8"), 10);
  const gone = async (): Promise<void> => {
    await closed;
    while ((await health()) !== 0 || tryKill(postmaster, 0)) await setTimeout(50);
  };
  return { pid, gone, printed: () => printed };
};

const page = async (path: string): Promise<string> => {
  const response = await fetch(`${origin}${path}`);
  expect(response.status).toBe(200);
  return response.text();
};

test("npm start builds and serves the app once, and Ctrl-C or the end of npm stops all of it", async () => {
  const first = await npmStart();
  const html = await page("/");
  const scripts = [...html.matchAll(/<script[^>]* src="([^"]+)"/g)].map(([, source = ""]) => source);
  expect(scripts.length).toBeGreaterThan(0);
  for (const script of scripts) expect(await page(script)).not.toContain("<html");
  await expect.poll(first.printed).toContain(`http://localhost:${port}`);
  // What a terminal does: everyone in the group is told.
  process.kill(-first.pid, "SIGINT");
  await first.gone();

  const again = await npmStart();
  expect(again.printed()).not.toContain("Building the web app");
  expect(await page("/")).toBe(html);
  process.kill(again.pid, "SIGTERM");
  await again.gone();
}, 180_000);
