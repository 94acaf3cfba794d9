/** Memory after notes were opened and closed. */
import type { Page } from "playwright-core";
import type { ThreadDebugger, ThreadMemory } from "./ThreadDebugger.ts";

/** Opens notes one after the other; opening one closes the one before. */
export const openNotes = async (page: Page, notes: ReadonlyArray<string>): Promise<void> => {
  for (const note of notes) {
    await page.evaluate((id) => {
      const shown = document.querySelector(".note-editor");
      if (shown instanceof HTMLElement) shown.dataset["before"] = "";
      history.pushState(undefined, "", `/note/${id}`);
      dispatchEvent(new PopStateEvent("popstate"));
    }, note);
    // The editor of the note before is another element.
    await page.waitForFunction(() => {
      const shown = document.querySelector(".note-editor");
      return shown instanceof HTMLElement && !("before" in shown.dataset) && (shown.textContent ?? "") !== "";
    });
  }
};

/** Leaves the last note, and says what every thread still holds. */
export const settledMemory = async (page: Page, threads: ThreadDebugger): Promise<ReadonlyArray<ThreadMemory>> => {
  await page.evaluate(() => {
    history.pushState(undefined, "", "/");
    dispatchEvent(new PopStateEvent("popstate"));
  });
  await page.waitForFunction(() => document.querySelector(".cm-content") === null);
  await page.waitForTimeout(1500);
  return threads.memory();
};
