/**
 * From a key press in one browser to the text in the other, in milliseconds. Both pages read the same machine's clock:
 * the first when the key goes down, the second when the character is in the document that it shows.
 */
import type { Page } from "playwright-core";
import type { TypingPair } from "./TypingPair.ts";

export interface TypingOptions {
  readonly presses: number;
  /** Milliseconds from one key press to the next, on average; they vary by half. */
  readonly every: number;
}

/** Records when keys go down, in the order in which they do. */
const recordKeys = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const times: Array<number> = [];
    Object.assign(window, { cairnTimes: times });
    document.addEventListener("keydown", () => times.push(performance.timeOrigin + performance.now()), {
      capture: true,
    });
  });

/** Records when the text has grown to each length. */
const recordGrowth = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const text = () => document.querySelector(".cm-content")?.textContent ?? "";
    const times: Array<number> = [];
    const before = text().length;
    Object.assign(window, { cairnTimes: times });
    new MutationObserver(() => {
      const now = performance.timeOrigin + performance.now();
      while (times.length < text().length - before) times.push(now);
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });

const timesOf = (page: Page): Promise<ReadonlyArray<number>> =>
  page.evaluate(() => {
    const times: unknown = Reflect.get(window, "cairnTimes");
    return Array.isArray(times) ? times.map(Number) : [];
  });

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis));

/** One latency for each key press. */
export const measureTyping = async (
  { reader, writer }: TypingPair,
  { every, presses }: TypingOptions,
): Promise<ReadonlyArray<number>> => {
  await writer.locator(".cm-content").focus();
  await writer.keyboard.press("Control+End");
  await recordKeys(writer);
  await recordGrowth(reader);
  for (let press = 0; press < presses; press += 1) {
    await writer.keyboard.press("abcdefghijklmnopqrstuvwxyz".charAt(press % 26));
    await pause(every / 2 + Math.random() * every);
  }
  const deadline = performance.now() + 20_000;
  while ((await timesOf(reader)).length < presses) {
    if (performance.now() > deadline) throw new Error("not every key press arrived within 20 s");
    await pause(50);
  }
  const pressed = await timesOf(writer);
  const shown = await timesOf(reader);
  return pressed.slice(0, presses).map((at, index) => (shown[index] ?? Number.POSITIVE_INFINITY) - at);
};

/** The value that the given share of all values does not exceed. */
export const percentile = (values: ReadonlyArray<number>, share: number): number => {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
};
