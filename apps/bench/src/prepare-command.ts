/** The built notebook with rows of an older version, in Chromium: `npm run bench:prepare -- --help`. */
import { ServerPlace } from "@cairn/testkit/server-program";
import { existsSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Page } from "playwright-core";
import { percentile } from "./latency/measure-typing.ts";
import { openAppBrowser } from "./notebook/AppBrowser.ts";
import { KeyMeter } from "./notebook/KeyMeter.ts";
import { joinNotebook } from "./notebook/join-notebook.ts";
import { type Preparing, untilPreparing, watchPreparation } from "./notebook/measure-preparation.ts";
import { rowsOf } from "./notebook/old-rows.ts";
import { SeedingDevice } from "./notebook/SeedingDevice.ts";

const HELP = `The built notebook in Chromium, started with rows that an older version of the app made.

  npm run build && npm run bench:prepare [-- OPTIONS]

  --notes N     notes, of 1 KiB                                    10000
  --minutes N   how long joining, and each preparation, may take   10
  --help        this

Exit code 0 where every target is met, 1 where one is missed, 2 where it could not begin. It measures no phone, no slow
disk, and no browser but Chromium.
`;

/** A task of the page's thread that is longer is one too long. Milliseconds. */
const LONG_TASK = 50;
const PRESSES = 60;
/** For so long a start with nothing to prepare is looked at. */
const PLAIN_MILLIS = 5000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const seconds = (millis: number): string => `${(millis / 1000).toFixed(1)} s`;

const whole = (text: string | undefined, otherwise: number): number => {
  const value = text === undefined ? otherwise : Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`"${text}" is not a whole number of at least 1`);
  return value;
};

const webFolder = process.env["CAIRN_WEB_DIR"] ?? join(import.meta.dirname, "../../web/dist");

const longest = ({ longTasks }: Preparing, from: number): number =>
  Math.max(0, ...longTasks.filter(({ start }) => start >= from).map(({ millis }) => millis));

const longTasksAfter = ({ list = 0, longTasks }: Preparing): number =>
  longTasks.filter(({ start }) => start >= list).length;

/** What is typed into the first note while the rest is prepared: milliseconds of the page's thread. */
const typeMeanwhile = async (page: Page): Promise<ReadonlyArray<number>> => {
  await page.locator("[data-note-row]").first().click();
  await page.locator(".cm-content").focus();
  const keys = await KeyMeter.of(page);
  const costs: Array<number> = [];
  for (let press = 0; press < PRESSES; press += 1) costs.push(await keys.press("abcdefghij".charAt(press % 10)));
  return costs;
};

const bench = async (notes: number, limit: number): Promise<boolean> => {
  let met = true;
  const judge = (holds: boolean, what: string): void => {
    met &&= holds;
    say(`  ${holds ? "ok    " : "MISSED"} ${what}`);
  };
  const place = await ServerPlace.make({ environment: { CAIRN_WEB_DIR: webFolder, CAIRN_LOG_LEVEL: "warn" } });
  try {
    await place.start();
    const device = await SeedingDevice.open({ origin: place.origin, directory: place.beside("device") });
    await device.seed({ notes, length: 1024 }, (done) => {
      if (done % 2500 === 0) say(`  ${done} notes written`);
    });
    const link = await device.link();
    const browser = await openAppBrowser(place.beside("browser"));
    try {
      let { page } = browser;
      const joined = await joinNotebook(page, link, limit, (after, state) => say(`  after ${after} s: ${state}`));
      await device.close();
      say(`${notes} notes joined after ${seconds(joined.projected)}`);

      await watchPreparation(page);
      const apart = `${place.origin}/health`;
      const start = async (): Promise<void> => {
        await page.goto(`${place.origin}/`);
        await page.locator("[data-note-row]").nth(9).waitFor();
      };
      const makeOld = async (): Promise<void> => {
        await page.goto(apart);
        const { old } = await rowsOf(page, true);
        say(`the rows of ${old} notes are of an older version`);
      };

      await start();
      await page.waitForTimeout(PLAIN_MILLIS);
      const plain = await untilPreparing(page, limit, ({ list }) => list !== undefined);
      say(`a start with nothing to prepare: list after ${seconds(plain.list ?? 0)}`);

      const judgeTasks = (seen: Preparing): void => {
        const [start, end] = [longest(seen, 0), longest(seen, seen.list ?? 0)];
        judge(
          end <= LONG_TASK,
          `longest task of the page from the list to the end: ${end.toFixed(0)} ms (${longTasksAfter(seen)} of over 50 ms); ` +
            `with nothing to prepare ${longest(plain, plain.list ?? 0).toFixed(0)} ms (${longTasksAfter(plain)})`,
        );
        say(
          `         of the whole start: ${start.toFixed(0)} ms, with nothing to prepare ${longest(plain, 0).toFixed(0)} ms (load ${(loadavg()[0] ?? 0).toFixed(1)})`,
        );
      };

      await makeOld();
      const before = await rowsOf(page);
      await start();
      const whole = await untilPreparing(page, limit, ({ ended }) => ended !== undefined);
      const list = whole.list ?? 0;
      say(`a start with old rows: list after ${seconds(list)}, all prepared after ${seconds(whole.ended ?? 0)}`);
      judge(list < 2 * (plain.list ?? 0) + 250, `the list is there as soon as without (${seconds(list)})`);
      judgeTasks(whole);
      await page.goto(apart);
      const after = await rowsOf(page);
      judge(
        after.old === 0 && after.behind === 0,
        `no row is left to be made (${after.old} old, ${after.behind} behind)`,
      );

      await makeOld();
      await start();
      await untilPreparing(page, limit, ({ done, total }) => total > 0 && done >= total / 2);
      // Ends the page's process, and all of its workers with it.
      const crashed = page.waitForEvent("crash");
      void page.goto("chrome://crash").catch(() => undefined);
      await crashed;
      page = await page.context().newPage();
      page.setDefaultTimeout(limit);
      await watchPreparation(page);
      // Chromium may hand the first request to the service worker that has died with the page: it is never answered.
      await page.goto(apart, { timeout: 20_000 }).catch(() => page.goto(apart));
      const killed = await rowsOf(page);
      say(`killed with ${killed.notes - killed.old} rows done and ${killed.old} left`);
      await start();
      await untilPreparing(page, limit, ({ list: there }) => there !== undefined);
      const costs = await typeMeanwhile(page);
      const typed = await untilPreparing(page, limit, () => true);
      say(
        `${PRESSES} keys pressed in a note, ${typed.ended === undefined ? "while" : "some while"} the rest was prepared: ` +
          `p50 ${percentile(costs, 0.5).toFixed(1)} ms of the thread, p95 ${percentile(costs, 0.95).toFixed(1)} ms`,
      );
      const resumed = await untilPreparing(page, limit, ({ ended }) => ended !== undefined);
      say(
        `started again: list after ${seconds(resumed.list ?? 0)}, the rest prepared after ${seconds(resumed.ended ?? 0)}`,
      );
      judge(resumed.total === killed.old, `it went on with what was left: ${resumed.total}`);
      await page.goto(apart);
      const end = await rowsOf(page);
      judge(
        end.old === 0 && end.notes === before.notes && end.updates >= before.updates,
        `nothing is lost: ${end.notes} notes, ${end.updates} edits, ${end.old} old rows`,
      );
    } finally {
      await browser.close();
    }
  } finally {
    await place.leave();
  }
  return met;
};

const { values } = parseArgs({
  options: { notes: { type: "string" }, minutes: { type: "string" }, help: { type: "boolean" } },
});
if (values.help === true) say(HELP.trimEnd());
else if (!existsSync(join(webFolder, "index.html"))) {
  process.stderr.write("The web app is not built: npm run build\n");
  process.exitCode = 2;
} else {
  const met = await bench(whole(values.notes, 10_000), whole(values.minutes, 10) * 60_000);
  process.exitCode = met ? 0 : 1;
}
