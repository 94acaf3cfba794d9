/** What the platform says about the network: taken up at once, and never believed. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeSteering, openSteered, type SteeredDevice, type Steering } from "./fixtures/steered-device.ts";
import { makePlace, type Place, until } from "./notebook.ts";

/** Without a hint the next attempt is far away. */
const PATIENT = { backoff: { baseMillis: 3_600_000, ceilingMillis: 3_600_000 } };
const SYNC = { tier: "server", timeout: 20_000 } as const;

let place: Place;
let steering: Steering;
let device: SteeredDevice;
beforeEach(async () => {
  place = await makePlace();
  steering = makeSteering();
  device = await openSteered(place.folder("steered"), place.origin(), steering, PATIENT);
});
afterEach(async () => {
  await device.crash();
  await place.leave();
});

const say = (online: boolean): void => {
  for (const changed of steering.networkWatchers) changed(online);
};

describe("what the platform says about the network", () => {
  it("that it went shows a dead connection, and that it came back ends the wait", async () => {
    const notebook = await device.cairn.workspace();
    const note = await notebook.create("note", (edit) => edit.body.insert(0, "one"));
    await notebook.flush(SYNC);
    steering.unplugged = true;
    say(false);
    await until(() => notebook.sync().status === "offline");
    note.edit((edit) => edit.body.insert(3, " two"));
    await notebook.flush({ tier: "device" });
    steering.unplugged = false;
    say(true);
    await notebook.flush(SYNC);
    expect(notebook.sync()).toMatchObject({ pendingDocuments: 0, problem: undefined });
  });

  it("is not believed: with a network that is said to be gone everything goes on", async () => {
    const notebook = await device.cairn.workspace();
    await notebook.create("note", (edit) => edit.body.insert(0, "one"));
    await notebook.flush(SYNC);
    say(false);
    await notebook.create("note", (edit) => edit.body.insert(0, "two"));
    await notebook.flush(SYNC);
    expect(notebook.sync()).toMatchObject({ pendingDocuments: 0, problem: undefined });
  });

  it("reaches nobody any more when the device has ended", async () => {
    await device.cairn.workspace();
    await until(() => steering.networkWatchers.size === 1);
    await device.crash();
    expect(steering.networkWatchers.size).toBe(0);
  });
});
