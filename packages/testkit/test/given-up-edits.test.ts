/** What becomes of refused edits that a person decides about, in the simulator. */
import type { EngineApi } from "@cairn/client/effect";
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import { Effect } from "effect";
import { decodeImportBlobMeta } from "loro-crdt";
import { describe, expect, test } from "vitest";
import type { SimulatedDevice } from "../src/simulator/SimulatedDevice.ts";
import type { Decision, EditKind } from "../src/simulator/SimulatedTab.ts";
import { begin, decide, park, type Scenario } from "./scenario.ts";

describe("a document whose refused edits are given up", () => {
  test.each<[Decision, ReadonlyArray<string>]>([
    ["discard", ["before", "later"]],
    ["fork", ["before"]],
    ["retry", ["before", "later", "refused"]],
  ])("hazard 15: a person can %s them", async (decision, edits) => {
    const world = await begin(6);
    const device = world.device(1);
    await park(world, device);
    expect(world.content(world.device(0)).edits).toEqual(["before"]);
    await decide(world, device, decision);
    expect(await world.violations()).toEqual([]);
    for (const each of world.run.devices) expect(world.content(each).edits.toSorted()).toEqual(edits);
    const [fork] = world.run.ledger.forks.values();
    expect([...(fork?.edits ?? [])].toSorted()).toEqual(decision === "fork" ? ["before", "later", "refused"] : []);
  });

  test("rule 13, hazard L4: what is applied again is made under a peer of its own, also where that of the refused is free", async () => {
    const world = await begin(6);
    const device = world.device(1);
    await park(world, device);
    const peersIn = (): ReadonlyArray<string> =>
      [...world.stored(device).documents.values()].flatMap(({ pending, updates }) =>
        pending.flatMap((id) => {
          const meta = decodeImportBlobMeta(updates.get(id)?.update ?? new Uint8Array(), false);
          return [...meta.partialEndVersionVector.toJSON().keys()];
        }),
      );
    const before = peersIn();
    device.anyTab()?.close();
    device.openTab();
    device.goOffline();
    await decide(world, device, "discard");
    const after = peersIn();
    expect(after).toHaveLength(1);
    expect(before).not.toContain(after[0]);
    device.goOnline();
    expect(await world.violations()).toEqual([]);
  });

  test("promise 5: has what is received while it is made anew", async () => {
    const world = await begin(6, false, undefined, {
      name: "takes-its-time",
      description: "Making a document anew takes long, as it does where much is to be read.",
      importer: (importer) => ({
        ...importer,
        apply: (request) => {
          const applied = importer.apply(request);
          return request.want.rebase === undefined ? applied : Effect.tap(applied, () => Effect.sleep(400));
        },
      }),
    });
    const device = world.device(1);
    await park(world, device);
    await decide(world, device, "discard", async () => {
      await world.edit(world.device(0), "text", "theirs");
      await world.until("it is here", () => world.content(device).edits.includes("theirs"));
    });
    expect(world.content(device).edits.toSorted()).toEqual(["before", "later", "theirs"]);
    expect(await world.violations()).toEqual([]);
  });

  test("promise 14: waits for nothing of what another tab writes into it before it hears of that", async () => {
    let refused = 0;
    // Somewhere in between the document is made anew, and the other tab has not heard of it.
    for (let millis = 8; millis < 24 && refused < 3; millis += 0.5) {
      const world = await begin(6);
      const device = world.device(1);
      await park(world, device);
      const { workspace, notes } = world.run;
      const [note] = notes;
      if (workspace === undefined || note === undefined) throw new Error("no workspace");
      const other = device.openTab();
      let saved: boolean | undefined;
      const write = (id: string): void => {
        saved = undefined;
        void other.edit(workspace, note, "text", id).then((result) => {
          saved = result;
        });
      };
      write("seen");
      await world.until("the other tab has it open", () => saved === true);
      await decide(world, device, "discard", async () => {
        await world.pass(millis);
        write("late");
      });
      await world.until("the other tab is answered", () => saved !== undefined);
      if (saved === false) refused += 1;
      expect(await world.violations()).toEqual([]);
      const [here, there] = world.run.devices.map((each) => world.content(each).edits.toSorted());
      expect(here).toEqual(there);
      expect(here?.includes("late")).toBe(saved);
      world.run.end();
    }
    expect(refused).toBeGreaterThan(0);
  });
});

describe("edits of a newer version of the app behind refused ones, in a tab that is of an older one", () => {
  const linesOf = (world: Scenario, device: SimulatedDevice): ReadonlyArray<string> =>
    Object.keys(world.content(device).versions?.third.lines ?? {});

  /** A device with two tabs, of which the first one has not been updated; the second one wrote behind what is parked. */
  const beginUpdated = async () => {
    const world = await begin(6, false, [1, 1]);
    const device = world.device(1);
    await park(world, device, "list");
    device.version = 3;
    const [older] = device.openTabs();
    const newer = device.openTab();
    const { workspace, notes } = world.run;
    const [note] = notes;
    if (older === undefined || workspace === undefined || note === undefined) throw new Error("there is no note");
    let saved = false;
    void newer.edit(workspace, note, "list", "newer").then((result) => {
      saved = result;
    });
    await world.until("the newer version has written", () => saved);
    expect(linesOf(world, device)).toEqual(["before", "newer", "refused"]);
    /** What comes of a call of the older tab's engine. */
    const ask = async <A>(call: (engine: EngineApi, ...at: [WorkspaceId, DocumentId]) => Promise<A>): Promise<A> => {
      const result = older.started.then((engine) => call(engine, workspace, note));
      let settled = false;
      const settle = (): void => {
        settled = true;
      };
      result.then(settle, settle);
      await world.until("it is answered", () => settled);
      return result;
    };
    return { world, device, older, ask };
  };

  test("promise 10: are not given up there, and nothing changes; the newer version can", async () => {
    const { world, device, older, ask } = await beginUpdated();
    const there = world.content(device).digest;
    const code = { code: "edits-newer" };
    await expect(ask((engine, ...note) => engine.previewDiscard(...note))).rejects.toMatchObject(code);
    await expect(ask((engine, ...note) => engine.discardDeadLetter(...note))).rejects.toMatchObject(code);
    expect(world.content(device).digest).toBe(there);
    older.close();
    await decide(world, device, "discard");
    expect(await world.violations()).toEqual([]);
    for (const each of world.run.devices) expect(linesOf(world, each)).toEqual(["before", "newer"]);
  });

  test("promise 14: can be taken away there, and into another document", async () => {
    const { world, ask } = await beginUpdated();
    const { json, updates } = await ask((engine, ...note) => engine.exportDeadLetter(...note));
    const exported: unknown = JSON.parse(json);
    expect(exported).toMatchObject({ content: { lines: ["before", "refused"] }, edits: 1, laterEdits: 2 });
    expect(exported).not.toHaveProperty("contentWithoutRefusedEdits");
    expect(updates).toHaveLength(3);
    await ask((engine, ...note) => engine.forkDeadLetter(...note));
    expect(await world.violations()).toEqual([]);
    for (const each of world.run.devices) expect(linesOf(world, each)).toEqual(["before"]);
    const [fork] = world.run.ledger.forks.values();
    expect([...(fork?.edits ?? [])].toSorted()).toEqual(["before", "later", "newer", "refused"]);
  });
});

describe("a disk that is restored from a copy in which refused edits wait that were given up since", () => {
  /** Gives them up, and goes back to the copy that was taken before. */
  const goBack = async (world: Scenario, device: SimulatedDevice): Promise<void> => {
    await park(world, device);
    await world.edit(device, "text", "later too");
    device.backUp();
    await decide(world, device, "discard");
    await world.until("the later edits are sent", () => world.isDrained(device));
    device.goOffline();
    device.restoreBackup();
    expect(world.content(device).edits.toSorted()).toEqual(["before", "later", "later too", "refused"]);
  };

  /** The copy is in touch again, and finds out what it is. */
  const comeBack = async (world: Scenario, device: SimulatedDevice): Promise<void> => {
    const { device: old } = world.stored(device).record;
    device.goOnline();
    await world.until("there is a new identity", () => world.stored(device).record.device !== old);
  };

  /** Gives them up again, as soon as that can be: not while the log that is here has less than the document. */
  const discardAgain = async (world: Scenario, device: SimulatedDevice): Promise<void> => {
    const there = world.content(device).edits;
    await decide(world, device, "discard");
    expect(world.content(device).edits).toEqual(there);
    await world.until("all is received", () => {
      const { cursor, ahead } = world.stored(device).position;
      return cursor >= (ahead ?? 0);
    });
    await decide(world, device, "discard");
    expect(world.content(device).edits).not.toContain("refused");
  };

  /** Every device has these edits, each of them once. */
  const expectEverywhere = async (world: Scenario, edits: ReadonlyArray<string>): Promise<void> => {
    expect(await world.violations()).toEqual([]);
    for (const each of world.run.devices) expect(world.content(each).edits.toSorted()).toEqual(edits);
  };

  test("promise 2: what was applied again is there once, and the refused edits wait again", async () => {
    const world = await begin(6);
    const device = world.device(1);
    await goBack(world, device);
    device.openTab();
    await comeBack(world, device);
    const all = ["before", "later", "later too", "refused"];
    expect(world.content(device).edits.toSorted()).toEqual(all);
    const [stream] = world.stored(device).streams.values();
    expect(stream).toMatchObject({ state: "DEAD_LETTER" });
    await decide(world, device, "retry");
    await expectEverywhere(world, all);
  });

  test.each<EditKind>(["text", "list", "map"])(
    "promises 2 and 4: so it is where more is written on the copy (%s), which is there once, too",
    async (kind) => {
      const world = await begin(6);
      const device = world.device(1);
      await goBack(world, device);
      await world.edit(device, kind, "on the copy");
      await comeBack(world, device);
      await discardAgain(world, device);
      await expectEverywhere(world, ["before", "later", "later too", "on the copy"]);
    },
  );

  test("promises 2 and 4: so it is where that is copied, and the copy restored, before the log is here", async () => {
    const world = await begin(6);
    const device = world.device(1);
    await goBack(world, device);
    await world.edit(device, "text", "on the copy");
    await comeBack(world, device);
    device.backUp();
    const { cursor, ahead } = world.stored(device).position;
    expect(cursor).toBeLessThan(ahead ?? 0);
    await discardAgain(world, device);
    await world.until("all is sent", () => world.isDrained(device));
    device.goOffline();
    device.restoreBackup();
    await world.edit(device, "text", "on its copy");
    await comeBack(world, device);
    await discardAgain(world, device);
    await expectEverywhere(world, ["before", "later", "later too", "on its copy", "on the copy"]);
  });

  test("promise 2: what was applied again in the copy already is there once, with what is behind it", async () => {
    const world = await begin(6);
    const device = world.device(1);
    await park(world, device);
    device.goOffline();
    await decide(world, device, "discard");
    await world.edit(device, "text", "behind");
    device.backUp();
    device.goOnline();
    await world.until("all is sent", () => world.isDrained(device));
    device.goOffline();
    device.restoreBackup();
    await world.edit(device, "text", "on the copy");
    await comeBack(world, device);
    await expectEverywhere(world, ["before", "behind", "later", "on the copy"]);
  });

  const kinds: ReadonlyArray<EditKind> = ["text", "list", "map", "counter"];

  test.each(kinds)(
    "promises 2 and 4: so it is where they are given up on the copy with more behind them (%s), before it is in touch",
    async (kind) => {
      const world = await begin(6);
      const device = world.device(1);
      await goBack(world, device);
      await world.edit(device, kind, "on the copy");
      await decide(world, device, "discard");
      await world.edit(device, kind, "behind");
      await comeBack(world, device);
      await expectEverywhere(world, ["before", "behind", "later", "later too", "on the copy"]);
    },
  );

  test.each(kinds)(
    "promises 2 and 4: so it is where they were tried again, and are given up on the copy with more behind them (%s)",
    async (kind) => {
      const world = await begin(6);
      const device = world.device(1);
      await park(world, device);
      await world.edit(device, "text", "later too");
      device.backUp();
      await decide(world, device, "retry");
      await world.until("all is sent", () => world.isDrained(device));
      device.goOffline();
      device.restoreBackup();
      await world.edit(device, kind, "on the copy");
      await decide(world, device, "discard");
      await world.edit(device, kind, "behind");
      expect(world.content(device).edits.toSorted()).toEqual(["before", "behind", "later", "later too", "on the copy"]);
      await comeBack(world, device);
      await expectEverywhere(world, ["before", "behind", "later", "later too", "on the copy", "refused"]);
    },
  );

  test("promise 2: so it is where another copy has made them anew and tried again, and this one has given them up", async () => {
    const world = await begin(6);
    const device = world.device(1);
    await goBack(world, device);
    device.openTab();
    await comeBack(world, device);
    await decide(world, device, "retry");
    await world.until("all is sent", () => world.isDrained(device));
    device.goOffline();
    device.restoreBackup();
    await world.edit(device, "text", "on the copy");
    await decide(world, device, "discard");
    await comeBack(world, device);
    await expectEverywhere(world, ["before", "later", "later too", "on the copy", "refused"]);
  });

  test("promise 2: so it is where they are given up on the copy as well, before it is in touch", async () => {
    const world = await begin(6);
    const device = world.device(1);
    await goBack(world, device);
    device.openTab();
    await decide(world, device, "discard");
    await comeBack(world, device);
    await expectEverywhere(world, ["before", "later", "later too"]);
  });
});
