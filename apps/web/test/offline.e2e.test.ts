import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { insecureHost, launchBrowser, watchForTrouble } from "./support/browser.ts";
import { type BuiltApp, buildApp } from "./support/built-app.ts";
import { type ServedApp, serveApp } from "./support/serve-app.ts";
import { addNote, editorOf, openApp, reloadSaved, soon } from "./support/steps.ts";

let older: BuiltApp;
let newer: BuiltApp;
let browser: Browser;
let served: ServedApp;
let context: BrowserContext;
let page: Page;
let trouble: ReadonlyArray<string>;

beforeAll(async () => {
  older = await buildApp("1.0.0-older");
  newer = await buildApp("2.0.0-newer");
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
});
beforeEach(async () => {
  served = await serveApp(older.directory);
  context = await browser.newContext();
  page = await context.newPage();
  trouble = watchForTrouble(page);
});
afterEach(async () => {
  if (trouble.length > 0) throw new Error(trouble.join("\n"));
  await context.close();
  await served.close();
});

/** Until the service worker has the whole build. */
const cached = async (): Promise<void> => {
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
};
const controlled = (): Promise<boolean> => page.evaluate(() => navigator.serviceWorker.controller !== null);

describe("without a network", () => {
  test("the notebook starts, with its notes, its editor and its search", async () => {
    await openApp(page, served.origin);
    await addNote(page, "Kept", "these words");
    await page.locator("[data-note-row]", { hasText: "these words" }).waitFor();
    await cached();
    await served.close();
    await page.reload();
    expect(await controlled()).toBe(true);
    await expect.poll(() => editorOf(page).innerText(), soon).toBe("these words");
    await page.getByLabel("Search notes").fill("these");
    await page.locator("[data-note-row]", { hasText: "Kept" }).waitFor();
    await page.getByLabel("Search notes").fill("");
    await addNote(page, "Offline", "written without a network");
    await page.locator("[data-note-row]", { hasText: "written without a network" }).waitFor();
    await reloadSaved(page);
    await page.locator("[data-note-row]", { hasText: "Offline" }).waitFor();
    // Pages that were never opened while there was a network.
    await page.goto(`${served.origin}/settings`);
    await expect.poll(() => page.getByRole("heading", { name: "Backup" }).count(), soon).toBe(1);
  });
});

describe("a new build", () => {
  /** Two tabs of the older build, to which the newer one is offered. */
  const offered = async (): Promise<Page> => {
    await openApp(page, served.origin);
    await cached();
    await page.reload();
    const other = await context.newPage();
    await other.goto(`${served.origin}/settings`);
    await other.getByText("1.0.0-older").waitFor();
    // A tab in the background draws one frame a second.
    await page.bringToFront();
    served.serve(newer.directory);
    await page.evaluate(async () => (await navigator.serviceWorker.ready).update());
    await page.getByRole("region", { name: "New version" }).waitFor();
    return other;
  };
  const accept = (): Promise<void> =>
    page.getByRole("region", { name: "New version" }).getByRole("button", { name: "Reload" }).click();

  test("is offered, is never mixed with the old one, and takes over in every tab when accepted", async () => {
    const other = await offered();

    // The server has only the new build by now; the old one goes on with its own files, reloads and lazy parts included.
    await page.goto(`${served.origin}/settings`);
    await page.getByText("1.0.0-older").waitFor();
    await page.keyboard.press("Control+/");
    await page.getByRole("heading", { name: "Keyboard shortcuts" }).waitFor();
    await page.keyboard.press("Escape");

    // What the tabs ask of the server does not keep the old build awake.
    for (const tab of [page, other]) {
      await tab.evaluate(() => {
        setInterval(() => void fetch("/v1/server"), 5);
      });
    }
    await accept();
    await page.getByText("2.0.0-newer").waitFor();
    await expect.poll(() => other.getByText("2.0.0-newer").count(), soon).toBe(1);
  });

  test("takes over as well where files of the old one are asked for at that moment", async () => {
    const other = await offered();
    await page.goto(`${served.origin}/settings`);
    await page.getByText("1.0.0-older").waitFor();
    await other.evaluate(() => {
      const asking = setInterval(() => void fetch("/index.html"), 5);
      setTimeout(() => clearInterval(asking), 2000);
    });
    await accept();
    await expect.poll(() => other.getByText("2.0.0-newer").count(), soon).toBe(1);
    await page.getByText("2.0.0-newer").waitFor();
  });
});

describe("the secret of a join link", () => {
  const secret = "1.s3cretS3cretS3cret";

  test("leaves the address before the app's own code has even arrived", async () => {
    await page.route(/\/assets\/index-.*\.js$/, (route) => route.abort());
    const asked: Array<string> = [];
    page.on("request", (request) => asked.push(`${request.url()} ${JSON.stringify(request.headers())}`));
    await page.goto(`${served.origin}/join#${secret}`, { waitUntil: "commit" });
    await expect.poll(() => page.evaluate(() => location.href), soon).toBe(`${served.origin}/join`);
    expect(await page.evaluate(() => history.state as unknown)).toBeNull();
    // The document itself was asked for by the address as it was typed; the browser sends no fragment.
    expect(asked.slice(1).filter((request) => request.includes(secret))).toEqual([]);
  });

  test("is handed over in memory, once, and forgotten by a reload", async () => {
    await page.goto(`${served.origin}/join#${secret}`);
    // This one is no whole link: the app got it, and says so.
    await page.getByText("This link is damaged").waitFor();
    expect(await page.evaluate(() => window.cairnJoin?.take())).toBeUndefined();
    const stored = await page.evaluate(
      () => [localStorage, sessionStorage].map((storage) => JSON.stringify(storage)).join() + document.cookie,
    );
    expect(stored).not.toContain(secret);
    await page.reload();
    await page.getByRole("heading", { name: "Join a notebook" }).waitFor();
  });

  test("is taken as well from a link opened in a tab that already shows the page", async () => {
    await page.goto(`${served.origin}/join`);
    await page.getByRole("heading", { name: "Join a notebook" }).waitFor();
    await page.evaluate((fragment) => {
      location.hash = fragment;
    }, secret);
    await page.getByText("This link is damaged").waitFor();
    expect(page.url()).toBe(`${served.origin}/join`);
  });
});

test("an insecure address shows why and what to do, and runs nothing", async () => {
  const port = new URL(served.origin).port;
  await page.goto(`http://${insecureHost}:${port}/`);
  await page.waitForURL(`http://${insecureHost}:${port}/insecure.html`);
  await page.getByRole("heading", { name: "This address cannot keep a secret" }).waitFor();
  expect(await page.getByText("CAIRN_TLS_CERT").isVisible()).toBe(true);
  expect(await page.evaluate(() => indexedDB.databases())).toEqual([]);
});
