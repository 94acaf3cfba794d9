import { readFile } from "node:fs/promises";
import { freshDatabase, setPurged } from "@cairn/testkit/postgres";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { axeViolations, launchBrowser, watchForTrouble } from "./support/browser.ts";
import { type BuiltApp, buildApp } from "./support/built-app.ts";
import { type CairnServer, startCairn } from "./support/cairn-server.ts";
import { addNote, editorOf, openApp, soon } from "./support/steps.ts";

/* The sync page on the built app, with a real server that refuses what a person wrote. */

let app: BuiltApp;
let browser: Browser;
let databaseUrl: string;
let server: CairnServer;
let context: BrowserContext;
let page: Page;
let trouble: ReadonlyArray<string>;

beforeAll(async () => {
  app = await buildApp();
  databaseUrl = await freshDatabase();
  server = await startCairn({ databaseUrl, webFolder: app.directory });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await server.stop();
});
beforeEach(async () => {
  context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
  page = await context.newPage();
  trouble = watchForTrouble(page);
});
afterEach(async () => {
  await context.close();
  if (trouble.length > 0) throw new Error(trouble.join("\n"));
});

const inStep = () => page.getByRole("button", { name: "Sync: Saved here and on the server" }).first().waitFor();
const row = (name: string) => page.locator("[data-note-row]", { hasText: name });
const setAside = () => page.getByRole("region", { name: "Set aside" });
const openSync = async (): Promise<void> => {
  await page
    .getByRole("button", { name: /^Sync:/ })
    .filter({ visible: true })
    .first()
    .click();
  await page.getByRole("link", { name: "Show everything" }).click();
  await page.getByRole("heading", { name: "Sync", exact: true }).waitFor();
};
const append = async (text: string): Promise<void> => {
  await editorOf(page).focus();
  await page.keyboard.press("Control+End");
  await page.keyboard.insertText(text);
};

/** A synced note that the server refuses from now on, with an edit that it has refused; the sync page is open. */
const refusedNote = async (): Promise<string> => {
  await openApp(page, server.origin);
  page.setDefaultTimeout(20_000);
  await addNote(page, "Route", "up the valley");
  await inStep();
  const id = new URL(page.url()).pathname.split("/").at(-1) ?? "";
  await setPurged(databaseUrl, id, true);
  await append("\nover the pass");
  await page
    .getByRole("button", { name: /^Sync: .*(refused|set aside|deleted)/i })
    .first()
    .waitFor();
  await openSync();
  await setAside().getByRole("heading", { name: "Route" }).waitFor();
  return id;
};

describe("a dead letter on the page", () => {
  test("says why, holds up nothing else, is saved as a copy, and goes out when it is tried again", async () => {
    const id = await refusedNote();
    expect(await setAside().innerText()).toMatch(/1 edit/);
    await setAside()
      .getByText(/What happened/)
      .click();
    await setAside()
      .getByText(/set aside/)
      .first()
      .waitFor();
    expect(await axeViolations(page)).toEqual([]);

    await addNote(page, "Other", "goes on");
    await expect
      .poll(
        () =>
          page
            .getByRole("button", { name: /^Sync:/ })
            .first()
            .getAttribute("aria-label"),
        soon,
      )
      .not.toMatch(/Saving|sending/);
    await openSync();
    expect(await setAside().getByRole("heading", { level: 3 }).allInnerTexts()).toEqual(["Route"]);

    const download = page.waitForEvent("download");
    await setAside().getByRole("button", { name: "Save a copy" }).click();
    const file = await (await download).path();
    expect(await readFile(file, "utf8")).toContain("over the pass");

    await setPurged(databaseUrl, id, false);
    await setAside().getByRole("button", { name: "Try again" }).click();
    await expect.poll(() => setAside().count(), soon).toBe(0);
    await inStep();
    await row("Route").click();
    await expect.poll(() => editorOf(page).innerText(), soon).toContain("over the pass");
  });

  test("is given up only after showing what is lost", async () => {
    await refusedNote();
    await setAside().getByRole("button", { name: "Give up…" }).click();
    const dialog = page.getByRole("dialog", { name: /Give up edits of "Route"/ });
    await dialog.getByText("over the pass").waitFor();
    expect(await dialog.getByRole("list", { name: "What changes" }).innerText()).toMatch(/Lost:\s*over the pass/);
    expect(await axeViolations(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Keep them" }).click();
    await dialog.waitFor({ state: "detached" });
    expect(await setAside().count()).toBe(1);

    await setAside().getByRole("button", { name: "Give up…" }).click();
    await dialog.getByRole("button", { name: "Give up 1 edit" }).click();
    await expect.poll(() => setAside().count(), soon).toBe(0);
    await row("Route").click();
    await expect.poll(() => editorOf(page).innerText(), soon).toBe("up the valley");
  });

  test("is kept as a new note, and the old one is as the server has it", async () => {
    await refusedNote();
    await setAside().getByRole("button", { name: "Keep as a new note" }).click();
    await page.getByText("Kept as a new note", { exact: true }).waitFor();
    await expect.poll(() => setAside().count(), soon).toBe(0);
    await page.getByRole("button", { name: "Open", exact: true }).click();
    await expect.poll(() => editorOf(page).innerText(), soon).toBe("up the valley\nover the pass");
    await expect.poll(() => row("Route").count(), soon).toBe(2);
    await inStep();
  });
});

describe("steering", () => {
  test("pause holds edits back, resume sends them; the report says nothing private", async () => {
    await openApp(page, server.origin);
    page.setDefaultTimeout(20_000);
    await addNote(page, "Secret plans", "at midnight");
    await inStep();
    await openSync();
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "Resume" }).waitFor();
    await row("Secret plans").click();
    await append(" behind the mill");
    const id = new URL(page.url()).pathname.split("/").at(-1) ?? "";
    await openSync();
    await expect.poll(() => page.getByRole("region", { name: "Outbox" }).innerText(), soon).toContain("Secret plans");
    await page.getByRole("button", { name: "Copy report" }).click();
    await page.getByRole("button", { name: "Report copied" }).waitFor();
    const report = await page.evaluate(() => navigator.clipboard.readText());
    expect(report.length).toBeGreaterThan(50);
    for (const secret of ["Secret", "midnight", "mill", "Chrome on"]) expect(report).not.toContain(secret);
    expect(id).toMatch(/^[\w-]{22}$/);
    expect(report).not.toContain(id);
    await page.getByRole("button", { name: "Resume" }).click();
    await inStep();
    await expect.poll(() => page.getByRole("region", { name: "Outbox" }).innerText(), soon).toContain("Nothing waits");
  });

  test("offline is simulated and taken back", async () => {
    await openApp(page, server.origin);
    page.setDefaultTimeout(20_000);
    await addNote(page, "Cellar", "potatoes");
    await inStep();
    await openSync();
    await page.getByRole("switch", { name: "Simulate being offline" }).click();
    await page
      .getByRole("button", { name: /^Sync: Offline/ })
      .first()
      .waitFor();
    await row("Cellar").click();
    await append(" and apples");
    await openSync();
    await expect.poll(() => page.getByRole("img", { name: /^Waiting to be sent: now 1 note/ }).count(), soon).toBe(1);
    await page.getByRole("switch", { name: "Simulate being offline" }).click();
    await inStep();
  });
});
