import { ServerPlace } from "@cairn/testkit/server-program";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { launchBrowser, watchForTrouble } from "./support/browser.ts";
import { type BuiltApp, buildApp } from "./support/built-app.ts";
import { addNote, editorOf, engineReady, openApp } from "./support/steps.ts";

/*
 * Promise 10 with real builds beside each other on one notebook: the current app, one of version 2 of the notebook's
 * documents, whose checklist is a text and whose notes are pinned or not, and one of version 1, which knows neither.
 */

let first: BuiltApp;
let older: BuiltApp;
let current: BuiltApp;
let browser: Browser;
let place: ServerPlace;
let webFolder: string;
let people: Array<{ readonly context: BrowserContext; readonly trouble: ReadonlyArray<string> }> = [];

beforeAll(async () => {
  first = await buildApp("0.1.0-first", 1);
  older = await buildApp("1.0.0-older", 2);
  current = await buildApp("2.0.0-current");
  browser = await launchBrowser();
  webFolder = await mkdtemp(join(tmpdir(), "cairn-web-"));
});
afterAll(async () => {
  await browser.close();
  await rm(webFolder, { recursive: true, force: true });
});
beforeEach(async () => {
  place = await ServerPlace.make({ environment: { CAIRN_WEB_DIR: webFolder } });
});
afterEach(async () => {
  const trouble = people.flatMap((person) => person.trouble);
  for (const { context } of people) await context.close();
  people = [];
  await place.leave();
  if (trouble.length > 0) throw new Error(trouble.join("\n"));
});

/** A deployment: other files in the same folder, and the server is started again. */
const deploy = async (app: BuiltApp): Promise<void> => {
  if (place.running) await place.end("SIGTERM");
  await rm(webFolder, { recursive: true, force: true });
  await cp(app.directory, webFolder, { recursive: true });
  await place.start();
};

const arrive = async (): Promise<Page> => {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  people.push({ context, trouble: watchForTrouble(page) });
  return page;
};

/** From here on the page has the build that it came with, whatever the server has. */
const keepBuild = async (page: Page): Promise<void> => {
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await page.reload();
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await engineReady(page);
};

const makeLink = async (page: Page): Promise<string> => {
  await page.getByRole("button", { name: "Share this notebook" }).first().click();
  await page.getByRole("radio", { name: /^Write/ }).check({ force: true });
  await page.getByRole("button", { name: "Make a link" }).click();
  await page.getByRole("img", { name: "QR code of the link" }).waitFor();
  const url = await page.locator("#made-link").inputValue();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog", { name: /^Share/ }).waitFor({ state: "detached" });
  return url;
};

const enter = async (page: Page, url: string): Promise<void> => {
  await page.goto(url);
  await page.getByRole("button", { name: "Join", exact: true }).click();
  await page.locator("[data-note-row]").first().click();
  await editorOf(page).waitFor();
};

/** The older app's checklist. */
const textOf = (page: Page) => page.getByRole("textbox", { name: "Checklist", exact: true });
/** The current app's, with a cross in front of what is ticked. */
const listOf = (page: Page): Promise<ReadonlyArray<string>> =>
  page
    .getByRole("list", { name: "Items" })
    .locator("[data-item]")
    .evaluateAll((rows) =>
      rows.map((row) => {
        const isTicked = row.querySelector("input")?.checked === true;
        return `${isTicked ? "x " : ""}${row.querySelector("textarea")?.value}`;
      }),
    );
const item = (page: Page, label: string) => page.getByRole("checkbox", { name: label, exact: true });
const ends = async (page: Page, text: string): Promise<void> => {
  await editorOf(page).focus();
  await page.keyboard.press("Control+End");
  await page.keyboard.type(text);
};
const pinned = (page: Page) => page.getByRole("list", { name: "Pinned" }).getByRole("link", { name: /Groceries/ });
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const slow = { timeout: 30_000 };

describe("Promise 10: an app that is a version behind", () => {
  test(
    "works on a notebook beside the current one, and goes on with everything once it is updated",
    { timeout: 180_000 },
    async () => {
      const [ann, ben] = [await arrive(), await arrive()];
      await deploy(older);
      await openApp(ann, `${place.origin}/settings`);
      ann.setDefaultTimeout(20_000);
      await ann.getByText("writes notes in form 2;").waitFor();
      await keepBuild(ann);
      await addNote(ann, "Groceries", "For Saturday.");
      await button(ann, "Add checklist").click();
      await textOf(ann).fill("[ ] milk\n[x] bread\n[ ] eggs");
      await button(ann, "Pin to the top").click();
      await pinned(ann).waitFor();
      // It has no archive.
      expect(await button(ann, "Archive").count()).toBe(0);
      const url = await makeLink(ann);

      await deploy(current);
      await enter(ben, url);
      await expect.poll(() => listOf(ben), slow).toEqual(["milk", "x bread", "eggs"]);
      await pinned(ben).waitFor();
      expect(await textOf(ben).count()).toBe(0);

      // Both without a network: one in the text, the other one in the list.
      await ann.context().setOffline(true);
      await ben.context().setOffline(true);
      await textOf(ann).fill("[x] milk\n[x] bread\n[ ] eggs\n[ ] salt");
      await ends(ann, " And ann.");
      const rewording = ben.getByRole("textbox", { name: "Words of item 2" });
      await rewording.fill("rye bread");
      await rewording.press("Alt+ArrowUp");
      await ben.getByRole("textbox", { name: "Add an item" }).fill("cheese");
      await ben.getByRole("textbox", { name: "Add an item" }).press("Enter");
      await expect.poll(() => listOf(ben), slow).toEqual(["x rye bread", "milk", "eggs", "cheese"]);
      await editorOf(ben).focus();
      await ben.keyboard.press("Control+Home");
      await ben.keyboard.type("Ben: ");
      await ann.context().setOffline(false);
      await ben.context().setOffline(false);

      await expect.poll(() => editorOf(ben).innerText(), slow).toBe("Ben: For Saturday. And ann.");
      await expect.poll(() => editorOf(ann).innerText(), slow).toBe("Ben: For Saturday. And ann.");
      await expect
        .poll(async () => (await listOf(ben)).toSorted(), slow)
        .toEqual(["cheese", "eggs", "salt", "x milk", "x rye bread"]);
      // The older app's text is its own, as it was promised: what newer apps do to the list is not in it.
      expect(await textOf(ann).inputValue()).toBe("[x] milk\n[x] bread\n[ ] eggs\n[ ] salt");

      // Plain fields go both ways: what is archived is not pinned, and pinned is pinned.
      await button(ben, "Archive").click();
      await ben.getByText("This note is in the archive.").waitFor();
      await expect.poll(() => pinned(ann).count(), slow).toBe(0);
      await button(ann, "Pin to the top").click();
      await pinned(ben).waitFor();
      await ben.getByText("This note is in the archive.").waitFor({ state: "detached" });

      // A late line, long after the list was edited; and by a build that stays what it is through a reload.
      await ann.reload();
      await expect.poll(() => textOf(ann).inputValue(), slow).toBe("[x] milk\n[x] bread\n[ ] eggs\n[ ] salt");
      await textOf(ann).fill("[x] milk\n[x] bread\n[ ] eggs\n[ ] salt\n[ ] pepper");
      await expect.poll(() => listOf(ben), slow).toContain("pepper");
      await item(ben, "pepper").check();
      await expect
        .poll(async () => (await listOf(ben)).toSorted(), slow)
        .toEqual(["cheese", "eggs", "salt", "x milk", "x pepper", "x rye bread"]);

      // The new build is offered, and goes on where the older one was.
      const banner = ann.getByRole("region", { name: "New version" });
      await ann.evaluate(async () => (await navigator.serviceWorker.ready).update());
      await banner.getByRole("button", { name: "Reload" }).click();
      await expect.poll(() => listOf(ann), slow).toEqual(await listOf(ben));
      expect(await textOf(ann).count()).toBe(0);
      await expect.poll(() => editorOf(ann).innerText(), slow).toBe("Ben: For Saturday. And ann.");
      await pinned(ann).waitFor();
      await item(ann, "eggs").check();
      await button(ann, "Remove cheese").click();
      await expect
        .poll(async () => (await listOf(ben)).toSorted(), slow)
        .toEqual(["salt", "x eggs", "x milk", "x pepper", "x rye bread"]);
      await ann.goto(`${place.origin}/settings`);
      await ann.getByText("writes notes in form 3;").waitFor();
    },
  );

  test(
    "only reads where its owner requires the current one, sends what it had, and writes again once it is updated",
    { timeout: 180_000 },
    async () => {
      const [ann, ben] = [await arrive(), await arrive()];
      await deploy(current);
      await openApp(ben, place.origin);
      ben.setDefaultTimeout(20_000);
      await addNote(ben, "Groceries", "For Saturday.");
      await button(ben, "Add checklist").click();
      await ben.getByLabel("First item").fill("cheese");
      await ben.getByLabel("First item").press("Enter");
      await expect.poll(() => listOf(ben), slow).toEqual(["cheese"]);
      const url = await makeLink(ben);

      await deploy(older);
      await enter(ann, url);
      await keepBuild(ann);
      await expect.poll(() => editorOf(ann).innerText(), slow).toBe("For Saturday.");
      await ann.context().setOffline(true);
      await button(ann, "Add checklist").click();
      await textOf(ann).fill("[ ] olives");
      await ends(ann, " And ann.");

      await deploy(current);
      await ben.goto(`${place.origin}/settings`);
      await button(ben, "Require this version").click();
      await ben.getByRole("alertdialog").getByRole("button", { name: "Require it" }).click();
      await ben.getByText("Older versions of the app can only read now").first().waitFor();
      await ben.getByRole("link", { name: /Groceries/ }).click();

      await ann.context().setOffline(false);
      await expect.poll(async () => (await listOf(ben)).toSorted(), slow).toEqual(["cheese", "olives"]);
      await expect.poll(() => editorOf(ben).innerText(), slow).toBe("For Saturday. And ann.");
      const needed = ann.getByRole("region", { name: "Needed version" });
      await needed.getByText("What you wrote here before has been sent.").waitFor();
      await expect.poll(() => textOf(ann).getAttribute("readonly"), slow).not.toBeNull();
      await expect.poll(() => editorOf(ann).getAttribute("contenteditable"), slow).toBe("false");
      await expect.poll(() => button(ann, "Pin to the top").count(), slow).toBe(0);

      await needed.getByRole("button", { name: "Update" }).click();
      await expect.poll(async () => (await listOf(ann)).toSorted(), slow).toEqual(["cheese", "olives"]);
      expect(await needed.count()).toBe(0);
      await item(ann, "olives").check();
      await expect.poll(async () => (await listOf(ben)).toSorted(), slow).toEqual(["cheese", "x olives"]);
    },
  );

  test(
    "of the first version leaves alone what it does not know, and shows it once it is updated",
    { timeout: 180_000 },
    async () => {
      const [ann, ben] = [await arrive(), await arrive()];
      await deploy(first);
      await openApp(ann, `${place.origin}/settings`);
      ann.setDefaultTimeout(20_000);
      await ann.getByText("writes notes in form 1;").waitFor();
      await keepBuild(ann);
      await addNote(ann, "Groceries", "For Saturday.");
      expect(await button(ann, "Add checklist").count()).toBe(0);
      expect(await button(ann, "Pin to the top").count()).toBe(0);
      const url = await makeLink(ann);

      await deploy(current);
      await enter(ben, url);
      await button(ben, "Add checklist").click();
      await ben.getByLabel("First item").fill("cheese");
      await ben.getByLabel("First item").press("Enter");
      await button(ben, "Pin to the top").click();
      await pinned(ben).waitFor();
      await ends(ben, " Ben too.");
      await expect.poll(() => editorOf(ann).innerText(), slow).toBe("For Saturday. Ben too.");
      await ends(ann, " And ann.");
      await expect.poll(() => editorOf(ben).innerText(), slow).toBe("For Saturday. Ben too. And ann.");
      expect(await listOf(ben)).toEqual(["cheese"]);
      await pinned(ben).waitFor();

      await ann.evaluate(async () => (await navigator.serviceWorker.ready).update());
      await ann.getByRole("region", { name: "New version" }).getByRole("button", { name: "Reload" }).click();
      await expect.poll(() => listOf(ann), slow).toEqual(["cheese"]);
      await pinned(ann).waitFor();
      await expect.poll(() => editorOf(ann).innerText(), slow).toBe("For Saturday. Ben too. And ann.");
    },
  );
});
