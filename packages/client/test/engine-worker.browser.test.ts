/** What a page hears of a worker that does not serve it: never silence (promise 14). */
import { CairnError, openCairn } from "@cairn/client";
import { expect, test, vi } from "vitest";
import { schema } from "./fixtures/import-schema.ts";
import { freshProfile, leaders } from "./fixtures/tabs.ts";

const open = (worker: () => Worker, name = freshProfile()) => openCairn({ schema, name, worker });

test("a worker of another build is refused before anything is opened", async () => {
  const profile = freshProfile();
  const worker = () => new Worker(new URL("./fixtures/other-schema-worker.ts", import.meta.url), { type: "module" });
  await expect(open(worker, profile)).rejects.toMatchObject({
    code: "build-mismatch",
    action: "pause",
  });
  expect((await indexedDB.databases()).map(({ name }) => name)).not.toContain(profile);
});

test("a worker that does not load is an error, with what to do", async () => {
  const worker = () => new Worker(new URL("./fixtures/no-such-worker.ts", import.meta.url), { type: "module" });
  const failure: unknown = await open(worker).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(CairnError);
  expect(failure).toMatchObject({ code: "engine-lost", action: "retry" });
});

test("when the worker dies, waiting calls reject, its locks are free, and opening again goes on", async () => {
  const profile = freshProfile();
  const worker = () => new Worker(new URL("./fixtures/dying-worker.ts", import.meta.url), { type: "module" });
  const cairn = await open(worker, profile);
  const workspace = await cairn.workspace();
  const note = await workspace.create("note", (edit) => edit.title.set("Before"));
  await workspace.flush();
  expect(note.saved()).toBe(true);
  await vi.waitFor(async () => expect(await leaders(profile)).toEqual({ held: 1, waiting: 0 }));

  const orders = new BroadcastChannel("dying-worker");
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel, not a window
  orders.postMessage("die");
  orders.close();
  await vi.waitFor(async () => expect(await leaders(profile)).toEqual({ held: 0, waiting: 0 }));
  await expect(workspace.query("note")).rejects.toMatchObject({ code: "engine-lost" });

  const again = await open(worker, profile);
  const rows = await (await again.workspace()).query("note");
  expect(rows.map((row) => row.fields.title)).toEqual(["Before"]);
  await again.close();
});
