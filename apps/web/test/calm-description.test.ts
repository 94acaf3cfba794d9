import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { SyncDescription } from "../src/sync/describe-sync.ts";
import { makeDescribedSync } from "../src/sync/calm-description.ts";

const said = (tone: SyncDescription["tone"], label: string): SyncDescription => ({
  tone,
  label,
  here: "",
  server: "",
  remedy: undefined,
  canRetry: false,
});
const calm = { saved: true, description: said("good", "Saved here and on the server") };
const saving = { saved: false, description: said("busy", "Saving") };
const sending = { saved: true, description: said("busy", "Sending") };
const refused = { saved: true, description: said("problem", "Refused") };

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** The store over a state that the test sets, and everything that it showed. */
const follow = () => {
  let now: typeof calm = calm;
  let changed = (): void => undefined;
  const store = makeDescribedSync({
    onSync: (listener) => {
      changed = listener;
      return () => undefined;
    },
    onSaves: () => () => undefined,
    describe: () => now,
  });
  const shown: Array<string> = [];
  const stop = store.subscribe(() => shown.push(store.get().label));
  return {
    shown,
    stop,
    become: (next: typeof calm) => {
      now = next;
      changed();
    },
  };
};

test("what gets worse is said at once, and what gets better when it has lasted", () => {
  const { become, shown } = follow();
  become(saving);
  expect(shown).toEqual(["Saving"]);
  become(sending);
  become(calm);
  vi.advanceTimersByTime(250);
  expect(shown).toEqual(["Saving"]);
  vi.advanceTimersByTime(100);
  expect(shown).toEqual(["Saving", "Saved here and on the server"]);
  become(refused);
  expect(shown.at(-1)).toBe("Refused");
});

test("who types sees no flicker with every key, and never that an edit is saved which is not", () => {
  const { become, shown } = follow();
  for (let key = 0; key < 20; key += 1) {
    become(saving);
    expect(shown.at(-1)).toBe("Saving");
    become(sending);
    become(calm);
    vi.advanceTimersByTime(50);
  }
  expect(shown).toEqual(["Saving"]);
  vi.advanceTimersByTime(1000);
  expect(shown).toEqual(["Saving", "Saved here and on the server"]);
});

test("news that never rests is told all the same, and nothing after the last one has left", () => {
  const { become, shown, stop } = follow();
  become(saving);
  for (let turn = 0; turn < 40; turn += 1) {
    become(turn % 2 === 0 ? sending : { ...sending, description: said("busy", "Fetching") });
    vi.advanceTimersByTime(50);
  }
  expect(shown.length).toBeGreaterThan(1);
  expect(shown.length).toBeLessThan(12);
  const before = shown.length;
  stop();
  become(calm);
  vi.advanceTimersByTime(5000);
  expect(shown).toHaveLength(before);
});
