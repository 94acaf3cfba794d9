/** Situations made on purpose in the simulator: what happens when, to the step. */
import { type Circumstances, type Defect, keepSteps, makePlan } from "@cairn/testkit/simulator";
import { afterEach } from "vitest";
import { Run } from "../src/simulator/Run.ts";
import type { SimulatedDevice } from "../src/simulator/SimulatedDevice.ts";
import type { Decision, EditKind } from "../src/simulator/SimulatedTab.ts";
import { type Content, contentOf, verify } from "../src/simulator/verify.ts";

export const MINUTE = 60_000;

/** A calm run of two devices and one note, without a plan. */
export class Scenario {
  readonly run: Run;

  constructor(seed: number, withReader = false, versions?: Circumstances["versions"], defect?: Defect) {
    const plan = keepSteps(makePlan(seed, 2, 1), []);
    const circumstances = { nodes: 1, notes: 1, sessionMillis: 900_000, withReader, joinShare: 0, versions };
    this.run = new Run({ ...plan, circumstances }, { defect });
  }

  device(index: number): SimulatedDevice {
    const device = this.run.devices[index];
    if (device === undefined) throw new Error("no such device");
    return device;
  }

  /** Lets time pass until something is so; fails where a minute does not bring it. */
  async until(what: string, isSo: () => boolean, within = MINUTE): Promise<void> {
    const { world } = this.run;
    await world.runUntil(world.now + within, isSo);
    if (!isSo()) throw new Error(`it did not come to it: ${what}`);
  }

  pass(millis: number): Promise<void> {
    const { world } = this.run;
    return world.runUntil(world.now + millis);
  }

  /** Edits the note in some tab of a device, and waits until it is saved. */
  async edit(device: SimulatedDevice, kind: EditKind, id: string): Promise<void> {
    const { workspace, notes } = this.run;
    const [note] = notes;
    const tab = device.anyTab() ?? device.openTab();
    if (workspace === undefined || note === undefined) throw new Error("no workspace");
    let saved: boolean | undefined;
    void tab.edit(workspace, note, kind, id).then((result) => {
      saved = result;
    });
    await this.until(`${id} is answered`, () => saved !== undefined);
    if (saved !== true) throw new Error(`${id} was not saved`);
  }

  stored(device: SimulatedDevice) {
    const stored = this.run.workspace === undefined ? undefined : device.storage.workspaces.get(this.run.workspace);
    if (stored === undefined) throw new Error("the workspace is not here");
    return stored;
  }

  /** Nothing of the device waits. */
  isDrained(device: SimulatedDevice): boolean {
    const { documents, outgoing } = this.stored(device);
    return outgoing.size === 0 && [...documents.values()].every(({ pending }) => pending.length === 0);
  }

  /** The note as a device's store has it. */
  content(device: SimulatedDevice): Content {
    const [document] = this.stored(device).documents.values();
    if (document === undefined) throw new Error("the note is not here");
    return contentOf(document, this.run.plan.circumstances.versions !== undefined);
  }

  /** What is not as it was promised when everything is quiet. */
  async violations(): Promise<ReadonlyArray<string>> {
    await this.run.heal();
    return [...(await verify(this.run)), ...this.run.ledger.violations, ...this.run.world.complaints];
  }
}

let scenario: Scenario | undefined;
afterEach(() => {
  scenario?.run.end();
});

/** The test's scenario, in which nothing has happened yet. It ends with the test. */
export const makeScenario = (...options: ConstructorParameters<typeof Scenario>): Scenario => {
  scenario = new Scenario(...options);
  return scenario;
};

/** The test's scenario, with both devices in the workspace. */
export const begin = async (...options: ConstructorParameters<typeof Scenario>): Promise<Scenario> => {
  const made = makeScenario(...options);
  await made.run.setUp();
  await made.until("both are in", () => made.run.joined.size === 2);
  return made;
};

/** An edit of the note is refused and parked, and another one waits behind it. */
export const park = async (world: Scenario, device: SimulatedDevice, kind: EditKind = "text"): Promise<void> => {
  await world.edit(device, kind, "before");
  await world.until("the first edit is sent", () => world.isDrained(device));
  world.run.cluster.refusals.refuseNext(world.stored(device).record.device, 1);
  await world.edit(device, kind, "refused");
  const isParked = (): boolean =>
    [...world.stored(device).streams.values()].some(({ state }) => state === "DEAD_LETTER") &&
    world.stored(device).outgoing.size === 0;
  await world.until("it is parked", isParked);
  await world.edit(device, "counter", "later");
};

/** Does something with the dead letter in some tab, while something else happens. */
export const decide = async (
  world: Scenario,
  device: SimulatedDevice,
  decision: Decision,
  meanwhile: () => Promise<unknown> = () => Promise.resolve(),
): Promise<void> => {
  const { workspace } = world.run;
  const tab = device.anyTab();
  if (workspace === undefined || tab === undefined) throw new Error("no workspace");
  let done = false;
  void tab
    .deadLetters(workspace)
    .then(([letter]) => (letter === undefined ? undefined : tab.decide(workspace, letter, decision)))
    .then(() => {
      done = true;
    });
  await meanwhile();
  await world.until("it is decided", () => done);
};
