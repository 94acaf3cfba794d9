/** Memory after notes were opened and closed. */
import type { Page } from "playwright-core";
import type { ThreadDebugger, ThreadMemory } from "./ThreadDebugger.ts";

/** Opens notes of the list in turn; opening one closes the one before. */
export const openNotes = async (page: Page, from: number, to: number): Promise<void> => {
  for (let index = from; index < to; index += 1) {
    const title = await page.evaluate((turn) => {
      const rows = [...document.querySelectorAll<HTMLElement>("[data-note-row]")];
      const row = rows[turn % rows.length];
      row?.click();
      return row?.querySelector("span span")?.textContent ?? "";
    }, index);
    await page.waitForFunction((expected) => {
      const field = document.getElementById("note-title");
      const text = document.querySelector(".cm-content");
      return field instanceof HTMLTextAreaElement && field.value === expected && (text?.textContent ?? "") !== "";
    }, title);
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
