/**
 * Rule 15: a device that was away with a base of one operation meets a text of tens of thousands of insertions at random
 * places. Importing its one edit takes seconds to minutes, and WebAssembly cannot be interrupted. The app stays responsive,
 * other documents keep syncing, and the document arrives.
 */
import { afterEach, expect, inject, test, vi } from "vitest";
import { freshProfile, killTabs, openProfile } from "./fixtures/tabs.ts";

const server = inject("cairnServerOrigin");
const insertions = 80_000;
/** The import alone takes this long at most, in milliseconds. */
const patience = { timeout: 360_000, interval: 50 };

afterEach(killTabs);

/** The longest time for which this page's thread was not to be had, from now on. */
const watchThread = () => {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 10);
  return {
    end: () => {
      clearInterval(timer);
      return longest;
    },
  };
};

test("rule 15: a late device joins a text of random insertions; everything else goes on", async () => {
  const writer = await openProfile(freshProfile(), server, { impatient: true });
  const note = await writer.workspace.create("note", (edit) => edit.title.set("Long"));
  await writer.workspace.flush({ tier: "server", timeout: 20_000 });
  const { url } = await writer.workspace.createLink({ role: "writer" });
  const away = await openProfile(freshProfile(), server, { impatient: true });
  const joined = await away.cairn.join(url);
  await vi.waitFor(async () => expect(await joined.query("note")).toHaveLength(1), { timeout: 20_000 });
  const late = await joined.open("note", note.id);
  await joined.simulateOffline(true);
  // Otherwise the edit is sent before there is anything that it could be late for.
  await vi.waitFor(() => expect(joined.sync().status).toBe("offline"), { timeout: 20_000 });
  late.edit((edit) => edit.body.insert(0, "L"));
  await joined.flush();

  // The same insertions on every run.
  let seed = 1;
  const text = note.loro.getText("body");
  for (let length = 0; length < insertions; length += 1) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    text.insert(Math.floor((seed / 2 ** 32) * (length + 1)), "x");
  }
  note.loro.commit();
  await writer.workspace.flush({ tier: "server", timeout: 60_000 });

  const merged = new AbortController();
  let sawMerging = false;
  const watchMerging = setInterval(() => {
    sawMerging ||= note.merging() || late.merging();
  }, 5);
  const thread = watchThread();
  await joined.simulateOffline(false);
  // Other documents travel both ways while the long one is merged.
  let exchanged = 0;
  const exchange = (async () => {
    for (; !merged.signal.aborted; exchanged += 1) {
      const title = `Other ${exchanged}`;
      const other = await joined.create("note", (edit) => edit.title.set(title));
      await vi.waitFor(
        async () =>
          expect((await writer.workspace.query("note")).some(({ fields }) => fields.title === title)).toBe(true),
        { timeout: 60_000, interval: 20 },
      );
      await other.close();
    }
  })();
  const whole = (body: string): boolean => body.length === insertions + 1 && body.includes("L");
  await vi.waitFor(() => {
    expect(note.merging()).toBe(false);
    expect(whole(note.read().body)).toBe(true);
    expect(late.merging()).toBe(false);
    expect(whole(late.read().body)).toBe(true);
  }, patience);
  merged.abort();
  await exchange;
  clearInterval(watchMerging);
  const longest = thread.end();
  expect(note.read().body).toBe(late.read().body);
  // Otherwise nothing was put to the test.
  expect(sawMerging).toBe(true);
  expect(exchanged).toBeGreaterThan(0);
  // It would be the whole import. What this page itself does for the test, such as reading the text back, is part of it.
  expect(longest).toBeLessThan(5_000);
  await vi.waitFor(() => expect(writer.workspace.sync()).toMatchObject({ status: "up-to-date", problem: undefined }), {
    timeout: 20_000,
  });
}, 600_000);
