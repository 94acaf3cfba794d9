/** Joining a notebook in the browser, from the link to the last note's row, as the page and its database show it. */
import type { Page } from "playwright-core";

/** Milliseconds from following the link. */
export interface JoinTimes {
  /** A note with its title is in the list. */
  readonly firstListed: number;
  /** The page says that everything is here. */
  readonly received: number;
  /** No row waits to be made any more. */
  readonly projected: number;
}

/** Looking costs the browser's database something, too. */
const LOOK_MILLIS = 1000;
const TELL_SECONDS = 5;

interface Look {
  readonly sync: string;
  readonly titled: number;
  readonly waiting: number;
}

/** Rows in the list that have their title, what the sync indicator says, and how many documents wait for their rows. */
const look = (page: Page): Promise<Look> =>
  page.evaluate(async () => {
    const indicator = document.querySelector('button[aria-label^="Sync: "]');
    const rows = [...document.querySelectorAll("[data-note-row]")];
    const waiting = await new Promise<number>((resolve, reject) => {
      const opening = indexedDB.open("notebook");
      opening.addEventListener("error", () => reject(new Error(String(opening.error))));
      opening.addEventListener("success", () => {
        const database = opening.result;
        const counting = database
          .transaction("documents")
          .objectStore("documents")
          .index("[workspace+type+unprojected]")
          .count();
        counting.addEventListener("success", () => {
          database.close();
          resolve(counting.result);
        });
      });
    });
    return {
      sync: (indicator?.getAttribute("aria-label") ?? "").replace("Sync: ", ""),
      titled: rows.filter((row) => !(row.textContent ?? "").startsWith("Arriving")).length,
      waiting,
    };
  });

/** Follows the link. `tell` hears every few seconds how far it is. Rejects where it takes longer than `limit`. */
export const joinNotebook = async (
  page: Page,
  link: string,
  limit: number,
  tell: (seconds: number, state: string) => void,
): Promise<JoinTimes> => {
  const started = performance.now();
  await page.goto(link);
  await page.getByRole("button", { name: "Join", exact: true }).click();
  await page.locator('button[aria-label^="Sync: "]').first().waitFor();
  let [firstListed, received, told] = [0, 0, 0];
  for (;;) {
    const { sync, titled, waiting } = await look(page);
    const now = performance.now() - started;
    if (firstListed === 0 && titled > 0) firstListed = now;
    if (received === 0 && /^(?:Saved here and on the server|Completing)/u.test(sync)) received = now;
    if (received > 0 && waiting === 0) return { firstListed, received, projected: now };
    if (now > limit) throw new Error(`joining took more than ${limit / 1000} s: "${sync}", ${waiting} rows to be made`);
    if (now - told >= TELL_SECONDS * 1000) {
      told = now;
      tell(Math.round(now / 1000), `${sync}; ${titled} rows on screen with their title, ${waiting} to be made`);
    }
    await page.waitForTimeout(LOOK_MILLIS);
  }
};
