/** Whole devices, opened as apps open them, for tests that kill what is around them. */
import { openCairn } from "../../src/node.ts";
import type { Cairn } from "../../src/api.ts";
import { type Notebook, schema } from "../notebook.ts";

export class WholeDevices {
  readonly #open = new Set<Cairn<Notebook>>();

  /** Opens a profile, or opens it again. */
  async open(options: {
    readonly directory: string;
    readonly server: string;
    readonly name: string;
  }): Promise<Cairn<Notebook>> {
    const { directory, name: deviceName, server } = options;
    const cairn = await openCairn({ schema, directory, server, deviceName });
    this.#open.add(cairn);
    return cairn;
  }

  async close(cairn: Cairn<Notebook>): Promise<void> {
    this.#open.delete(cairn);
    await cairn.close();
  }

  async closeAll(): Promise<void> {
    for (const cairn of this.#open) await this.close(cairn);
  }
}

/** Numbers in [0, 1) that a seed decides, so that a failure can be run again (mulberry32). */
export const seeded = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** The seed of this run, which `CAIRN_SEED` may say. Printed where a test fails. */
export const seedOfRun = (): number => Number(process.env["CAIRN_SEED"] ?? 20_261_122);

export const pause = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis));

/** How often each of the marks occurs in a text, for those that do not occur exactly once. */
export const notOnce = (text: string, marks: Iterable<string>): ReadonlyArray<string> =>
  [...marks].filter((mark) => text.split(mark).length !== 2);
