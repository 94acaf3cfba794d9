import type { OutboxState } from "@cairn/client";

/** What the outbox was like at one moment. Times in milliseconds. */
export interface OutboxSample {
  readonly at: number;
  readonly depth: number;
  /** Age of the oldest edit that waited; 0 where none did. */
  readonly age: number;
}

/** How far back the charts go. */
export const historyMs = 15 * 60_000;
/** Enough for a sample every few seconds; what changes faster than that replaces the sample before. */
const leastGapMs = 1000;

/** Pure: the history with one more moment, and without what is too old to be shown. */
export const withSample = (history: ReadonlyArray<OutboxSample>, sample: OutboxSample): ReadonlyArray<OutboxSample> => {
  const last = history.at(-1);
  const before = history.at(-2);
  // The first and the last of a quick run stay: a peak between two samples is worth more than their distance.
  const replaces =
    last !== undefined &&
    before !== undefined &&
    sample.at - before.at < leastGapMs &&
    last.depth <= Math.max(before.depth, sample.depth);
  const kept = (replaces ? history.slice(0, -1) : history).filter(({ at }) => at > sample.at - historyMs);
  return [...kept, sample];
};

export const sampleOf = (outbox: OutboxState, now: number): OutboxSample => ({
  at: now,
  depth: outbox.depth,
  age: outbox.oldestAt === undefined || outbox.depth === 0 ? 0 : Math.max(0, now - outbox.oldestAt),
});

const histories = new Map<string, ReadonlyArray<OutboxSample>>();
const listeners = new Set<() => void>();
const none: ReadonlyArray<OutboxSample> = [];
/** Ages grow while nothing else changes. */
const everyMs = 5000;

/** Memory alone, since the page was opened, per notebook. */
export const outboxHistory = {
  of: (notebook: string): ReadonlyArray<OutboxSample> => histories.get(notebook) ?? none,
  subscribe: (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  /** Records from now on, until the returned function is called. */
  record: (notebook: {
    readonly id: string;
    readonly onOutbox: (callback: (state: OutboxState) => void) => () => void;
  }): (() => void) => {
    let latest: OutboxState | undefined;
    const take = (): void => {
      if (latest === undefined) return;
      histories.set(notebook.id, withSample(histories.get(notebook.id) ?? none, sampleOf(latest, Date.now())));
      for (const listener of listeners) listener();
    };
    const stop = notebook.onOutbox((state) => {
      latest = state;
      take();
    });
    const timer = setInterval(take, everyMs);
    return () => {
      stop();
      clearInterval(timer);
    };
  },
};
