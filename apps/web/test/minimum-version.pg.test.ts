import { type Cairn, openCairn, type Workspace } from "@cairn/client";
import { freshDatabase } from "@cairn/testkit/postgres";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type NotebookSchema, schema } from "../src/notebook/schema.ts";
import { axeViolations, launchBrowser, watchForTrouble } from "./support/browser.ts";
import { type BuiltApp, buildApp } from "./support/built-app.ts";
import { type CairnServer, startCairn } from "./support/cairn-server.ts";
import { addNote, editorOf, engineReady, openApp, soon } from "./support/steps.ts";

/* The notebook in a browser beside devices whose app has another version of the notebook's documents. */

let app: BuiltApp;
let browser: Browser;
let server: CairnServer;
beforeAll(async () => {
  app = await buildApp();
  server = await startCairn({ databaseUrl: await freshDatabase(), webFolder: app.directory });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await server.stop();
});

let context: BrowserContext;
let page: Page;
let trouble: ReadonlyArray<string>;
let folder: string;
let device: Cairn<NotebookSchema>;
beforeEach(async () => {
  context = await browser.newContext();
  page = await context.newPage();
  page.setDefaultTimeout(15_000);
  trouble = watchForTrouble(page);
  folder = await mkdtemp(join(tmpdir(), "cairn-device-"));
});
afterEach(async () => {
  await context.close();
  await device.close();
  await rm(folder, { recursive: true, force: true });
  if (trouble.length > 0) throw new Error(trouble.join("\n"));
});

/** A device beside the browser, whose app has this version. */
const openDevice = async (version: number): Promise<Workspace<NotebookSchema>> => {
  device = await openCairn({ schema: { ...schema, version }, directory: folder, server: server.origin });
  return device.workspace();
};

const bodyIn = async (notebook: Workspace<NotebookSchema>): Promise<string> => {
  const [row] = await notebook.query("note");
  return row?.fields.body ?? "";
};
const banner = () => page.getByRole("region", { name: "Needed version" });
const sent = async (words: string): Promise<void> => {
  await expect.poll(() => banner().innerText(), { timeout: 20_000 }).toContain(words);
};

describe("a notebook that asks for a newer version of the app", () => {
  test("shows a banner, can be read and not written, and sends what was written before", async () => {
    const owned = await openDevice(schema.version + 1);
    const note = await owned.create("note", (edit) => {
      edit.title.set("Trip");
      edit.body.insert(0, "start");
    });
    await owned.flush({ tier: "server", timeout: 15_000 });
    const { url } = await owned.createLink({ role: "writer" });
    await page.goto(url);
    await page.getByRole("button", { name: "Join", exact: true }).click();
    await page.locator("[data-note-row]").first().click();
    await expect.poll(() => editorOf(page).innerText(), soon).toBe("start");
    expect(await banner().count()).toBe(0);
    const second = await context.newPage();
    await openApp(second, server.origin);
    await page.bringToFront();

    // Written without the network, before this device could hear of it.
    await context.setOffline(true);
    await editorOf(page).focus();
    await page.keyboard.press("Control+End");
    await page.keyboard.type(" offline");
    expect(await owned.raiseMinimumVersion()).toBe(schema.version + 1);
    await context.setOffline(false);
    await expect.poll(() => bodyIn(owned), { timeout: 20_000 }).toBe("start offline");
    await sent("This notebook needs a newer version of the app.");
    await sent("What you wrote here before has been sent.");

    await expect.poll(() => editorOf(page).getAttribute("contenteditable"), soon).toBe("false");
    await page.getByText("Read only").waitFor();
    expect(await page.getByLabel("Title", { exact: true }).getAttribute("readonly")).not.toBeNull();
    expect(await axeViolations(page)).toEqual([]);
    await page.keyboard.press("Control+Alt+n");
    await page.getByText("This notebook needs a newer version of the app", { exact: true }).first().waitFor();
    expect((await owned.query("note")).length).toBe(1);
    // What others write still arrives.
    note.edit((edit) => edit.body.insert(0, "new "));
    await expect.poll(() => editorOf(page).innerText(), soon).toBe("new start offline");

    // Every tab says so, and a page that is loaded without the network.
    await second.getByRole("region", { name: "Needed version" }).waitFor();
    await second.close();
    await page.waitForFunction(async () => (await navigator.serviceWorker.ready).active?.state === "activated");
    await page.reload();
    await engineReady(page);
    await context.setOffline(true);
    await page.reload();
    await engineReady(page);
    await banner().waitFor();
    await context.setOffline(false);

    // By keyboard; there is no newer build on this server.
    await banner().getByRole("button", { name: "Update" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("There is no newer version to be had yet").first().waitFor();
    await page.goto(`${server.origin}/settings`);
    await page.getByRole("heading", { name: "Devices" }).waitFor();
    await expect.poll(() => page.getByRole("button", { name: "Import" }).isDisabled(), soon).toBe(true);
    expect(await page.getByRole("heading", { name: "Older versions of the app" }).count()).toBe(0);
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(server.origin);
    await banner().filter({ visible: true }).waitFor();
    expect(await axeViolations(page)).toEqual([]);
  });
});

describe("an owner", () => {
  test("requires this version of the app in the settings, after being told what happens", async () => {
    await openApp(page, server.origin);
    await addNote(page, "Trip", "start");
    await page.getByRole("button", { name: "Share this notebook" }).first().click();
    await page.getByRole("radio", { name: /^Write/ }).check({ force: true });
    await page.getByRole("button", { name: "Make a link" }).click();
    await page.getByRole("img", { name: "QR code of the link" }).waitFor();
    const url = await page.locator("#made-link").inputValue();
    await openDevice(schema.version - 1);
    const joined = await device.join(url);
    await expect.poll(() => bodyIn(joined), { timeout: 20_000 }).toBe("start");

    await page.goto(`${server.origin}/settings`);
    const ask = page.getByRole("button", { name: "Require this version" });
    await ask.focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("alertdialog", { name: "Require this version of the app?" });
    await dialog.getByText("This cannot be taken back.").waitFor();
    expect(await axeViolations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    expect(joined.minimumVersion()).toBe(1);
    await ask.click();
    await dialog.getByRole("button", { name: "Require it" }).click();
    await page.getByText("Older versions of the app can only read now").first().waitFor();
    await page.getByText("and write again once they are updated").waitFor();
    expect(await ask.count()).toBe(0);
    await expect
      .poll(() => joined.sync().appOutdated, soon)
      .toEqual({
        version: schema.version - 1,
        minimum: schema.version,
      });
    await expect(joined.create("note")).rejects.toMatchObject({ code: "app-outdated" });
    expect(await page.getByRole("region", { name: "Needed version" }).count()).toBe(0);
  });
});
