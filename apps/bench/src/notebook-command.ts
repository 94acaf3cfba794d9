/** The built notebook in Chromium with 10,000 notes of 1 KiB: `npm run bench:list -- --help`. */
import { ServerPlace } from "@cairn/testkit/server-program";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Page } from "playwright-core";
import { percentile } from "./latency/measure-typing.ts";
import { type AppBrowser, openAppBrowser } from "./notebook/AppBrowser.ts";
import { addBareWorker, measureBareList } from "./notebook/bare-list.ts";
import { KeyMeter } from "./notebook/KeyMeter.ts";
import { joinNotebook } from "./notebook/join-notebook.ts";
import { keptPlace, rememberPlace, takeThisBuild } from "./notebook/kept-place.ts";
import { openNotes, settledMemory } from "./notebook/measure-memory.ts";
import { measureReload, type ReloadTimes, watchReloads } from "./notebook/measure-reload.ts";
import { makeWatchedBuild } from "./notebook/watched-build.ts";
import { SeedingDevice } from "./notebook/SeedingDevice.ts";

const HELP = `The built notebook in Chromium with many notes of 1 KiB.

  npm run build && npm run bench:list [-- OPTIONS]

  --notes N         notes that a device in Node writes and the browser receives   10000
  --reloads N       reloads whose times are taken                                 20
  --opened N        notes that are opened and closed for the memory               1000
  --join-minutes N  how long joining may take                                     10
  --keep FOLDER     fills the notebook in this folder and leaves it there; a folder
                    that was filled before is used as it is
  --only PART       reload, keys or memory alone
  --help            this

Exit code 0 where every target is met, 1 where one is missed, 2 where it could not begin. It measures no phone, no slow
disk, and no browser but Chromium.
`;

/** Milliseconds, at the 95th percentile. */
const RELOAD = 1000;
const FROM_WORKER = 300;
const KEY = 16;
/** Growth of memory from the first mark to the last. */
const GROWTH = 0.1;
const FIRST_MARK = 0.2;

const PROGRESS_NOTES = 2500;
const REMOTE_ENTRIES = 1000;
const PRESSES = 200;
const LONG_NOTE = 50_000;
const LONG_TITLE = "A long note";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const millis = (value: number): string => `${value.toFixed(1)} ms`;
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

const whole = (text: string | undefined, otherwise: number): number => {
  const value = text === undefined ? otherwise : Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`"${text}" is not a whole number of at least 1`);
  return value;
};

const webFolder = process.env["CAIRN_WEB_DIR"] ?? join(import.meta.dirname, "../../web/dist");

interface Options {
  readonly notes: number;
  readonly reloads: number;
  readonly opened: number;
  readonly joinMillis: number;
  readonly keep: string | undefined;
  readonly only: string | undefined;
}

const PARTS = ["reload", "keys", "memory"];

const bench = async (options: Options): Promise<boolean> => {
  let met = true;
  const judge = (name: string, value: number, target: number): void => {
    const holds = value < target;
    met &&= holds;
    say(`  ${holds ? "ok    " : "MISSED"} ${name}: ${millis(value)}, target ${millis(target)}`);
  };
  const load = (): string => `load ${loadavg()[0]?.toFixed(1)}`;
  const wants = (part: string): boolean => options.only === undefined || options.only === part;

  const measureReloads = async (page: Page, origin: string): Promise<void> => {
    const bare = await measureBareList(page, origin, options.reloads);
    await page.goto(`${origin}/`);
    await page.locator("[data-note-row]").first().waitFor();
    await watchReloads(page);
    const times: Array<ReloadTimes> = [];
    for (let turn = 0; turn <= options.reloads; turn += 1) {
      const measured = await measureReload(page);
      // The first one fills caches.
      if (turn > 0) times.push(measured);
    }
    const at = (share: number, which: keyof ReloadTimes, from: ReadonlyArray<ReloadTimes> = times): number =>
      percentile(
        from.map((time) => time[which]),
        share,
      );
    const times50 = (which: keyof ReloadTimes): string =>
      `${millis(at(0.5, which))}, ${(at(0.5, which) / at(0.5, which, bare)).toFixed(1)} times the bare page's ${millis(at(0.5, which, bare))}`;
    say(`${options.reloads} reloads to the list (${load()}): p50 ${times50("whole")}`);
    say(`  of which from the worker's start: p50 ${times50("fromWorker")}`);
    judge("reload to the list, p95", at(0.95, "whole"), RELOAD);
    judge("worker's start to the list, p95", at(0.95, "fromWorker"), FROM_WORKER);
  };

  const measureKeys = async (page: Page, origin: string, device: SeedingDevice): Promise<void> => {
    await page.goto(`${origin}/`);
    await page.getByRole("searchbox").fill(LONG_TITLE);
    await page.locator("[data-note-row]", { hasText: LONG_TITLE }).first().click();
    await page.getByRole("searchbox").fill("");
    await page.locator(".cm-content").focus();
    await page.keyboard.press("Control+Home");
    const keys = await KeyMeter.of(page);
    const entries = Math.min(REMOTE_ENTRIES, device.listed.length);
    const whole: Array<number> = [];
    const rests: Array<number> = [];
    const press = async (): Promise<number> => keys.press("abcdefghijklmnopqrstuvwxyz ".charAt(whole.length % 27));
    let rounds = 0;
    const costs = await keys.costs(async () => {
      // They arrive within a few seconds: too few presses for a percentile.
      while (whole.length < PRESSES) {
        rounds += 1;
        const traffic = { arriving: true };
        const remote = device.editNotes(entries).finally(() => (traffic.arriving = false));
        while (traffic.arriving) {
          whole.push(await press());
          rests.push(await keys.rest());
        }
        await remote;
      }
    });
    const quiet = await keys.costs(async () => {
      for (let presses = 0; presses < PRESSES / 2; presses += 1) await press();
    });
    const shares = (of: ReadonlyArray<number>): string =>
      `p50 ${millis(percentile(of, 0.5))}, p95 ${millis(percentile(of, 0.95))}`;
    say(
      `${costs.length} of ${whole.length} key presses in a note of 50 KB while ${entries} entries arrive ${rounds} times (${load()}), until the frame with the letter: ${shares(costs)}, longest ${millis(Math.max(...costs))}`,
    );
    say(
      `  all that the page did until the next press: ${shares(whole)}; in such a time without a press: ${shares(rests)}`,
    );
    say(`  ${quiet.length} presses with nothing arriving: ${shares(quiet)}`);
    judge("a key press on the page's thread, p95", percentile(costs, 0.95), KEY);
  };

  const measureMemory = async ({ page, threads }: AppBrowser, origin: string, device: SeedingDevice): Promise<void> => {
    await page.goto(`${origin}/`);
    await page.locator("[data-note-row]").first().waitFor();
    const notes = Array.from(
      { length: options.opened },
      (_, index) => device.listed[index % device.listed.length] ?? "",
    );
    const mark = Math.round(options.opened * FIRST_MARK);
    await openNotes(page, notes.slice(0, mark));
    await threads.attach();
    const before = await settledMemory(page, threads);
    await openNotes(page, notes.slice(mark));
    const after = await settledMemory(page, threads);
    for (const kind of ["heap", "webAssembly"] as const) {
      const sum = (threadsOf: typeof before): number => threadsOf.reduce((total, thread) => total + thread[kind], 0);
      const growth = sum(after) / sum(before) - 1;
      const holds = growth < GROWTH;
      met &&= holds;
      say(
        `  ${holds ? "ok    " : "MISSED"} ${kind} from the ${mark}th to the ${options.opened}th note: ` +
          `${megabytes(sum(before))} to ${megabytes(sum(after))} (${(growth * 100).toFixed(1)} %), target below ${GROWTH * 100} %`,
      );
    }
    for (const [index, thread] of after.entries()) {
      const was = before[index];
      say(
        `         ${thread.name}: heap ${megabytes(was?.heap ?? 0)} to ${megabytes(thread.heap)}, WebAssembly ${megabytes(was?.webAssembly ?? 0)} to ${megabytes(thread.webAssembly)}`,
      );
    }
  };

  const fill = async (page: Page, device: SeedingDevice): Promise<void> => {
    const started = performance.now();
    await device.seed({ notes: options.notes, length: 1024 }, (done) => {
      if (done % PROGRESS_NOTES === 0) say(`  ${done} notes written after ${millis(performance.now() - started)}`);
    });
    await device.writeLongNote(LONG_TITLE, LONG_NOTE);
    say(`${options.notes} notes of 1 KiB written and on the server: ${millis(performance.now() - started)}`);
    const joined = await joinNotebook(page, await device.link(), options.joinMillis, (seconds, state) =>
      say(`  after ${seconds} s: ${state}`),
    );
    await page.locator("[data-note-row]", { hasText: LONG_TITLE }).waitFor();
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    say(
      `joined: first notes listed after ${millis(joined.firstListed)}, all received after ${millis(joined.received)}, ` +
        `all opened for the list after ${millis(joined.projected)} (${millis(joined.projected / options.notes)} a note)`,
    );
  };

  const kept = options.keep === undefined ? undefined : await keptPlace(resolve(options.keep));
  const watched = await mkdtemp(join(tmpdir(), "cairn-watched-"));
  const place = await ServerPlace.make({ environment: { CAIRN_WEB_DIR: watched, CAIRN_LOG_LEVEL: "warn" }, kept });
  try {
    await makeWatchedBuild(webFolder, watched);
    await addBareWorker(watched);
    await place.start();
    const { origin } = place;
    const device = await SeedingDevice.open({ origin, directory: place.beside("device") });
    const browser = await openAppBrowser(place.beside("browser"));
    const { page } = browser;
    try {
      if (kept?.notes === undefined) {
        await fill(page, device);
        if (kept !== undefined) await rememberPlace({ ...kept, notes: options.notes });
      } else {
        say(`${kept.notes} notes of a run before`);
        await takeThisBuild(page, origin);
      }
      if (wants("reload")) await measureReloads(page, origin);
      if (wants("keys")) await measureKeys(page, origin, device);
      if (wants("memory")) await measureMemory(browser, origin, device);
    } finally {
      await browser.close();
      await device.close();
    }
  } finally {
    await place.leave();
    await rm(watched, { recursive: true, force: true });
  }
  return met;
};

const { values } = parseArgs({
  options: {
    notes: { type: "string" },
    reloads: { type: "string" },
    opened: { type: "string" },
    "join-minutes": { type: "string" },
    keep: { type: "string" },
    only: { type: "string" },
    help: { type: "boolean" },
  },
});
if (values.help === true) say(HELP.trimEnd());
else if (!existsSync(join(webFolder, "index.html"))) {
  process.stderr.write("The web app is not built: npm run build\n");
  process.exitCode = 2;
} else if (values.only !== undefined && !PARTS.includes(values.only)) {
  process.stderr.write(`--only is one of ${PARTS.join(", ")}\n`);
  process.exitCode = 2;
} else {
  const met = await bench({
    notes: whole(values.notes, 10_000),
    reloads: whole(values.reloads, 20),
    opened: whole(values.opened, 1000),
    joinMillis: whole(values["join-minutes"], 10) * 60_000,
    keep: values.keep,
    only: values.only,
  });
  process.exitCode = met ? 0 : 1;
}
