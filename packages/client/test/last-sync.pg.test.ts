/** When a device was in step last: known from the first moment on, also after a restart, and also where nothing is to be fetched. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeSteering, openSteered, type SteeredDevice } from "./fixtures/steered-device.ts";
import { makePlace, type Place, until } from "./notebook.ts";

let place: Place;
let device: SteeredDevice | undefined;
beforeEach(async () => {
  place = await makePlace();
});
afterEach(async () => {
  await device?.crash();
  await place.leave();
});

const open = async (unplugged: boolean) => {
  const steering = makeSteering();
  steering.unplugged = unplugged;
  device = await openSteered(place.folder("steered"), place.origin(), steering, {});
  return { device, notebook: await device.cairn.workspace(), steering };
};

test("it is kept through a restart, offline and online", async () => {
  const first = await open(false);
  await first.notebook.create("note", (edit) => edit.body.insert(0, "one"));
  await first.notebook.flush({ tier: "server", timeout: 20_000 });
  const { lastSyncedAt = 0 } = first.notebook.sync();
  expect(lastSyncedAt).toBeGreaterThan(0);
  await first.device.crash();

  const offline = await open(true);
  const kept = offline.notebook.sync().lastSyncedAt ?? 0;
  // What was stored with the last answer, and what was told after it.
  expect(Math.abs(kept - lastSyncedAt)).toBeLessThan(1_000);
  await offline.device.crash();

  const online = await open(false);
  await until(() => online.notebook.sync().status === "up-to-date");
  expect(online.notebook.sync().lastSyncedAt).toBeGreaterThan(kept);
});
