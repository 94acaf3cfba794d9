/** What the tabs of a device say of the connection: what the one that leads knows, whoever led before (promise 14). */
import type { WorkspaceId } from "@cairn/protocol";
import { expect, test } from "vitest";
import type { SimulatedTab } from "../src/simulator/SimulatedTab.ts";
import { begin, type Scenario } from "./scenario.ts";

/** What a tab shows of a workspace at this moment. */
const shownBy = async (world: Scenario, tab: SimulatedTab, workspace: WorkspaceId) => {
  const asked = tab.started.then((engine) => engine.syncState(workspace));
  let status: string | undefined;
  void asked.then((state) => {
    ({ status } = state);
  });
  await world.until("it is answered", () => status !== undefined);
  return status;
};

test("promise 14: what a frozen tab says of the connection that it led once is nobody's any more", async () => {
  const world = await begin(6);
  const device = world.device(1);
  const { workspace } = world.run;
  const [leader] = device.openTabs();
  if (workspace === undefined || leader === undefined) throw new Error("nobody leads");
  const follower = device.openTab();
  await world.pass(2_000);
  leader.process.freeze();
  // The connection of the frozen tab ends meanwhile, of which it hears when it goes on.
  await world.pass(60_000);
  expect(await shownBy(world, follower, workspace)).toBe("up-to-date");
  leader.process.thaw();
  for (let millis = 0; millis < 2_000; millis += 100) {
    await world.pass(100);
    expect(await shownBy(world, follower, workspace)).toBe("up-to-date");
  }
  await world.pass(20_000);
  expect(await shownBy(world, leader, workspace)).toBe("up-to-date");
  expect(await world.violations()).toEqual([]);
});

test("promise 14: of two tabs that both take themselves for the leader, the older one's connection is nobody's", async () => {
  const world = await begin(6);
  const device = world.device(1);
  const { workspace } = world.run;
  const [older] = device.openTabs();
  if (workspace === undefined || older === undefined) throw new Error("nobody leads");
  const newer = device.openTab();
  await world.pass(2_000);
  const [wire] = device.wires;
  older.process.freeze();
  expect(device.locks.split("cairn/v1/device-1/leader")).toBe(older.process);
  await world.until("the newer one is connected, too", () => device.wires.size === 2);
  await world.pass(200);
  expect(await shownBy(world, newer, workspace)).toBe("up-to-date");
  wire?.cut();
  older.process.thaw();
  for (let millis = 0; millis < 2_000; millis += 20) {
    await world.pass(20);
    expect(await shownBy(world, newer, workspace)).toBe("up-to-date");
  }
  // It hears that it is not the leader any more, and says what the other one says.
  expect(device.wires.size).toBe(1);
  expect(await shownBy(world, older, workspace)).toBe("up-to-date");
  expect(await world.violations()).toEqual([]);
});
