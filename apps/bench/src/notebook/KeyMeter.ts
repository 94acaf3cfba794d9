/** What key presses take of the page's thread: of its own processor's time, as `key-trace.ts` reads it. */
import type { CDPSession, Page } from "playwright-core";
import { costsOfPresses, KEY_TRACE_CATEGORIES, traceEvents } from "./key-trace.ts";

/** Until the next press: longer than a frame. */
const SETTLE_MILLIS = 40;
const TRACE_KILOBYTES = 400_000;

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

  /** Presses a key, and returns what the thread did from then on until it is time for the next press: milliseconds. */
  press(key: string): Promise<number> {
    return this.#during(() => this.#page.keyboard.press(key === " " ? "Space" : key));
  }

  /** What the thread does in such a time when no key is pressed: milliseconds. */
  rest(): Promise<number> {
    return this.#during(() => Promise.resolve());
  }

  /** What each press cost that `work` made, in milliseconds. */
  async costs(work: () => Promise<void>): Promise<ReadonlyArray<number>> {
    const values: Array<unknown> = [];
    const collect = ({ value }: { readonly value: ReadonlyArray<unknown> }): void => void values.push(...value);
    this.#session.on("Tracing.dataCollected", collect);
    const complete = new Promise<void>((resolve) => this.#session.once("Tracing.tracingComplete", () => resolve()));
    await this.#session.send("Tracing.start", {
      transferMode: "ReportEvents",
      traceConfig: {
        includedCategories: [...KEY_TRACE_CATEGORIES],
        excludedCategories: ["*"],
        traceBufferSizeInKb: TRACE_KILOBYTES,
      },
    });
    try {
      await work();
    } finally {
      await this.#session.send("Tracing.end");
      await complete;
      this.#session.off("Tracing.dataCollected", collect);
    }
    return costsOfPresses(traceEvents(values));
  }

  async #during(act: () => Promise<void>): Promise<number> {
    const before = await this.#busy();
    await act();
    await this.#page.waitForTimeout(SETTLE_MILLIS);
    return (await this.#busy()) - before;
  }
}
