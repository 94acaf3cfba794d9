import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { axeViolations, launchBrowser, watchForTrouble } from "./support/browser.ts";
import { type BuiltApp, buildApp } from "./support/built-app.ts";
import { type ServedApp, serveApp } from "./support/serve-app.ts";
import { addNote, editorOf, openApp } from "./support/steps.ts";

let app: BuiltApp;
let served: ServedApp;
let browser: Browser;

beforeAll(async () => {
  app = await buildApp();
  served = await serveApp(app.directory);
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await served.close();
});

const rich =
  "## Route\n\nWith **bold**, *slant*, `code` and a [link](https://example.org).\n\n- [x] map\n- [ ] rope\n\n> quoted\n\n1. one\n2. two\n\n```\nblock\n```\n";

describe.each([
  ["light", 1280],
  ["dark", 1280],
  ["light", 390],
  ["dark", 390],
] as const)("axe finds nothing, %s at %i pixels", (colorScheme, width) => {
  let context: BrowserContext;
  let page: Page;
  let trouble: ReadonlyArray<string>;

  beforeEach(async () => {
    context = await browser.newContext({ colorScheme, viewport: { width, height: 844 }, hasTouch: width < 500 });
    page = await context.newPage();
    trouble = watchForTrouble(page);
  });
  afterEach(async () => {
    if (trouble.length > 0) throw new Error(trouble.join("\n"));
    await context.close();
  });

  test("on the first page, the list, a note and its menu", async () => {
    await openApp(page, served.origin);
    expect(await page.evaluate(() => document.documentElement.dataset["theme"])).toBe(colorScheme);
    await page.getByRole("heading", { name: "Start with a line" }).filter({ visible: true }).waitFor();
    expect(await axeViolations(page)).toEqual([]);
    await addNote(page, "Alps", rich, "trip");
    await editorOf(page).locator(".md-task").first().waitFor();
    await page.getByRole("button", { name: "Add checklist" }).click();
    await page.getByLabel("First item").fill("milk");
    await page.keyboard.press("Enter");
    await page.getByRole("checkbox", { name: "milk" }).check();
    await page.getByRole("button", { name: "Pin to the top", exact: true }).click();
    await page.getByRole("button", { name: "Unpin", exact: true }).waitFor();
    expect(await axeViolations(page)).toEqual([]);
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("menuitem", { name: "Delete note" }).waitFor();
    expect(await axeViolations(page)).toEqual([]);
    await page.goto(`${served.origin}/`);
    await page.locator("[data-note-row]").waitFor();
    expect(await axeViolations(page)).toEqual([]);
    await page.getByRole("button", { name: /^Sync/ }).filter({ visible: true }).click();
    await page.getByRole("dialog").waitFor();
    expect(await axeViolations(page)).toEqual([]);
  });

  test("on sync, settings, deleted notes, joining, an unknown address and the insecure page", async () => {
    for (const path of ["/sync", "/settings", "/deleted", "/join", "/nowhere", "/note/short"]) {
      await page.goto(served.origin + path);
      await page.getByRole("heading", { level: 1 }).filter({ visible: true }).waitFor();
      if (path === "/sync") await page.getByRole("heading", { name: "Outbox" }).waitFor();
      if (path === "/settings") await page.getByRole("heading", { name: "Devices" }).waitFor();
      expect({ path, found: await axeViolations(page) }).toEqual({ path, found: [] });
    }
    await page.goto(`${served.origin}/insecure.html`);
    expect(await axeViolations(page)).toEqual([]);
  });

  test("in the dialogs", async () => {
    await openApp(page, served.origin);
    await page.getByRole("button", { name: "Share this notebook" }).first().click();
    await page.getByRole("dialog").waitFor();
    expect(await axeViolations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("Control+/");
    await page.getByRole("heading", { name: "Keyboard shortcuts" }).waitFor();
    expect(await axeViolations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: /^Notebook/ }).click();
    await page.getByRole("menuitem", { name: "New notebook" }).click();
    await page.getByRole("heading", { name: "New notebook" }).waitFor();
    expect(await axeViolations(page)).toEqual([]);
  });
});

test("on a phone every target is at least 44 pixels high or apart from its neighbours", async () => {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  const page = await context.newPage();
  await openApp(page, served.origin);
  const small = (): Promise<ReadonlyArray<string>> =>
    page.evaluate(() => {
      const hit = (element: Element): number => {
        const box = element.getBoundingClientRect();
        const around = ["::before", "::after"].map((pseudo) => {
          const style = getComputedStyle(element, pseudo);
          return style.content === "none" ? 0 : -Number.parseFloat(style.top) - Number.parseFloat(style.bottom);
        });
        return box.height + Math.max(0, ...around.filter((extra) => Number.isFinite(extra)));
      };
      return (
        [...document.querySelectorAll("button, a[href], input, select, textarea")]
          .filter(
            (element) => element.checkVisibility() && !element.closest(".sr-only") && !element.matches(".sr-only"),
          )
          .filter((element) => element.getBoundingClientRect().width > 1)
          // A link inside a sentence is as high as its line.
          .filter((element) => !(element instanceof HTMLAnchorElement && element.closest("p")))
          .filter((element) => hit(element) < 43.5)
          .map(
            (element) =>
              `${element.tagName} ${element.getAttribute("aria-label") ?? element.textContent} ${hit(element)}`,
          )
      );
    });
  expect(await small()).toEqual([]);
  await page.getByRole("button", { name: "New note" }).filter({ visible: true }).last().tap();
  await editorOf(page).waitFor();
  expect(await small()).toEqual([]);
  await page.getByRole("button", { name: "Add checklist" }).tap();
  await page.getByLabel("First item").fill("milk");
  await page.keyboard.press("Enter");
  await page.getByRole("checkbox", { name: "milk" }).tap();
  await page.getByRole("button", { name: "Remove ticked" }).waitFor();
  expect(await small()).toEqual([]);
  await page.goto(`${served.origin}/settings`);
  await page.getByRole("heading", { name: "Devices" }).waitFor();
  expect(await small()).toEqual([]);
  await context.close();
});
