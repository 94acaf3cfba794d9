import { ServerPlace, WatchingProxy } from "@cairn/testkit/server-program";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterEach, expect, test } from "vitest";
import { bitmap } from "./support/bitmap.ts";
import { launchBrowser, watchForTrouble } from "./support/browser.ts";
import { buildApp } from "./support/built-app.ts";
import { addNote, editorOf, openApp } from "./support/steps.ts";

/*
 * A large picture in the browser: attached without a server, sent to one that is killed twice, and seen on another device.
 * `CAIRN_PICTURE_MEGABYTES` makes it another size.
 */

const MEGABYTE = 1024 * 1024;
const megabytes = Number(process.env["CAIRN_PICTURE_MEGABYTES"] ?? 12);
const WIDTH = 4_200;

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const leave: Array<() => Promise<void>> = [];
afterEach(async () => {
  for (const end of leave.splice(0).toReversed()) await end();
});

const arrive = async (browser: Browser): Promise<Page> => {
  const context: BrowserContext = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const trouble = watchForTrouble(page);
  leave.push(async () => {
    await context.close();
    expect(trouble).toEqual([]);
  });
  return page;
};

/** The hash of the file that a person gets who saves the attachment. */
const savedHash = async (page: Page, name: string): Promise<string> => {
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: `Save ${name} to this device` }).click();
  return hashOf(await readFile(await (await download).path()));
};

test(`a picture of ${megabytes} MiB goes up through a server that dies twice, no acknowledged piece twice, and is the same elsewhere`, async () => {
  const app = await buildApp();
  const proxy = await WatchingProxy.listen();
  const place = await ServerPlace.make({ publicUrl: proxy.origin, environment: { CAIRN_WEB_DIR: app.directory } });
  proxy.target = place.origin;
  leave.push(
    () => place.leave(),
    () => proxy.close(),
  );
  const browser = await launchBrowser();
  leave.push(() => browser.close());
  const picture = bitmap(WIDTH, Math.ceil((megabytes * MEGABYTE) / (3 * WIDTH)));
  const pieces = Math.ceil(picture.length / MEGABYTE);
  const path = place.beside("slope.bmp");
  await writeFile(path, picture);

  await place.start();
  const ann = await arrive(browser);
  await openApp(ann, proxy.origin);
  await addNote(ann, "Slope", "large");
  await ann.getByRole("button", { name: "Sync: Saved here and on the server" }).first().waitFor();
  await ann.getByRole("button", { name: "Share this notebook" }).first().click();
  await ann.getByRole("radio", { name: /^Write/ }).check({ force: true });
  await ann.getByRole("button", { name: "Make a link" }).click();
  await ann.getByRole("img", { name: "QR code of the link" }).waitFor();
  const link = await ann.locator("#made-link").inputValue();
  await ann.keyboard.press("Escape");

  await place.end("SIGKILL");
  await ann.locator("[data-attach]").setInputFiles(path);
  await ann.getByRole("img", { name: "slope.bmp" }).waitFor();
  expect(proxy.uploads.size).toBe(0);
  await place.start();
  for (const part of [1 / 3, 2 / 3]) {
    const breakOff = await proxy.holdAfter(Math.ceil(pieces * part));
    await place.end("SIGKILL");
    breakOff();
    expect(proxy.acknowledged).toBeLessThan(pieces);
    await place.start();
  }
  await ann.getByRole("button", { name: "Sync: Saved here and on the server" }).first().waitFor();
  expect(proxy.uploads.size).toBe(pieces);
  expect([...proxy.uploads.values()].filter(({ acknowledged, again }) => acknowledged !== 1 || again > 0)).toEqual([]);

  const ben = await arrive(browser);
  await ben.goto(link);
  await ben.getByRole("button", { name: "Join", exact: true }).click();
  await ben.locator("[data-note-row]").first().click();
  await ben.getByRole("img", { name: "slope.bmp" }).waitFor();

  // What the text does not show any more is on the shelf, from where it can be saved.
  await editorOf(ben).focus();
  await ben.keyboard.press("Control+a");
  await ben.keyboard.press("Delete");
  for (const page of [ben, ann]) expect(await savedHash(page, "slope.bmp")).toBe(hashOf(picture));
}, 180_000);
