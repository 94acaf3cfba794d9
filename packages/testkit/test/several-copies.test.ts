/** One store that is put back to the same copy again and again, and edited differently each time. */
import { expect, test } from "vitest";
import type { SimulatedDevice } from "../src/simulator/SimulatedDevice.ts";
import { begin, decide, park, type Scenario } from "./scenario.ts";

const sent = (world: Scenario, device: SimulatedDevice): Promise<void> =>
  world.until("all is sent", () => world.isDrained(device));

const write = async (world: Scenario, device: SimulatedDevice, ids: ReadonlyArray<string>): Promise<void> => {
  for (const id of ids) await world.edit(device, "list", id);
};

/** Goes on from the copy, without the network. */
const goBack = (device: SimulatedDevice, image = device.image): void => {
  device.goOffline();
  device.image = image;
  device.restoreBackup();
};

/** The copy is in touch again, and finds out what it is. */
const comeBack = async (world: Scenario, device: SimulatedDevice): Promise<void> => {
  const { device: old } = world.stored(device).record;
  device.goOnline();
  await world.until("there is a new identity", () => world.stored(device).record.device !== old);
};

/** One edit is refused and parked, and nothing is behind it. */
const parkAlone = async (world: Scenario, device: SimulatedDevice): Promise<void> => {
  await write(world, device, ["before"]);
  await sent(world, device);
  world.run.cluster.refusals.refuseNext(world.stored(device).record.device, 1);
  await write(world, device, ["refused"]);
  await world.until("it is parked", () => {
    const { streams, outgoing } = world.stored(device);
    return outgoing.size === 0 && [...streams.values()].some(({ state }) => state === "DEAD_LETTER");
  });
};

/** All devices have these, in whatever order; the same word may have been written more than once. */
const expectEverywhere = async (world: Scenario, edits: ReadonlyArray<string>): Promise<void> => {
  await world.run.heal();
  for (const each of world.run.devices) expect(world.content(each).edits.toSorted()).toEqual(edits.toSorted());
};

// Behind words of the same length the same word is the same update.
test.each([
  ["nothing", []],
  ["an edit that both have", ["later"]],
])("promise 4: what ends alike on two copies is there of both, behind refused edits and %s", async (_, shared) => {
  const world = await begin(6);
  const device = world.device(1);
  await parkAlone(world, device);
  await write(world, device, shared);
  device.backUp();
  await write(world, device, ["aaaa", "same"]);
  await decide(world, device, "discard");
  await sent(world, device);
  goBack(device);
  await write(world, device, ["bbbb", "same"]);
  await comeBack(world, device);
  await decide(world, device, "discard");
  await world.run.heal();
  await expectEverywhere(world, ["before", ...shared, "aaaa", "same", "bbbb", "same"]);
});

test("promise 4: what begins like one copy and ends like another one is taken for neither", async () => {
  const world = await begin(6);
  const device = world.device(1);
  await write(world, device, ["before"]);
  await sent(world, device);
  device.goOffline();
  device.backUp();
  const { image } = device;
  await write(world, device, ["original"]);
  device.goOnline();
  await sent(world, device);
  for (const words of [
    ["aaaa", "same"],
    ["bbbb", "dddd"],
    ["bbbb", "same"],
  ]) {
    goBack(device, image);
    await write(world, device, words);
    await comeBack(world, device);
    await sent(world, device);
  }
  await expectEverywhere(world, ["before", "original", "aaaa", "same", "bbbb", "dddd", "bbbb", "same"]);
});

test("promise 4: nor is it where refused edits are given up on all of them, before they are in touch", async () => {
  const world = await begin(6);
  const device = world.device(1);
  await parkAlone(world, device);
  device.backUp();
  const { image } = device;
  await write(world, device, ["aaaa", "same"]);
  await decide(world, device, "discard");
  await sent(world, device);
  for (const words of [
    ["bbbb", "dddd"],
    ["bbbb", "same"],
  ]) {
    goBack(device, image);
    await write(world, device, words);
    await decide(world, device, "discard");
    await comeBack(world, device);
    await sent(world, device);
  }
  await expectEverywhere(world, ["before", "aaaa", "same", "bbbb", "dddd", "bbbb", "same"]);
});

test("promise 14: what is behind refused edits that another copy has tried again waits for nobody", async () => {
  const world = await begin(6);
  const device = world.device(1);
  await parkAlone(world, device);
  device.backUp();
  await decide(world, device, "retry");
  await sent(world, device);
  goBack(device);
  await write(world, device, ["more"]);
  await comeBack(world, device);
  await sent(world, device);
  await expectEverywhere(world, ["before", "refused", "more"]);
});

test("promise 14: several documents that are made anew at once are shown, also where the tab is closed before", async () => {
  const world = await begin(6);
  const device = world.device(1);
  await park(world, device);
  device.goOffline();
  await decide(world, device, "fork");
  await world.edit(device, "counter", "more");
  device.backUp();
  device.goOnline();
  await sent(world, device);
  goBack(device);
  device.openTab();
  await comeBack(world, device);
  device.goOffline();
  device.crash();
  device.openTab();
  const isShown = (): boolean =>
    [...world.stored(device).documents.values()].every(({ unprojected }) => unprojected === undefined);
  expect(isShown()).toBe(false);
  await world.until("the rows are made", isShown);
  device.goOnline();
  expect(await world.violations()).toEqual([]);
});
