import { freshDatabase } from "@cairn/testkit/postgres";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { axeViolations, launchBrowser, watchForTrouble } from "./support/browser.ts";
import { type BuiltApp, buildApp } from "./support/built-app.ts";
import { type CairnServer, startCairn } from "./support/cairn-server.ts";
import { addNote, openApp } from "./support/steps.ts";

/** The server program that takes in only who was invited, and a person who has the code. */

let app: BuiltApp;
let browser: Browser;
let server: CairnServer;

beforeAll(async () => {
  app = await buildApp();
  const env = { CAIRN_REGISTRATION: "invite", CAIRN_INVITE: "spring,autumn" };
  server = await startCairn({ databaseUrl: await freshDatabase(), webFolder: app.directory, env });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await server.stop();
});

describe("a server that asks for an invitation", () => {
  test("is given the code where the notebook says that it asks", async () => {
    const page = await (await browser.newContext()).newPage();
    const trouble = watchForTrouble(page);
    await openApp(page, server.origin);
    await addNote(page, "Waits", "for the code");
    await page.getByRole("button", { name: "Sync: This server asks for an invitation" }).first().click();
    const code = page.getByLabel("Invitation code");
    await code.waitFor();
    expect(await axeViolations(page)).toEqual([]);
    await code.fill("winter");
    await page.keyboard.press("Enter");
    await page.getByText("The server does not know this code.").waitFor();
    expect(await axeViolations(page)).toEqual([]);
    await code.fill("autumn");
    await page.getByRole("button", { name: "Use this code" }).click();
    await page.getByText("The server took the code").first().waitFor();
    await page.getByRole("button", { name: "Sync: Saved here and on the server" }).first().waitFor();
    expect(trouble).toEqual([]);
    await page.context().close();
  });

  test("is given the code in the middle of sharing, and the link is made", async () => {
    const page = await (await browser.newContext()).newPage();
    await openApp(page, server.origin);
    await page.getByRole("button", { name: "Share this notebook" }).first().click();
    await page.getByRole("button", { name: "Make a link" }).click();
    await page.getByRole("alert").getByText("This server asks for an invitation").waitFor();
    await page.getByLabel("Invitation code").fill("spring");
    expect(await axeViolations(page)).toEqual([]);
    await page.getByRole("button", { name: "Use this code" }).click();
    await page.getByRole("img", { name: "QR code of the link" }).waitFor();
    await page.context().close();
  });
});
