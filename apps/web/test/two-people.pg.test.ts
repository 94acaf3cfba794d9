import { freshDatabase } from "@cairn/testkit/postgres";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser, watchForTrouble } from "./support/browser.ts";
import { type BuiltApp, buildApp } from "./support/built-app.ts";
import { type CairnServer, startCairn } from "./support/cairn-server.ts";
import { scanQrCode } from "./support/scan.ts";
import { addNote, editorOf, openApp, soon } from "./support/steps.ts";

/* Two people, each in a browser profile of their own, and the real server program between them. */

let app: BuiltApp;
let browser: Browser;
let server: CairnServer;
let people: Array<{ readonly context: BrowserContext; readonly trouble: ReadonlyArray<string> }> = [];

beforeAll(async () => {
  app = await buildApp();
  server = await startCairn({ databaseUrl: await freshDatabase(), webFolder: app.directory });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await server.stop();
});
afterEach(async () => {
  const trouble = people.flatMap((person) => person.trouble);
  for (const { context } of people) await context.close();
  people = [];
  if (trouble.length > 0) throw new Error(trouble.join("\n"));
});

const arrive = async (): Promise<Page> => {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  people.push({ context, trouble: watchForTrouble(page) });
  return page;
};

const makeLink = async (page: Page, role: "Write" | "Read"): Promise<string> => {
  await page.getByRole("button", { name: "Share this notebook" }).first().click();
  await page.getByRole("radio", { name: new RegExp(`^${role}`) }).check({ force: true });
  await page.getByRole("button", { name: "Make a link" }).click();
  await page.getByRole("img", { name: "QR code of the link" }).waitFor();
  const url = await page.locator("#made-link").inputValue();
  expect(await scanQrCode(page.getByRole("img", { name: "QR code of the link" }))).toBe(url);
  await page.keyboard.press("Escape");
  await page.getByRole("dialog", { name: /^Share/ }).waitFor({ state: "detached" });
  return url;
};

const join = async (page: Page, url: string, name = "Not named yet"): Promise<void> => {
  await page.goto(url);
  await page.getByText("You are invited to a notebook").waitFor();
  await page.getByText(name).first().waitFor();
  // The secret is gone from the address before the person has decided anything.
  expect(page.url()).toBe(`${server.origin}/join`);
  await page.getByRole("button", { name: "Join", exact: true }).click();
  await page.locator("[data-note-row]").first().click();
  await editorOf(page).waitFor();
};

const ends = async (page: Page, text: string): Promise<void> => {
  await editorOf(page).focus();
  await page.keyboard.press("Control+End");
  await page.keyboard.type(text);
};

describe("a notebook that was shared by a link", () => {
  test("is written by both, also while one of them has no network, and shows the other's picture", async () => {
    const [ann, ben] = [await arrive(), await arrive()];
    await openApp(ann, `${server.origin}/settings`);
    await ann.getByLabel("Name", { exact: true }).fill("Summer in the Alps 🏔️");
    await ann.getByRole("button", { name: "Rename" }).click();
    await ann.getByText("Notebook renamed").waitFor();
    await addNote(ann, "Trip", "start");
    // Who was sent the link is told what it leads to before joining, through a server that cannot read it.
    await join(ben, await makeLink(ann, "Write"), "Summer in the Alps 🏔️");
    await expect.poll(() => editorOf(ben).innerText(), soon).toBe("start");
    await ends(ben, " ben");
    await expect.poll(() => editorOf(ann).innerText(), soon).toBe("start ben");

    await ben.context().setOffline(true);
    await ends(ben, " offline 漢");
    await ann.keyboard.press("Control+Home");
    await editorOf(ann).focus();
    await ann.keyboard.press("Control+Home");
    await ann.keyboard.type("ann 😀 ");
    await ben.context().setOffline(false);
    await expect.poll(() => editorOf(ben).innerText(), { timeout: 20_000 }).toBe("ann 😀 start ben offline 漢");
    await expect.poll(() => editorOf(ann).innerText(), soon).toBe("ann 😀 start ben offline 漢");

    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><rect width="40" height="30"/></svg>';
    await ann
      .locator("[data-attach]")
      .setInputFiles([{ name: "hut.svg", mimeType: "image/svg+xml", buffer: Buffer.from(svg) }]);
    const picture = ben.getByRole("img", { name: "hut.svg" });
    await picture.waitFor();
    await expect.poll(() => picture.evaluate((image: HTMLImageElement) => image.naturalWidth), soon).toBe(40);
    const indicator = ben.getByRole("button", { name: "Sync: Saved here and on the server" });
    await expect.poll(() => indicator.count(), soon).toBeGreaterThan(0);
  });

  test("can be read by who was let in to read, and not changed", async () => {
    const [ann, ben] = [await arrive(), await arrive()];
    await openApp(ann, server.origin);
    await addNote(ann, "Rules", "- [ ] one");
    await join(ben, await makeLink(ann, "Read"));
    await ben.getByText("Read only").waitFor();
    await expect.poll(() => editorOf(ben).getAttribute("contenteditable"), soon).toBe("false");
    expect(await ben.getByRole("checkbox", { name: "one" }).isDisabled()).toBe(true);
    await ends(ann, " more");
    await expect.poll(() => editorOf(ben).innerText(), soon).toContain("one more");
  });

  test("lets nobody in any more once the link is withdrawn", async () => {
    const [ann, ben] = [await arrive(), await arrive()];
    await openApp(ann, server.origin);
    await addNote(ann, "Closed", "words");
    const url = await makeLink(ann, "Write");
    await ann.getByRole("button", { name: "Share this notebook" }).first().click();
    await ann.getByRole("button", { name: "Withdraw Link for writing" }).click();
    await ann.getByRole("alertdialog").getByRole("button", { name: "Withdraw" }).click();
    await ann.getByText("Link withdrawn").waitFor();
    await ben.goto(url);
    await ben.getByText("This link was withdrawn").waitFor();
    await ben.getByRole("button", { name: "Use another link" }).waitFor();
    expect(await ben.getByRole("button", { name: "Join", exact: true }).count()).toBe(0);
    expect(await ben.locator("[data-note-row]").count()).toBe(0);
  });
});
