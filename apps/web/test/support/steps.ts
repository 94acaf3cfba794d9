import type { Locator, Page } from "playwright-core";

/** Opens the notebook and waits until the engine is ready. */
export const openApp = async (page: Page, origin: string): Promise<void> => {
  page.setDefaultTimeout(20_000);
  await page.goto(`${origin}/`);
  await engineReady(page);
};

export const engineReady = async (page: Page): Promise<void> => {
  await page.locator('button[aria-label="Share this notebook"]:not([disabled])').first().waitFor({ timeout: 20_000 });
};

export const editorOf = (page: Page): Locator => page.locator(".cm-content");

/** Makes a note by the page's own controls and leaves it open. */
export const addNote = async (page: Page, title: string, body: string, tag?: string): Promise<void> => {
  await page.keyboard.press("Control+Alt+n");
  await page.getByLabel("Title", { exact: true }).waitFor();
  // The page of the note before has the same fields: wait for the new, empty one.
  await page.waitForFunction(() => {
    const field = document.getElementById("note-title");
    return field instanceof HTMLTextAreaElement && field.value === "" && document.activeElement === field;
  });
  await page.keyboard.insertText(title);
  await page.keyboard.press("Enter");
  await editorOf(page).waitFor();
  if (body !== "") {
    await editorOf(page).focus();
    await page.keyboard.insertText(body);
  }
  if (tag === undefined) return;
  await page.getByLabel("Add a tag").fill(tag);
  await page.getByLabel("Add a tag").press("Enter");
};

/** How long a test asks again: the page draws when it can, and the machine may be busy. */
export const soon = { timeout: 10_000, interval: 30 };

/** Resolves as soon as the page shows that the last edit is on this device. */
export const shownSaved = (page: Page): Promise<void> =>
  page.evaluate(async () => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const label = () => document.querySelector('button[aria-label^="Sync: "]')?.getAttribute("aria-label") ?? "";
    // What stands there from before the last key press is gone with the next frames.
    await frame();
    await frame();
    while (!/saved/i.test(label())) await frame();
  });

/** Reloads as a person does who has not to be asked: what a page has not stored yet goes with it. */
export const reloadSaved = async (page: Page): Promise<void> => {
  await shownSaved(page);
  await page.reload();
};
