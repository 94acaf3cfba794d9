/** The built notebook in Chromium with 10,000 notes of 1 KiB: `npm run bench:list -- --help`. */
import { ServerPlace } from "@cairn/testkit/server-program";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { percentile } from "./latency/measure-typing.ts";
import { openAppBrowser } from "./notebook/AppBrowser.ts";
import { KeyMeter } from "./notebook/KeyMeter.ts";
import { joinNotebook } from "./notebook/join-notebook.ts";
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
}

const bench = async (options: Options): Promise<boolean> => {
  let met = true;
  const judge = (name: string, value: number, target: number): void => {
    const holds = value < target;
    met &&= holds;
    say(`  ${holds ? "ok    " : "MISSED"} ${name}: ${millis(value)}, target ${millis(target)}`);
  };
  const watched = await mkdtemp(join(tmpdir(), "cairn-watched-"));
  const place = await ServerPlace.make({ environment: { CAIRN_WEB_DIR: watched, CAIRN_LOG_LEVEL: "warn" } });
  try {
    await makeWatchedBuild(webFolder, watched);
    await place.start();
    const device = await SeedingDevice.open({ origin: place.origin, directory: place.beside("device") });
    const started = performance.now();
    await device.seed({ notes: options.notes, length: 1024 }, (done) => {
      if (done % PROGRESS_NOTES === 0) say(`  ${done} notes written after ${millis(performance.now() - started)}`);
    });
    await device.writeLongNote(LONG_TITLE, LONG_NOTE);
    say(`${options.notes} notes of 1 KiB written and on the server: ${millis(performance.now() - started)}`);
    const { page, threads, close } = await openAppBrowser(place.beside("browser"));
    try {
      const joined = await joinNotebook(page, await device.link(), options.joinMillis, (seconds, state) =>
        say(`  after ${seconds} s: ${state}`),
      );
      await page.locator("[data-note-row]", { hasText: LONG_TITLE }).waitFor();
      await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
      say(
        `joined: first notes listed after ${millis(joined.firstListed)}, all received after ${millis(joined.received)}, ` +
          `all opened for the list after ${millis(joined.projected)} (${millis(joined.projected / options.notes)} a note)`,
      );

      await page.goto(`${place.origin}/`);
      await watchReloads(page);
      const times: Array<ReloadTimes> = [];
      for (let turn = 0; turn <= options.reloads; turn += 1) {
        const measured = await measureReload(page);
        // The first one fills caches.
        if (turn > 0) times.push(measured);
      }
      const all = times.map((time) => time.whole);
      const fromWorker = times.map((time) => time.fromWorker);
      say(
        `${options.reloads} reloads to the list: p50 ${millis(percentile(all, 0.5))}, of which from the worker's start ${millis(percentile(fromWorker, 0.5))}`,
      );
      judge("reload to the list, p95", percentile(all, 0.95), RELOAD);
      judge("worker's start to the list, p95", percentile(fromWorker, 0.95), FROM_WORKER);

      await page.locator("[data-note-row]", { hasText: LONG_TITLE }).click();
      await page.locator(".cm-content").focus();
      await page.keyboard.press("Control+Home");
      const keys = await KeyMeter.of(page);
      const entries = Math.min(REMOTE_ENTRIES, device.listed);
      const remote = device.editNotes(entries);
      const traffic = { arriving: true };
      void remote.finally(() => (traffic.arriving = false));
      const costs: Array<number> = [];
      while (costs.length < PRESSES || (traffic.arriving && costs.length < 20 * PRESSES)) {
        costs.push(await keys.press("abcdefghijklmnopqrstuvwxyz ".charAt(costs.length % 27)));
      }
      await remote;
      say(
        `${costs.length} key presses in a note of 50 KB while ${entries} entries arrive: p50 ${millis(percentile(costs, 0.5))}, longest ${millis(Math.max(...costs))}`,
      );
      judge("a key press on the page's thread, p95", percentile(costs, 0.95), KEY);

      await page.goto(`${place.origin}/`);
      await page.locator("[data-note-row]").first().waitFor();
      const mark = Math.round(options.opened * FIRST_MARK);
      await openNotes(page, 0, mark);
      await threads.attach();
      const before = await settledMemory(page, threads);
      await openNotes(page, mark, options.opened);
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
    } finally {
      await close();
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
    help: { type: "boolean" },
  },
});
if (values.help === true) say(HELP.trimEnd());
else if (!existsSync(join(webFolder, "index.html"))) {
  process.stderr.write("The web app is not built: npm run build\n");
  process.exitCode = 2;
} else {
  const met = await bench({
    notes: whole(values.notes, 10_000),
    reloads: whole(values.reloads, 20),
    opened: whole(values.opened, 1000),
    joinMillis: whole(values["join-minutes"], 10) * 60_000,
  });
  process.exitCode = met ? 0 : 1;
}
