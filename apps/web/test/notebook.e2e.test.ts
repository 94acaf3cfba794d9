import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { launchBrowser, watchForTrouble } from "./support/browser.ts";
import { type BuiltApp, buildApp } from "./support/built-app.ts";
import { type ServedApp, serveApp } from "./support/serve-app.ts";
import { addNote, editorOf, soon, openApp } from "./support/steps.ts";

/*
 * The notebook as a person uses it, on the built app in a real Chromium, signed out and without a Cairn server: all of
 * this works from the first second on the device alone.
 */

let app: BuiltApp;
let served: ServedApp;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let trouble: ReadonlyArray<string>;

beforeAll(async () => {
  app = await buildApp("test");
  served = await serveApp(app.directory);
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await served.close();
  await app.remove();
});
beforeEach(async () => {
  context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
  page = await context.newPage();
  trouble = watchForTrouble(page);
});
afterEach(async () => {
  if (trouble.length > 0) throw new Error(trouble.join("\n"));
  await context.close();
});

describe("from the first line", () => {
  test("a line typed on the first page is a note, and is there after a reload", async () => {
    await openApp(page, served.origin);
    await page.getByLabel("A new note").fill("Buy a map 🗺️");
    await page.getByLabel("A new note").press("Control+Enter");
    await expect.poll(() => editorOf(page).innerText(), soon).toContain("Buy a map 🗺️");
    await page.reload();
    await page.getByRole("link", { name: /Buy a map/ }).waitFor();
    await expect.poll(() => editorOf(page).innerText(), soon).toContain("Buy a map 🗺️");
  });

  test("by keyboard alone: make, title, write, tag, search, delete, undo", async () => {
    await openApp(page, served.origin);
    await page.keyboard.press("Control+Alt+n");
    await page.getByLabel("Title", { exact: true }).waitFor();
    await expect.poll(() => page.evaluate(() => document.activeElement?.id), soon).toBe("note-title");
    await page.keyboard.type("Alps");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.evaluate(() => document.activeElement?.className), soon).toContain("cm-content");
    await page.keyboard.type("- [ ] rope");
    await page.keyboard.press("Enter");
    await page.keyboard.type("stove");
    await page.keyboard.press("Control+Enter");
    await expect.poll(() => page.locator(".md-task input").count(), soon).toBe(2);
    expect(await page.getByRole("checkbox", { name: "stove" }).isChecked()).toBe(true);
    expect(await page.getByRole("checkbox", { name: "rope" }).isChecked()).toBe(false);

    // Out of the text by keyboard: nobody is trapped in it.
    await page.keyboard.press("Escape");
    await page.keyboard.press("Shift+Tab");
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.closest(".cm-editor") === null), soon)
      .toBe(true);
    await page.getByLabel("Add a tag").focus();
    await page.keyboard.type("trip");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Remove tag trip" }).waitFor();

    await page.keyboard.press("Control+k");
    await page.keyboard.type("rope");
    await page.getByRole("link", { name: /Alps/ }).waitFor();
    await page.keyboard.press("ArrowDown");
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.hasAttribute("data-note-row")), soon)
      .toBe(true);
    await page.keyboard.press("Enter");

    await page.getByRole("button", { name: "More" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("menuitem", { name: "Delete note" }).waitFor();
    await page.keyboard.press("End");
    await page.keyboard.press("Enter");
    await page.getByText("Note deleted", { exact: true }).waitFor();
    await expect.poll(() => page.getByRole("link", { name: /Alps/ }).count(), soon).toBe(0);
    await page.getByRole("button", { name: "Undo" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: /Alps/ }).waitFor();
  });
});

describe("the list", () => {
  test("finds by words and by tag, and opens no document for it", async () => {
    await openApp(page, served.origin);
    await addNote(page, "Bread", "flour and water", "kitchen");
    await addNote(page, "Wall", "dry stone", "garden");
    await page.goto(`${served.origin}/`);
    const rows = page.locator("[data-note-row]");
    await expect.poll(() => rows.count(), soon).toBe(2);
    await page.getByLabel("Search notes").fill("STONE");
    await expect.poll(() => rows.allInnerTexts(), soon).toHaveLength(1);
    expect(await rows.first().innerText()).toContain("Wall");
    await page.getByLabel("Search notes").fill("");
    await page.getByRole("button", { name: "#kitchen" }).click();
    await expect.poll(() => rows.allInnerTexts(), soon).toHaveLength(1);
    expect(await rows.first().innerText()).toContain("Bread");
    // A search or a tag is content: it never shows in the address.
    expect(page.url()).toBe(`${served.origin}/`);
  });

  test("a deleted note waits on its own page and comes back from there", async () => {
    await openApp(page, served.origin);
    await addNote(page, "Old", "words");
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("menuitem", { name: "Delete note" }).click();
    await page.getByRole("button", { name: /^Notebook/ }).click();
    await page.getByRole("menuitem", { name: "Deleted notes" }).click();
    await page.getByRole("button", { name: "Bring back Old" }).click();
    await expect.poll(() => page.locator("[data-note-row]").count(), soon).toBe(1);
  });
});

describe("the editor", () => {
  test("draws Markdown while it is written and shows its marks on the line in hand", async () => {
    await openApp(page, served.origin);
    await addNote(page, "Marks", "");
    await editorOf(page).focus();
    await page.keyboard.insertText(
      "## Head\nsome **bold** and *slanted*, `code`, [link](https://example.org)\n- item\nlast",
    );
    const lines = page.locator(".cm-line");
    await expect.poll(() => lines.nth(0).getAttribute("class"), soon).toContain("md-h2");
    expect(await lines.nth(0).innerText()).toBe("Head");
    expect(await lines.nth(1).innerText()).toBe("some bold and slanted, code, link");
    expect(await lines.nth(1).locator(".md-strong").innerText()).toBe("bold");
    expect(await lines.nth(2).locator(".md-bullet").count()).toBe(1);
    await page.keyboard.press("Control+Home");
    await expect.poll(() => lines.nth(0).innerText(), soon).toBe("## Head");
  });

  test("undoes and redoes", async () => {
    await openApp(page, served.origin);
    await addNote(page, "Steps", "");
    await editorOf(page).focus();
    await page.keyboard.type("one");
    // Longer than the time within which edits are one step.
    await page.waitForTimeout(800);
    await page.keyboard.type(" two");
    await page.keyboard.press("Control+z");
    await expect.poll(() => editorOf(page).innerText(), soon).toBe("one");
    await page.keyboard.press("Control+y");
    await expect.poll(() => editorOf(page).innerText(), soon).toBe("one two");
  });

  test("ticks a task by a click and writes it into the text", async () => {
    await openApp(page, served.origin);
    await addNote(page, "List", "- [ ] rope\n- [x] map");
    await page.getByRole("checkbox", { name: "rope" }).click();
    await expect.poll(() => page.getByRole("checkbox", { name: "rope" }).isChecked(), soon).toBe(true);
    await page.reload();
    await expect.poll(() => page.getByRole("checkbox", { name: "rope" }).isChecked(), soon).toBe(true);
    await expect.poll(() => page.locator("[data-note-row]").innerText(), soon).toContain("2/2");
  });

  test("two tabs write into one note at once and end up with the same text", async () => {
    await openApp(page, served.origin);
    await addNote(page, "Both", "middle");
    const other = await context.newPage();
    await other.goto(page.url());
    await expect.poll(() => editorOf(other).innerText(), soon).toBe("middle");
    await Promise.all([
      editorOf(page)
        .focus()
        .then(() => page.keyboard.press("Control+Home"))
        .then(() => page.keyboard.type("left 😀 ")),
      editorOf(other)
        .focus()
        .then(() => other.keyboard.press("Control+End"))
        .then(() => other.keyboard.type(" right 漢")),
    ]);
    await expect.poll(() => editorOf(page).innerText(), soon).toBe("left 😀 middle right 漢");
    await expect.poll(() => editorOf(other).innerText(), soon).toBe("left 😀 middle right 漢");
    // The other person's words are not one's own to undo.
    await page.bringToFront();
    await editorOf(page).focus();
    // How many keystrokes one undo takes back depends on what the other person typed between them.
    for (let undone = 0; undone < "left 😀 ".length; undone += 1) {
      if ((await editorOf(page).innerText()) === "middle right 漢") break;
      await page.keyboard.press("Control+z");
    }
    await expect.poll(() => editorOf(other).innerText(), soon).toBe("middle right 漢");
  });

  test("shows a picture in the note, and another file as a card", async () => {
    await openApp(page, served.origin);
    await addNote(page, "Files", "text");
    const png = Buffer.from(
      "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
      "base64",
    );
    await page.locator("[data-attach]").setInputFiles([
      { name: "dot.png", mimeType: "image/png", buffer: png },
      { name: "notes.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.4 not really") },
    ]);
    await page.getByRole("img", { name: "dot.png" }).waitFor();
    await expect
      .poll(
        () => page.getByRole("img", { name: "dot.png" }).evaluate((image: HTMLImageElement) => image.naturalWidth),
        soon,
      )
      .toBe(1);
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save notes.pdf to this device" }).click();
    expect((await download).suggestedFilename()).toBe("notes.pdf");
  });
});

describe("signing out", () => {
  test("says what only this device has, deletes it when that is confirmed, and all tabs start over", async () => {
    await openApp(page, served.origin);
    await addNote(page, "Diary", "dear diary");
    const other = await context.newPage();
    await other.goto(page.url());
    await expect.poll(() => editorOf(other).innerText(), soon).toBe("dear diary");
    await page.bringToFront();
    await page.goto(`${served.origin}/settings`);
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    const question = page.getByRole("alertdialog", { name: "Sign out of this device?" });
    await question.getByText("on this device alone").waitFor();
    await question.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await question.getByRole("button", { name: "Sign out and lose them" }).click();
    for (const tab of [page, other]) {
      await tab.getByLabel("A new note").waitFor();
      expect(await tab.getByRole("link", { name: /Diary/ }).count()).toBe(0);
    }
    await page.reload();
    await page.getByLabel("A new note").waitFor();
    expect(await page.getByRole("link", { name: /Diary/ }).count()).toBe(0);
  });
});
