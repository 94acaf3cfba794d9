import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { launchBrowser, watchForTrouble } from "./support/browser.ts";
import { type BuiltApp, buildApp } from "./support/built-app.ts";
import { type ServedApp, serveApp } from "./support/serve-app.ts";
import { addNote, editorOf, openApp, reloadSaved, soon } from "./support/steps.ts";

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
  app = await buildApp();
  served = await serveApp(app.directory);
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await served.close();
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
    await reloadSaved(page);
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

describe("who types faster than the page is there", () => {
  const write = async (text: string): Promise<void> => {
    for (const [index, line] of text.split("\n").entries()) {
      if (index > 0) await page.keyboard.press("Enter");
      await page.keyboard.type(line);
    }
  };

  test("gets one note with all of it: the first line as its title, the rest as its text", async () => {
    await openApp(page, served.origin);
    await page.getByRole("button", { name: "New note" }).first().click();
    await write("Shopping list\nmilk and bread");
    await expect.poll(() => editorOf(page).innerText(), soon).toBe("milk and bread");
    expect(await page.getByLabel("Title", { exact: true }).inputValue()).toBe("Shopping list");
    expect(await page.locator("[data-note-row]").count()).toBe(1);
    await write(" for two");
    await expect.poll(() => editorOf(page).innerText(), soon).toBe("milk and bread for two");
  });

  const title = () => page.getByLabel("Title", { exact: true });

  /** A page whose editor is not loaded before `go` is called. */
  const openSlowly = async (): Promise<() => void> => {
    await context.close();
    context = await browser.newContext({ serviceWorkers: "block" });
    page = await context.newPage();
    trouble = watchForTrouble(page);
    const wait = Promise.withResolvers<void>();
    await page.route(/EditorHost/, async (route) => {
      await wait.promise;
      await route.continue();
    });
    await openApp(page, served.origin);
    return () => wait.resolve();
  };
  const newNote = async (): Promise<void> => {
    await page.keyboard.press("Control+Alt+n");
    await page.waitForFunction(
      () =>
        document.activeElement instanceof HTMLTextAreaElement &&
        document.activeElement.id === "note-title" &&
        document.activeElement.value === "",
    );
  };

  test("also while the editor is being loaded", async () => {
    const go = await openSlowly();
    await newNote();
    await write("Shop\nmilk");
    go();
    await expect.poll(() => editorOf(page).innerText(), soon).toBe("milk");
    expect(await title().inputValue()).toBe("Shop");
  });

  test("finds it in the note that it was written for, and nowhere else", async () => {
    const go = await openSlowly();
    await newNote();
    await write("Private\nmy secret");
    await newNote();
    await write("Shared\n");
    go();
    await expect.poll(() => page.evaluate(() => document.activeElement?.className), soon).toContain("cm-content");
    await write("for all");
    await expect.poll(() => editorOf(page).innerText(), soon).toBe("for all");
    expect(await title().inputValue()).toBe("Shared");
    await page.getByRole("link", { name: /Private/ }).click();
    await expect.poll(() => editorOf(page).innerText(), soon).toBe("my secret");
  });

  test("keeps the cursor and the focus where they are while the first letters of a note are written", async () => {
    await openApp(page, served.origin);
    await newNote();
    await write("Bold\n");
    await expect.poll(() => page.evaluate(() => document.activeElement?.className), soon).toContain("cm-content");
    await page.keyboard.press("Control+b");
    await write("bold");
    await expect.poll(() => editorOf(page).innerText(), soon).toBe("**bold**");
  });

  test("is not called back from where the person has gone meanwhile", async () => {
    await openApp(page, served.origin);
    await page.getByRole("button", { name: "New note" }).first().click();
    await page.getByLabel("Search notes").focus();
    await write("rope");
    await title().waitFor();
    expect(await page.getByLabel("Search notes").inputValue()).toBe("rope");
  });

  test("and goes on after the first words of a kept note", async () => {
    await openApp(page, served.origin);
    await page.getByLabel("A new note").fill("Buy a map");
    await page.getByLabel("A new note").press("Control+Enter");
    await write(" of the Alps");
    await expect.poll(() => editorOf(page).innerText(), soon).toBe("Buy a map of the Alps");
  });
});

describe("the list", () => {
  test("finds by words and by tag, and opens no document for it", async () => {
    await openApp(page, served.origin);
    await addNote(page, "Bread", "flour and water", "kitchen");
    await addNote(page, "Wall", "dry stone", "garden");
    await page.locator("[data-note-row]", { hasText: "garden" }).waitFor();
    await page.goto(`${served.origin}/`);
    const rows = page.locator("[data-note-row]");
    await expect.poll(() => rows.count(), soon).toBe(2);
    await page.getByLabel("Search notes").fill("STONE");
    await expect.poll(() => rows.allInnerTexts(), soon).toHaveLength(1);
    expect(await rows.first().innerText()).toContain("Wall");
    await page.getByLabel("Search notes").fill("");
    await expect.poll(() => rows.count(), soon).toBe(2);
    await page.getByRole("button", { name: "#kitchen" }).click();
    await expect.poll(() => rows.allInnerTexts(), soon).toEqual([expect.stringContaining("Bread")]);
    // A search or a tag is content: it never shows in the address.
    expect(page.url()).toBe(`${served.origin}/`);
    const resources = () => performance.getEntriesByType("resource").map(({ name }) => name);
    const loaded = [
      await page.evaluate(resources),
      ...(await Promise.all(page.workers().map((worker) => worker.evaluate(resources)))),
    ].flat();
    expect(loaded.filter((name) => name.includes("wasm"))).toEqual([]);
  });

  test("has pinned notes on top and archived ones out of sight, by keyboard and by pointer", async () => {
    await openApp(page, served.origin);
    for (const title of ["One", "Two", "Three"]) await addNote(page, title, `${title} text`);
    const rows = page.locator("[data-note-row]");
    const names = async () => (await rows.allInnerTexts()).map((text) => text.split("\n")[0]);
    await expect.poll(names, soon).toEqual(["Three", "Two", "One"]);
    // In the note.
    await page.getByRole("button", { name: "Pin to the top", exact: true }).click();
    await page.getByRole("list", { name: "Pinned" }).getByRole("link", { name: /Three/ }).waitFor();
    await expect.poll(names, soon).toEqual(["Three", "Two", "One"]);
    // In the list, by keyboard: the row's buttons come after the row, and the row keeps the focus where it goes.
    await rows.first().focus();
    await page.keyboard.press("End");
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent), soon).toContain("One");
    await rows.nth(2).click();
    await expect.poll(() => rows.nth(2).getAttribute("aria-current"), soon).toBe("page");
    await rows.nth(2).focus();
    await page.keyboard.press("Tab");
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.getAttribute("aria-label")), soon)
      .toBe("Pin to the top: One");
    await page.keyboard.press("Enter");
    await expect.poll(names, soon).toEqual(["One", "Three", "Two"]);
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent), soon).toContain("One");
    await reloadSaved(page);
    await expect.poll(names, soon).toEqual(["One", "Three", "Two"]);

    // Into the archive, with a way back, and from there.
    await rows.nth(2).hover();
    await page.getByRole("button", { name: "Archive: Two" }).click();
    await expect.poll(names, soon).toEqual(["One", "Three"]);
    await page.getByRole("button", { name: "Undo", exact: true }).last().click();
    await expect.poll(names, soon).toEqual(["One", "Three", "Two"]);
    await rows.nth(2).hover();
    await page.getByRole("button", { name: "Archive: Two" }).click();
    await expect.poll(names, soon).toEqual(["One", "Three"]);
    // A search finds it all the same, and says where it is.
    await page.getByLabel("Search notes").fill("two");
    await expect.poll(names, soon).toEqual(["Two"]);
    await page.getByRole("img", { name: "Archived" }).waitFor();
    await page.getByLabel("Search notes").fill("");
    await page.getByRole("group", { name: "Filter the list" }).getByRole("button", { name: "Archive" }).click();
    await expect.poll(names, soon).toEqual(["Two"]);
    await rows.first().click();
    await page.getByText("This note is in the archive.").waitFor();
    await page.getByRole("button", { name: "Move it back" }).click();
    await page.getByText("The archive is empty.").waitFor();
    await page.getByRole("button", { name: "Show all notes" }).click();
    await expect.poll(names, soon).toEqual(["One", "Three", "Two"]);
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

describe("a checklist", () => {
  const items = (): Promise<ReadonlyArray<string>> =>
    page
      .getByRole("list", { name: "Items" })
      .locator("[data-item]")
      .evaluateAll((rows) =>
        rows.map((row) => {
          const isTicked = row.querySelector("input")?.checked === true;
          return `${isTicked ? "x " : ""}${row.querySelector("textarea")?.value}`;
        }),
      );
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label"));

  test("is written, ticked, put in order and cleared by keyboard, and is there after a reload", async () => {
    await openApp(page, served.origin);
    await addNote(page, "Saturday", "");
    await page.getByRole("button", { name: "Add checklist" }).click();
    await expect.poll(focused, soon).toBe("First item");
    for (const word of ["milk", "bread", "eggs"]) {
      await page.keyboard.type(word);
      await page.keyboard.press("Enter");
    }
    await expect.poll(items, soon).toEqual(["milk", "bread", "eggs"]);
    // Several lines become several items, ticked where they are.
    await page.evaluate(() => {
      const data = new DataTransfer();
      data.setData("text/plain", "[x] salt\n- [ ] pepper");
      document.activeElement?.dispatchEvent(
        new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }),
      );
    });
    await expect.poll(items, soon).toEqual(["milk", "bread", "eggs", "x salt", "pepper"]);
    await expect.poll(focused, soon).toBe("Add an item");
    // Up into the list, ticked and moved from there.
    await page.keyboard.press("ArrowUp");
    await expect.poll(focused, soon).toBe("Words of item 5");
    await page.keyboard.press("Control+Enter");
    await page.keyboard.press("Alt+ArrowUp");
    await expect.poll(items, soon).toEqual(["milk", "bread", "eggs", "x pepper", "x salt"]);
    await expect.poll(focused, soon).toBe("Words of item 4");
    await page.getByText("pepper: 4 of 5").waitFor({ state: "attached" });
    // Another one behind the first.
    await page.getByLabel("Words of item 1").focus();
    await page.keyboard.press("Enter");
    await expect.poll(focused, soon).toBe("Add an item");
    await page.keyboard.type("cream");
    await page.keyboard.press("Enter");
    await expect.poll(items, soon).toEqual(["milk", "cream", "bread", "eggs", "x pepper", "x salt"]);
    await expect.poll(focused, soon).toBe("Add an item");
    await page.keyboard.press("Backspace");
    await expect.poll(focused, soon).toBe("Words of item 2");
    await page.keyboard.press("Control+A");
    await page.keyboard.press("Backspace");
    await page.keyboard.press("Backspace");
    await expect.poll(items, soon).toEqual(["milk", "bread", "eggs", "x pepper", "x salt"]);
    await page.getByRole("checkbox", { name: "milk", exact: true }).press("Space");
    await expect.poll(items, soon).toEqual(["x milk", "bread", "eggs", "x pepper", "x salt"]);
    const row = page.locator("[data-note-row]");
    await row.getByLabel("Checklist: 3 of 5 done").waitFor();
    expect(await row.innerText()).toContain("milk · bread · eggs");

    await page.getByRole("button", { name: "Remove ticked" }).click();
    await expect.poll(items, soon).toEqual(["bread", "eggs"]);
    await page.getByRole("button", { name: "Undo", exact: true }).last().click();
    await expect.poll(items, soon).toEqual(["x milk", "bread", "eggs", "x pepper", "x salt"]);
    await page.getByRole("button", { name: "Move bread", exact: true }).focus();
    await page.keyboard.press("ArrowUp");
    await expect.poll(items, soon).toEqual(["bread", "x milk", "eggs", "x pepper", "x salt"]);
    await reloadSaved(page);
    await expect.poll(items, soon).toEqual(["bread", "x milk", "eggs", "x pepper", "x salt"]);
    await page.getByLabel("Search notes").fill("pepp");
    await expect.poll(() => row.count(), soon).toBe(1);

    // It leaves as Markdown, above the text.
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("menuitem", { name: "Copy as Markdown" }).click();
    await page.getByText("Copied as Markdown", { exact: true }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
      "# Saturday\n\n- [ ] bread\n- [x] milk\n- [ ] eggs\n- [x] pepper\n- [x] salt",
    );
  });

  test("is put in order by dragging, which Escape ends, and its edits are undone", async () => {
    await openApp(page, served.origin);
    await addNote(page, "Saturday", "");
    await page.getByRole("button", { name: "Add checklist" }).click();
    await expect.poll(focused, soon).toBe("First item");
    for (const word of ["one", "two", "three"]) {
      await page.keyboard.type(word);
      await page.keyboard.press("Enter");
    }
    await expect.poll(items, soon).toEqual(["one", "two", "three"]);
    const drag = async (name: string, to: string): Promise<void> => {
      const handle = page.getByRole("button", { name: `Move ${name}`, exact: true });
      await handle.hover();
      await page.mouse.down();
      const box = await page.getByRole("checkbox", { name: to, exact: true }).boundingBox();
      if (box === null) throw new Error(`there is no item ${to}`);
      await page.mouse.move(box.x + 200, box.y + box.height - 4, { steps: 4 });
    };
    await drag("one", "three");
    await page.mouse.up();
    await expect.poll(items, soon).toEqual(["two", "three", "one"]);
    await drag("one", "two");
    await page.keyboard.press("Escape");
    await page.mouse.up();
    expect(await items()).toEqual(["two", "three", "one"]);
    // Who goes elsewhere while typing finds the words in the list.
    await page.getByLabel("Add an item").fill("four");
    await page.keyboard.press("Control+Alt+n");
    await expect.poll(() => page.getByLabel("Title", { exact: true }).inputValue(), soon).toBe("");
    await page.locator("[data-note-row]", { hasText: "Saturday" }).click();
    await expect.poll(items, soon).toEqual(["two", "three", "one", "four"]);
    await page.getByRole("button", { name: "Remove three" }).click();
    await expect.poll(items, soon).toEqual(["two", "one", "four"]);
    await page.getByRole("button", { name: "Undo", exact: true }).first().click();
    await expect.poll(items, soon).toEqual(["two", "three", "one", "four"]);
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
    await reloadSaved(page);
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
