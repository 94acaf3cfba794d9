import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Resources } from "../src/resource.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const setUp = () => {
  const events: Array<string> = [];
  const resources = new Resources<string>();
  const get = (key: string) =>
    resources.get(key, () => {
      events.push(`open ${key}`);
      return { value: Promise.resolve(key), close: () => void events.push(`close ${key}`) };
    });
  return { events, resources, get };
};

test("components that show the same share it, and it is closed some seconds after the last of them is gone", async () => {
  const { events, get } = setUp();
  const one = get("a").retain();
  const other = get("a").retain();
  one();
  await vi.advanceTimersByTimeAsync(60_000);
  other();
  await vi.advanceTimersByTimeAsync(4_000);
  expect(events).toEqual(["open a"]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(events).toEqual(["open a", "close a"]);
  get("a");
  expect(events).toEqual(["open a", "close a", "open a"]);
});

test("who comes back soon finds it open", async () => {
  const { events, get } = setUp();
  get("a").retain()();
  await vi.advanceTimersByTimeAsync(4_000);
  const leave = get("a").retain();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(events).toEqual(["open a"]);
  leave();
});

test("what was opened for a component that never showed it is closed", async () => {
  const { events, get } = setUp();
  get("a");
  await vi.advanceTimersByTimeAsync(6_000);
  expect(events).toEqual(["open a", "close a"]);
});

test("a failure is thrown for as long as React renders, and opened anew for who tries later", async () => {
  const { resources } = setUp();
  const failing = () =>
    resources.get("a", () => ({ value: Promise.reject(new Error("gone")), close: () => undefined }));
  failing();
  await vi.advanceTimersByTimeAsync(0);
  expect(() => failing().throwFailure()).toThrow("gone");
  expect(() => failing().throwFailure()).toThrow("gone");
  await vi.advanceTimersByTimeAsync(1);
  const again = resources.get("a", () => ({ value: Promise.resolve("a"), close: () => undefined }));
  expect(() => again.throwFailure()).not.toThrow();
  await expect(again.value).resolves.toBe("a");
});
