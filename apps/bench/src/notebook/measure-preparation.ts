/** The app's start with rows of an older version, as the page sees it. Milliseconds of its own clock, from navigation. */
import type { Page } from "playwright-core";

export interface Task {
  readonly start: number;
  readonly millis: number;
}

export interface Preparing {
  /** The frame in which the list could be read and used. */
  readonly list: number | undefined;
  /** The page has said how far it is, and has said that all is done. */
  readonly begun: number | undefined;
  readonly ended: number | undefined;
  readonly done: number;
  readonly total: number;
  /** What kept the page's thread for more than 50 ms. */
  readonly longTasks: ReadonlyArray<Task>;
}

/** Runs before the app in every page from now on. */
export const watchPreparation = async (page: Page): Promise<void> => {
  await page.addInitScript(() => {
    const longTasks: Array<Task> = [];
    const seen: Record<string, unknown> = { done: 0, total: 0, longTasks };
    Object.assign(window, { cairnPreparing: seen });
    new PerformanceObserver((list) => {
      for (const { duration, startTime } of list.getEntries()) longTasks.push({ start: startTime, millis: duration });
    }).observe({ type: "longtask", buffered: true });
    const look = (): void => {
      const now = performance.now();
      if (seen["list"] === undefined && document.querySelectorAll("[data-note-row]").length >= 10) seen["list"] = now;
      const line = document.querySelector<HTMLProgressElement>('progress[aria-label^="Completing"]');
      if (line !== null) {
        seen["begun"] ??= now;
        seen["ended"] = undefined;
        seen["done"] = line.value;
        seen["total"] = line.max;
      } else if (seen["begun"] !== undefined) seen["ended"] ??= now;
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
};

/** What the page has seen so far. */
export const seenPreparing = (page: Page): Promise<Preparing> =>
  page.evaluate(() => {
    const seen: unknown = Reflect.get(window, "cairnPreparing");
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `watchPreparation` put it there
    return seen as Preparing;
  });

const LOOK_MILLIS = 250;

/** Waits until what the page sees is as wanted. */
export const untilPreparing = async (
  page: Page,
  limit: number,
  isWanted: (seen: Preparing) => boolean,
): Promise<Preparing> => {
  const started = performance.now();
  for (;;) {
    const seen = await seenPreparing(page);
    if (isWanted(seen)) return seen;
    if (performance.now() - started > limit) {
      throw new Error(`preparing took more than ${limit / 1000} s: ${seen.done} of ${seen.total} rows`);
    }
    await page.waitForTimeout(LOOK_MILLIS);
  }
};
