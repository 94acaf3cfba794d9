/**
 * What a key press takes of the page's thread: the processor's time of all its tasks from the press until the frame after
 * it, so also of whatever else the page does in between. Not the wait for the frame, and not other programs' time.
 */
import type { CDPSession, Page } from "playwright-core";

/** Longer than a frame. */
const SETTLE_MILLIS = 40;

export class KeyMeter {
  readonly #page: Page;
  readonly #session: CDPSession;

  private constructor(page: Page, session: CDPSession) {
    this.#page = page;
    this.#session = session;
  }

  static async of(page: Page): Promise<KeyMeter> {
    const session = await page.context().newCDPSession(page);
    await session.send("Performance.enable", { timeDomain: "threadTicks" });
    return new KeyMeter(page, session);
  }

  async #busy(): Promise<number> {
    const { metrics } = await this.#session.send("Performance.getMetrics");
    return (metrics.find(({ name }) => name === "TaskDuration")?.value ?? Number.NaN) * 1000;
  }

  /** Presses a key and returns milliseconds. */
  press(key: string): Promise<number> {
    return this.#during(() => this.#page.keyboard.press(key === " " ? "Space" : key));
  }

  /** What the thread does in such a time when no key is pressed: milliseconds. */
  rest(): Promise<number> {
    return this.#during(() => Promise.resolve());
  }

  async #during(act: () => Promise<void>): Promise<number> {
    const before = await this.#busy();
    await act();
    await this.#page.waitForTimeout(SETTLE_MILLIS);
    return (await this.#busy()) - before;
  }
}
