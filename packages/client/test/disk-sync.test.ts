/** Syncs of the log's file: who waits for which, and what a disk that fails does. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DiskSync } from "../src/store/sqlite/DiskSync.ts";

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cairn-sync-"));
  file = join(folder, "log");
  await writeFile(file, "committed");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const synced = (disk: DiskSync): Promise<Error | undefined> => new Promise((resolve) => disk.request(resolve));

test("a transaction that comes while a sync is under way waits for the next one", async () => {
  const disk = new DiskSync(file);
  const order: Array<string> = [];
  const first = synced(disk).then(() => order.push("first"));
  const second = synced(disk).then(() => order.push("second"));
  const third = synced(disk).then(() => order.push("third"));
  expect(order).toEqual([]);
  await Promise.all([first, second, third]);
  expect(order).toEqual(["first", "second", "third"]);
  disk.close();
});

test("a sync that fails is told to everybody, also to those who come after it", async () => {
  const disk = new DiskSync(join(folder, "missing"));
  const failures = await Promise.all([synced(disk), synced(disk)]);
  expect(failures.map(String)).toEqual([expect.stringContaining("ENOENT"), expect.stringContaining("ENOENT")]);
  await writeFile(join(folder, "missing"), "here now");
  expect(await synced(disk)).toBe(failures[0]);
  expect(disk.failure).toBe(failures[0]);
  disk.close();
});

test("closing answers who waits, whether his sync is under way or has not begun", async () => {
  const disk = new DiskSync(file);
  const answers = [synced(disk), synced(disk)];
  disk.close();
  expect(await Promise.all(answers)).toEqual([undefined, undefined]);
  disk.close();
});
