import { ObservedNetwork, ServerPlace } from "@cairn/testkit/server-program";
import type { Page } from "playwright-core";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type BrowserProfile, openProfile } from "./support/browser-profile.ts";
import { type BuiltApp, buildApp } from "./support/built-app.ts";
import { isLeading, rendererOf } from "./support/renderers.ts";
import { addNote, editorOf, engineReady, openApp, shownSaved } from "./support/steps.ts";

/*
 * Three tabs of one profile in processes of their own, typing at once, while processes are killed and frozen and tabs are
 * loaded again (hazards 14 and 18, Promises 2 and 4).
 */

let app: BuiltApp;
let network: ObservedNetwork;
let place: ServerPlace;
const open = new Set<BrowserProfile>();
const frozen = new Set<number>();

beforeAll(async () => {
  app = await buildApp();
});
beforeEach(async () => {
  network = await ObservedNetwork.listen();
  place = await ServerPlace.make({ publicUrl: network.origin, environment: { CAIRN_WEB_DIR: app.directory } });
  network.target = place.origin;
  await place.start();
});
afterEach(async () => {
  for (const pid of frozen) process.kill(pid, "SIGCONT");
  frozen.clear();
  for (const profile of open) await profile.close();
  open.clear();
  await network.close();
  await place.leave();
});

/** Draws whole numbers below a bound, the same ones for the same seed (Park and Miller's generator). */
const drawsOf = (seed: number) => {
  let state = seed;
  return (bound: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state % bound;
  };
};

interface Tab {
  readonly name: string;
  page: Page;
  pid: number;
  /** How many tokens it was given: no two are the same. */
  typed: number;
  /** What was typed and shown as saved. */
  readonly saved: Array<string>;
  /** What was typed since. */
  unsaved: Array<string>;
}

const textOf = (page: Page): Promise<string> => editorOf(page).innerText();

const type = async (tab: Tab, tokens: number): Promise<void> => {
  for (let token = 0; token < tokens; token += 1) {
    tab.typed += 1;
    // Nothing that Markdown hides or shows otherwise.
    const text = ` ${tab.name}${tab.typed};`;
    tab.unsaved.push(text);
    await editorOf(tab.page).focus();
    await tab.page.keyboard.press("Control+End");
    await tab.page.keyboard.insertText(text);
  }
};

/** Resolves as soon as the page shows that its last edit is on this device. */
const untilSaved = async (tab: Tab): Promise<void> => {
  const typed = [...tab.unsaved];
  await shownSaved(tab.page);
  tab.saved.push(...typed);
  tab.unsaved = tab.unsaved.slice(typed.length);
};

const rounds = Number(process.env["CAIRN_TABS_ROUNDS"] ?? 4);
const seeds = (process.env["CAIRN_TABS_SEEDS"] ?? "1").split(",").map(Number);

describe("point 2: three tabs of one profile", () => {
  test.each(seeds)(
    "lose nothing and send nothing twice, whatever becomes of their processes (seed %i)",
    async (seed) => {
      const draw = drawsOf(seed * 7_919 + 1);
      const directory = place.beside("ann");
      const ann = await openProfile(directory);
      open.add(ann);
      await openApp(ann.page, network.origin);
      await addNote(ann.page, "Log", "start");
      await ann.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
      const address = ann.page.url();

      const openTab = async (page: Page): Promise<Page> => {
        page.setDefaultTimeout(30_000);
        await page.goto(address);
        await engineReady(page);
        await editorOf(page).waitFor();
        return page;
      };
      const tabs: Array<Tab> = [];
      for (const name of ["a", "b", "c"]) {
        const page = name === "a" ? ann.page : await openTab(await ann.context.newPage());
        tabs.push({ name, page, pid: await rendererOf(page, directory), typed: 0, saved: [], unsaved: [] });
      }
      expect(new Set(tabs.map(({ pid }) => pid)).size).toBe(3);

      const running = (): ReadonlyArray<Tab> => tabs.filter(({ pid }) => !frozen.has(pid));
      const leader = async (): Promise<Tab> => {
        let found: Tab | undefined;
        await expect
          .poll(
            async () => {
              const leading: Array<Tab> = [];
              for (const tab of running()) if (await isLeading(tab.page)) leading.push(tab);
              [found] = leading;
              return leading.length;
            },
            { timeout: 30_000, interval: 200 },
          )
          .toBe(1);
        if (found === undefined) throw new Error("nobody leads");
        return found;
      };
      const comeBack = async (tab: Tab): Promise<void> => {
        tab.page = await openTab(await ann.context.newPage());
        tab.pid = await rendererOf(tab.page, directory);
        // Whatever was not shown as saved may be gone with the process.
        tab.unsaved = [];
      };

      const lost = new Set<string>();
      const done = { killed: 0, frozen: 0, reloaded: 0 };
      for (let round = 0; round < rounds; round += 1) {
        await Promise.all(running().map((tab) => type(tab, 2 + draw(3))));
        const victim = round < 2 ? await leader() : (running()[draw(running().length)] ?? (await leader()));
        // The answer to what is pushed now does not come before the process is gone.
        const isSilent = draw(2) === 0;
        if (isSilent) place.suspend();
        await Promise.all(running().map((tab) => type(tab, 1)));
        const action = round === 0 ? "kill" : round === 1 ? "freeze" : (["kill", "freeze", "reload"] as const)[draw(3)];
        if (action === "reload") {
          done.reloaded += 1;
          await untilSaved(victim);
          await victim.page.reload();
          await engineReady(victim.page);
          await editorOf(victim.page).waitFor();
        } else if (action === "kill") {
          done.killed += 1;
          await untilSaved(victim);
          await type(victim, 1);
          for (const token of victim.unsaved) lost.add(token);
          const crashed = victim.page.waitForEvent("crash", { timeout: 15_000 });
          process.kill(victim.pid, "SIGKILL");
          await crashed;
          await victim.page.close();
          if (isSilent) place.resume();
          await comeBack(victim);
        } else {
          done.frozen += 1;
          process.kill(victim.pid, "SIGSTOP");
          frozen.add(victim.pid);
          if (isSilent) place.resume();
          // Its place is taken while it stands still.
          await leader();
          await Promise.all(running().map((tab) => type(tab, 2)));
          process.kill(victim.pid, "SIGCONT");
          frozen.delete(victim.pid);
        }
        if (isSilent) place.resume();
      }
      await Promise.all(tabs.map(untilSaved));
      await leader();

      const typed = tabs.flatMap(({ saved }) => saved);
      expect(typed.length).toBeGreaterThan(rounds * 5);
      const wrong = (text: string): ReadonlyArray<string> => typed.filter((token) => text.split(token).length !== 2);
      for (const { page } of tabs) {
        await expect.poll(async () => wrong(await textOf(page)), { timeout: 60_000, interval: 100 }).toEqual([]);
      }
      const texts = await Promise.all(tabs.map(({ page }) => textOf(page)));
      expect(new Set(texts).size).toBe(1);
      for (const token of lost) expect((texts[0] ?? "").split(token).length).toBeLessThanOrEqual(2);

      // A device of its own gets the same from the server.
      for (const { page } of tabs) {
        await expect
          .poll(() => page.locator('button[aria-label^="Sync: "]').first().getAttribute("aria-label"), {
            timeout: 60_000,
            interval: 100,
          })
          .toMatch(/^Sync: (Saved|Up to date|Synced|Everything)/);
      }
      await expect
        .poll(() => new Set(network.pushed.map(({ hash }) => hash)).size, { timeout: 10_000 })
        .toBeGreaterThan(rounds);
      // One network leader at a time: what a connection is the first to send, no older connection sends later.
      const first = new Map<string, number>();
      let newest = 0;
      for (const { connection, counter, device, hash } of network.pushed) {
        const identity = `${device}/${counter}`;
        if (first.has(identity)) continue;
        expect(connection).toBeGreaterThanOrEqual(newest);
        newest = connection;
        first.set(identity, connection);
        // Rule 3: an identity has one content for ever, but for a void.
        expect(
          network.pushed.filter((other) => other.device === device && other.counter === counter && other.hash !== hash),
        ).toHaveLength(0);
      }
      expect(new Set(network.pushed.map(({ device }) => device)).size).toBe(1);
      expect(done.killed + done.frozen + done.reloaded).toBe(rounds);
    },
    300_000,
  );
});
