import type { SyncDescription } from "./describe-sync.ts";

/** What the indicator says of a notebook, for all places that show it. */
export interface DescribedSync {
  readonly subscribe: (listener: () => void) => () => void;
  readonly get: () => SyncDescription;
}

/** Good news is told when it has lasted this long, milliseconds: each key pressed makes bad news and good news. */
const calmMs = 300;
/** And after so many times that long in any case. */
const patience = 5;
/** Times in the words grow old. */
const everyMs = 20_000;

interface Described {
  /** Whether all edits are durable on this device. */
  readonly saved: boolean;
  readonly description: SyncDescription;
}

interface SyncSource {
  readonly onSync: (changed: () => void) => () => void;
  readonly onSaves: (changed: () => void) => () => void;
  readonly describe: () => Described;
}

/** Worse news is shown at once; better news, and what only counts, when it has lasted. */
export const makeDescribedSync = ({ onSync, onSaves, describe }: SyncSource): DescribedSync => {
  const listeners = new Set<() => void>();
  let shown = describe();
  let changedAt = 0;
  let waits = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stop = (): void => undefined;

  const show = (next: Described): void => {
    clearTimeout(timer);
    timer = undefined;
    waits = 0;
    const isSame = sameWords(shown.description, next.description);
    shown = isSame ? { ...next, description: shown.description } : next;
    if (!isSame) for (const listener of listeners) listener();
  };
  const look = (): void => {
    timer = undefined;
    const next = describe();
    waits += 1;
    if (isBetter(shown, next) && Date.now() - changedAt < calmMs && waits < patience) timer = setTimeout(look, calmMs);
    else show(next);
  };
  const changed = (): void => {
    changedAt = Date.now();
    const next = describe();
    if (isWorse(shown, next)) show(next);
    else timer ??= setTimeout(look, calmMs);
  };

  return {
    get: () => {
      if (listeners.size === 0) show(describe());
      return shown.description;
    },
    subscribe: (listener) => {
      if (listeners.size === 0) {
        const stops = [onSync(changed), onSaves(changed)];
        const tick = setInterval(look, everyMs);
        stop = () => {
          for (const one of stops) one();
          clearInterval(tick);
          clearTimeout(timer);
          timer = undefined;
        };
        show(describe());
      }
      listeners.add(listener);
      return () => {
        if (listeners.delete(listener) && listeners.size === 0) stop();
      };
    },
  };
};

const isWorse = (before: Described, now: Described): boolean =>
  (before.saved && !now.saved) ||
  (before.description.tone === "good" && now.description.tone !== "good") ||
  (before.description.tone !== "problem" && now.description.tone === "problem");

const isBetter = (before: Described, now: Described): boolean =>
  (!before.saved && now.saved) || (before.description.tone !== "good" && now.description.tone === "good");

const sameWords = (left: SyncDescription, right: SyncDescription): boolean =>
  JSON.stringify(left) === JSON.stringify(right);
