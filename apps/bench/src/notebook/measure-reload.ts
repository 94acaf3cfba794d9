/** From a reload to the list on screen, as the page's own clock sees it. Milliseconds. */
import type { Page } from "playwright-core";

export interface ReloadTimes {
  /** From navigation to the frame that shows the list. */
  readonly whole: number;
  /** From the start of the engine's worker to that frame. */
  readonly fromWorker: number;
}

/** Runs before the app in every page: notes when the first worker was started and when the list was first drawn. */
export const watchReloads = async (page: Page): Promise<void> => {
  await page.addInitScript(() => {
    const seen: { worker?: number; list?: number } = {};
    Object.assign(window, { cairnReload: seen });
    const Native = window.Worker;
    window.Worker = class extends Native {
      constructor(url: string | URL, options?: WorkerOptions) {
        seen.worker ??= performance.now();
        super(url, options);
      }
    };
    const look = (): void => {
      if (document.querySelectorAll("[data-note-row]").length >= 10) {
        // In the frame after this one the rows have been laid out and painted.
        requestAnimationFrame(() => {
          const { port1, port2 } = new MessageChannel();
          port1.addEventListener("message", () => (seen.list ??= performance.now()));
          port1.start();
          port2.postMessage(undefined);
        });
        return;
      }
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
};

export const measureReload = async (page: Page): Promise<ReloadTimes> => {
  await page.reload();
  const handle = await page.waitForFunction(() => {
    const seen: unknown = Reflect.get(window, "cairnReload");
    if (typeof seen !== "object" || seen === null) return undefined;
    const [list, worker] = [Number(Reflect.get(seen, "list")), Number(Reflect.get(seen, "worker"))];
    return Number.isFinite(list) ? { whole: list, fromWorker: list - worker } : undefined;
  });
  const times = await handle.jsonValue();
  if (times === undefined) throw new Error("the list was not drawn");
  return times;
};
