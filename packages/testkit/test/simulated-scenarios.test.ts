/** Situations in which the simulator once found something, made on purpose: what happens when, to the step. */
import { makeMemoryStore } from "@cairn/testkit/memory";
import { Effect } from "effect";
import { describe, expect, test } from "vitest";
import type { SimulatedDevice } from "../src/simulator/SimulatedDevice.ts";
import { begin, makeScenario, MINUTE } from "./scenario.ts";

describe("a disk that was restored from an older copy", () => {
  test("promise 4, hazard L4: has its whole document at every moment of taking a new identity", async () => {
    const world = await begin(1);
    const device = world.device(1);
    await world.edit(device, "text", "before");
    await world.until("the first edit is sent", () => world.isDrained(device));
    device.goOffline();
    await world.edit(device, "text", "waiting");
    device.backUp();
    device.goOnline();
    await world.edit(device, "list", "later");
    await world.until("what waited is sent", () => world.isDrained(device));

    // The server has what waits in the copy, and more under the same counters.
    device.goOffline();
    device.restoreBackup();
    await world.edit(device, "text", "restored");
    const { device: old } = world.stored(device).record;
    device.goOnline();
    await world.until("there is a new identity", () => world.stored(device).record.device !== old);
    device.goOffline();
    device.crash();
    expect(world.content(device)).toMatchObject({ pending: false });
    expect(world.content(device).edits.toSorted()).toEqual(["before", "restored", "waiting"]);

    // A page that is opened now writes under the peer under which edits were just made anew.
    await world.edit(device, "list", "after");
    expect(world.content(device).edits.toSorted()).toEqual(["after", "before", "restored", "waiting"]);
    expect(await world.violations()).toEqual([]);
    expect(world.content(world.device(0)).edits.toSorted()).toEqual([
      "after",
      "before",
      "later",
      "restored",
      "waiting",
    ]);
  });
});

describe("an entry that is refused for good", () => {
  test("promise 14: is given up also where the connection ends before its void is in its place", async () => {
    let left = 0;
    for (let seed = 1; seed <= 12; seed += 1) {
      const world = await begin(seed);
      const device = world.device(1);
      const { workspace } = world.run;
      await world.edit(device, "text", "before");
      await world.until("the first edit is sent", () => world.isDrained(device));
      const engine = device.anyTab()?.engine;
      if (workspace === undefined || engine === undefined) throw new Error("nobody leads");
      const isFatal = (): boolean =>
        [...world.stored(device).outgoing.values()].some(({ state }) => state === "FATAL_ERROR");
      world.run.cluster.refusals.refuseNext(world.stored(device).record.device, 1);
      await world.edit(device, "text", "refused");
      await world.until("it is refused", isFatal);
      void engine.simulateOffline(workspace, true);
      await world.pass(100);
      if (isFatal()) left += 1;
      void engine.simulateOffline(workspace, false);
      await world.until("it is parked, and its void is sent", () => {
        const { streams, outgoing } = world.stored(device);
        return outgoing.size === 0 && [...streams.values()].some(({ state }) => state === "DEAD_LETTER");
      });
      expect(await world.violations()).toEqual([]);
      world.run.end();
    }
    expect(left).toBeGreaterThan(0);
  });
});

describe("a disk that is restored from one copy twice", () => {
  test("promise 2, rule 12: what waits in the copy is made anew once", async () => {
    const world = await begin(4);
    const device = world.device(1);
    await world.edit(device, "text", "before");
    await world.until("the first edit is sent", () => world.isDrained(device));
    device.goOffline();
    device.backUp();
    const { image: before } = device;
    await world.edit(device, "text", "waiting");
    await world.edit(device, "list", "waiting too");
    device.backUp();
    const { image: waiting } = device;
    // The server gets another edit under the counter that those would have had.
    device.image = before;
    device.restoreBackup();
    await world.edit(device, "text", "instead");
    device.goOnline();
    await world.until("it is sent", () => world.isDrained(device));
    device.image = waiting;
    for (const [index, words] of [["first"], ["second", "more"], []].entries()) {
      device.goOffline();
      device.restoreBackup();
      for (const word of words) await world.edit(device, index === 0 ? "list" : "text", word);
      if (words.length === 0) device.openTab();
      const { device: old } = world.stored(device).record;
      device.goOnline();
      await world.until("there is a new identity", () => world.stored(device).record.device !== old);
      await world.until("all is sent", () => world.isDrained(device));
    }
    expect(await world.violations()).toEqual([]);
    const { edits } = world.content(world.device(0));
    expect(edits.toSorted()).toEqual(["before", "first", "instead", "more", "second", "waiting", "waiting too"]);
  });
});

describe("a disk whose edits were made anew, and made anew again from an older copy", () => {
  test.each([
    ["promise 2, rule 12: does not send what the other has sent meanwhile", true],
    ["promise 14: becomes another one, too, where its keys had not moved to their place", false],
  ])("%s", async (_, keysHaveMoved) => {
    const world = await begin(5);
    const device = world.device(1);
    const { workspace, device: first } = world.stored(device).record;
    const keysWait = (): boolean => device.storage.secrets.has(`device-successor/${workspace}`);
    await world.edit(device, "text", "before");
    await world.until("the first edit is sent", () => world.isDrained(device));
    device.goOffline();
    device.backUp();
    const { image: before } = device;
    await world.edit(device, "text", "waiting");
    device.backUp();
    const { image: waiting } = device;
    device.image = before;
    device.restoreBackup();
    await world.edit(device, "text", "instead");
    device.goOnline();
    await world.until("it is sent", () => world.isDrained(device));
    const start = (image: typeof waiting): void => {
      device.goOffline();
      device.image = image;
      device.restoreBackup();
      device.openTab();
      device.goOnline();
    };

    start(waiting);
    await world.until(
      "there is a new identity",
      () => world.stored(device).record.device !== first && keysWait() !== keysHaveMoved,
    );
    device.goOffline();
    device.backUp();
    expect(world.isDrained(device)).toBe(false);
    const { image: anew } = device;
    start(waiting);
    await world.until("it is sent from the other disk", () => world.isDrained(device));
    const { device: second } = world.stored(device).record;
    start(anew);
    expect([first, second]).not.toContain(world.stored(device).record.device);
    await world.until("nothing waits", () => world.isDrained(device));
    expect(await world.violations()).toEqual([]);
    const { edits } = world.content(world.device(0));
    expect(edits.toSorted()).toEqual(["before", "instead", "waiting"]);
  });
});

describe("a tab that dies between storing an edit and telling of it", () => {
  test("promise 14: leaves an edit that is sent and shown all the same, while the leader stays connected", async () => {
    const world = await begin(2);
    const device = world.device(1);
    await world.edit(device, "text", "first");
    const tab = device.openTab();
    const { workspace, notes } = world.run;
    const [note] = notes;
    if (workspace === undefined || note === undefined) throw new Error("no workspace");
    let isOpen = false;
    void tab.edit(workspace, note, "list", "second").then(() => {
      isOpen = true;
    });
    await world.until("the note is open in the other tab", () => isOpen);
    await world.until("all is sent", () => world.isDrained(device));
    await world.pass(5_000);

    // The note's newer updates, the edit: it dies after the second commit. Each is counted before and behind it.
    device.disk.operationsUntilCrash = 4;
    void tab.edit(workspace, note, "list", "untold");
    await world.until("the tab is dead", () => !tab.alive);
    expect(world.run.ledger.edits.get("untold")).toMatchObject({ state: "durable", saved: false });
    expect(device.openTabs()).toHaveLength(1);

    const isShown = (): boolean =>
      [...world.stored(device).documents.values()].every(({ unprojected }) => unprojected === undefined);
    await world.until("it is sent", () => world.isDrained(device));
    await world.until("its row is made", isShown);
    expect(await world.violations()).toEqual([]);
    expect(world.content(world.device(0)).edits).toEqual(["first", "second", "untold"]);
  });
});

describe("a device that may only read", () => {
  test("promise 14: takes no edit before it has the chain, and says why one that is there does not go", async () => {
    const world = makeScenario(3, true);
    const device = world.device(1);
    device.goOffline();
    await world.run.setUp();
    const { workspace, notes } = world.run;
    const [note] = notes;
    if (workspace === undefined || note === undefined) throw new Error("no workspace");
    device.goOnline();
    await world.until("it is in", () => device.storage.workspaces.has(workspace));
    device.goOffline();
    const before = world.stored(device);
    expect(before.position.cursor).toBe(0);
    const tab = device.anyTab() ?? device.openTab();
    let saved: boolean | undefined;
    void tab.edit(workspace, note, "list", "refused").then((result) => {
      saved = result;
    });
    await world.until("the edit is answered", () => saved !== undefined);
    expect(saved).toBe(false);

    device.goOnline();
    await world.until("the chain is here", () => world.stored(device).position.cursor > 0);
    // As a writer that was made a reader has it, or a tab that did not know yet.
    const update = new Uint8Array();
    const edit = { workspace, document: note, type: "note", update, time: 0, refs: [], row: undefined };
    Effect.runSync(makeMemoryStore(device.storage).appendUpdates([edit]));
    expect(await world.violations()).toEqual([]);
    expect(world.run.world.counts.get("ends with: read-only")).toBe(1);
  });
});

describe("a tab that leads again", () => {
  test("does not go round in circles for a row that another tab has made meanwhile", async () => {
    const world = await begin(4);
    const device = world.device(1);
    const isShown = (): boolean =>
      [...world.stored(device).documents.values()].every(({ unprojected }) => unprojected === undefined);
    await world.edit(device, "text", "first");
    await world.until("the first edit's row is made", isShown);
    await world.edit(device, "text", "second");
    const [leader] = device.openTabs();
    if (leader === undefined) throw new Error("no tab");
    // It has seen that there is a row to make, and lets it rest, because it made the one of the first edit only just now.
    await world.pass(15);
    leader.process.freeze();
    const other = device.openTab();
    expect(isShown()).toBe(false);
    await world.until("the other tab leads and makes the row", isShown);
    other.close();
    leader.process.thaw();
    const { tasks } = world.run.world;
    await world.pass(MINUTE);
    expect(world.run.world.tasks - tasks).toBeLessThan(500);
    expect(await world.violations()).toEqual([]);
  });
});

describe("a device that is updated while it is offline and edits wait", () => {
  test("promise 10: has what older apps write before and after, also where it dies as it starts", async () => {
    const world = await begin(5, false, [1, 1]);
    const [behind, updated] = [world.device(0), world.device(1)];
    await world.edit(updated, "list", "shared");
    await world.until("it is sent", () => world.isDrained(updated));
    await world.until("it is here", () => world.stored(behind).documents.size === 1);
    updated.goOffline();
    await world.edit(updated, "list", "waiting");
    await world.edit(updated, "map", "marked");

    updated.version = 3;
    updated.crash();
    updated.disk.operationsUntilCrash = 6;
    const tab = updated.openTab();
    await world.until("it dies as it starts", () => !tab.alive);
    expect(world.isDrained(updated)).toBe(false);
    await world.edit(updated, "list", "newer");
    await world.edit(updated, "map", "marked anew");
    await world.edit(behind, "list", "late");
    const linesOf = (device: SimulatedDevice): ReadonlyArray<string> =>
      Object.keys(world.content(device).versions?.third.lines ?? {});
    expect(linesOf(updated)).toEqual(["newer", "shared", "waiting"]);

    updated.goOnline();
    expect(await world.violations()).toEqual([]);
    for (const device of [behind, updated]) {
      const { versions } = world.content(device);
      expect(versions?.first.lines.toSorted()).toEqual(["late", "shared", "waiting"]);
      expect(linesOf(device)).toEqual(["late", "newer", "shared", "waiting"]);
      const marks = Object.values(versions?.third.marks ?? {}).map(({ by }) => by);
      expect(marks).toContain("marked anew");
    }
  });
});
