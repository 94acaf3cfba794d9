/**
 * What a key press takes of the page's thread: its handlers with what they cause at once, and the style, layout and paint
 * of its frame. Not the wait for the frame. Work of others that comes in between counts as if it were the key's.
 */
import type { Page } from "playwright-core";

export const watchKeys = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const costs: Array<number> = [];
    Object.assign(window, { cairnKeys: costs });
    const soon = (run: () => void): void => {
      const { port1, port2 } = new MessageChannel();
      port1.addEventListener("message", run);
      port1.start();
      port2.postMessage(undefined);
    };
    document.addEventListener(
      "keydown",
      () => {
        const down = performance.now();
        let handled = 0;
        soon(() => (handled = performance.now() - down));
        requestAnimationFrame(() => {
          const frame = performance.now();
          soon(() => costs.push((handled === 0 ? 0 : handled) + performance.now() - frame));
        });
      },
      { capture: true },
    );
  });

export const keyCosts = (page: Page): Promise<ReadonlyArray<number>> =>
  page.evaluate(() => {
    const costs: unknown = Reflect.get(window, "cairnKeys");
    return Array.isArray(costs) ? costs.map(Number) : [];
  });
