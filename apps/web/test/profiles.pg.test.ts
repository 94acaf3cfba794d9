import { ServerPlace, SilentNetwork } from "@cairn/testkit/server-program";
import type { Page } from "playwright-core";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type BrowserProfile, openProfile } from "./support/browser-profile.ts";
import { type BuiltApp, buildApp } from "./support/built-app.ts";
import { addNote, editorOf, openApp, reloadSaved, shownSaved, soon } from "./support/steps.ts";

/* Browsers with profiles that outlive them, and a server and a network that come and go (Promise 4). */

let app: BuiltApp;
let network: SilentNetwork;
let place: ServerPlace;
const open = new Set<BrowserProfile>();

beforeAll(async () => {
  app = await buildApp();
});
beforeEach(async () => {
  network = await SilentNetwork.listen();
  place = await ServerPlace.make({ publicUrl: network.origin, environment: { CAIRN_WEB_DIR: app.directory } });
  network.target = place.origin;
  await place.start();
});
afterEach(async () => {
  for (const profile of open) await profile.close();
  open.clear();
  await network.close();
  await place.leave();
});

const profile = async (name: string): Promise<BrowserProfile> => {
  const opened = await openProfile(place.beside(name));
  open.add(opened);
  return opened;
};

const makeLink = async (page: Page): Promise<string> => {
  await page.getByRole("button", { name: "Share this notebook" }).first().click();
  await page.getByRole("button", { name: "Make a link" }).click();
  await page.getByRole("img", { name: "QR code of the link" }).waitFor();
  const url = await page.locator("#made-link").inputValue();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  return url;
};

/** Ann behind the network, Ben beside the server, both in the same note. */
const pair = async () => {
  const ann = await profile("ann");
  await openApp(ann.page, network.origin);
  await addNote(ann.page, "Log", "start");
  const url = new URL(await makeLink(ann.page));
  const ben = await profile("ben");
  await ben.page.goto(`${place.origin}${url.pathname}${url.hash}`);
  await ben.page.getByRole("button", { name: "Join", exact: true }).click();
  await ben.page.locator("[data-note-row]").first().click();
  await expect.poll(() => editorOf(ben.page).innerText(), soon).toBe("start");
  for (const { page } of [ann, ben]) await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  return { ann, ben };
};

const write = async (page: Page, text: string, where: "Home" | "End" = "End"): Promise<void> => {
  await editorOf(page).focus();
  await page.keyboard.press(`Control+${where}`);
  await page.keyboard.type(text);
};

describe("Promise 4: in the browser", () => {
  test(
    "what is written while the server is stopped stays through a reload, and merges later",
    { timeout: 90_000 },
    async () => {
      const { ann, ben } = await pair();
      await place.end("SIGTERM");
      await write(ann.page, " ann");
      await write(ben.page, "ben ", "Home");
      await reloadSaved(ann.page);
      await expect.poll(() => editorOf(ann.page).innerText(), soon).toBe("start ann");
      await reloadSaved(ben.page);
      await expect.poll(() => editorOf(ben.page).innerText(), soon).toBe("ben start");
      await place.start();
      await expect.poll(() => editorOf(ann.page).innerText(), { timeout: 45_000 }).toBe("ben start ann");
      await expect.poll(() => editorOf(ben.page).innerText(), { timeout: 45_000 }).toBe("ben start ann");
    },
  );

  test("nor is anything lost in a network that goes silent without closing", { timeout: 120_000 }, async () => {
    const { ann, ben } = await pair();
    network.goSilent();
    await write(ann.page, " ann");
    await write(ben.page, "ben ", "Home");
    await ann.page.reload({ timeout: 10_000 });
    await expect.poll(() => editorOf(ann.page).innerText(), soon).toBe("start ann");
    await write(ann.page, " again");
    network.comeBack();
    await expect.poll(() => editorOf(ann.page).innerText(), { timeout: 60_000 }).toBe("ben start ann again");
    await expect.poll(() => editorOf(ben.page).innerText(), { timeout: 60_000 }).toBe("ben start ann again");
  });

  test("a browser killed right after it showed that an edit is saved loses nothing", { timeout: 120_000 }, async () => {
    let ann = await profile("ann");
    await openApp(ann.page, network.origin);
    await addNote(ann.page, "Log", "start");
    await ann.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    let text = "start";
    for (let round = 0; round < 3; round += 1) {
      await write(ann.page, ` round${round}`);
      text += ` round${round}`;
      await shownSaved(ann.page);
      await ann.kill();
      open.delete(ann);
      // What comes back now was on the device.
      if (place.running) await place.end("SIGTERM");
      ann = await profile("ann");
      await openApp(ann.page, network.origin);
      await ann.page.locator("[data-note-row]").first().click();
      await expect.poll(() => editorOf(ann.page).innerText(), soon).toBe(text);
      await place.start();
    }
  });
});
