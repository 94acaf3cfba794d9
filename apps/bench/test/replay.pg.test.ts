/** Replays through the real thing: server process, database, network, clients in threads of their own. */
import { generateConcurrent, generateSequential, shortSessionFile, type Trace } from "@cairn/testkit/traces";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { replay, type ReplaySettings, succeeded } from "../src/replay/replay.ts";
import { describeReport } from "../src/replay/report.ts";

const MILLIS = 120_000;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cairn-bench-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const fileOf = async (name: string, trace: Trace): Promise<string> => {
  const file = join(folder, `${name}.json`);
  await writeFile(file, JSON.stringify(trace));
  return file;
};

const run = async (settings: Pick<ReplaySettings, "file"> & Partial<ReplaySettings>) => {
  const said: Array<string> = [];
  const report = await replay({
    devices: undefined,
    rate: undefined,
    kills: 0,
    seed: 1,
    say: (line) => said.push(line),
    ...settings,
  });
  return { report, said };
};

describe("replay", () => {
  it("moves the author of a recorded session from device to device", { timeout: MILLIS }, async () => {
    const { report } = await run({ file: shortSessionFile, turn: 60 });
    expect(describeReport(report, 0)).toContain("succeeded");
    expect([...report.equal]).toEqual(["device-1", "device-2", "device-3", "cold-device"].map((name) => [name, true]));
    // Each turn is at least one entry, since the next author has seen it.
    expect(report.entries).toBeGreaterThanOrEqual(Math.ceil(report.transactions / 60));
    expect(report.acknowledged).toBe(report.entries);
    expect(report.bytesUp).toBeGreaterThan(report.transactions);
    expect(report.cold.bytesDown).toBeGreaterThan(1_000);
  });

  it("makes entries enough of a session that is typed in a moment", { timeout: MILLIS }, async () => {
    const file = await fileOf("quick", generateSequential({ seed: 7, transactions: 2_000 }));
    const { report } = await run({ file, devices: 2 });
    expect(describeReport(report, 0)).toContain("succeeded");
    expect(report.entries).toBeGreaterThanOrEqual(200);
  });

  it("survives kills of the server in a sequential session with emoji", { timeout: MILLIS }, async () => {
    const file = await fileOf("sequential", generateSequential({ seed: 11, transactions: 400 }));
    const { report, said } = await run({ file, kills: 2, seed: 5, turn: 90, devices: 2 });
    expect(describeReport(report, 2)).toContain("succeeded");
    expect(report.kills).toBe(2);
    expect(said.filter((line) => line.startsWith("killed the server"))).toHaveLength(2);
  });

  it("plays agents who type at once, through kills", { timeout: MILLIS }, async () => {
    const file = await fileOf("concurrent", generateConcurrent({ seed: 3, transactions: 300, agents: 3 }));
    const { report } = await run({ file, kills: 2, seed: 9 });
    expect(describeReport(report, 2)).toContain("succeeded");
    expect(report.devices).toBe(3);
  });

  it("says that a replica differs from what was recorded", { timeout: MILLIS }, async () => {
    const trace = generateSequential({ seed: 2, transactions: 30 });
    const file = await fileOf("wrong", { ...trace, endContent: `${trace.endContent}!` });
    const { report } = await run({ file, devices: 1 });
    expect(succeeded(report, 0)).toBe(false);
    expect([...report.equal.values()]).toEqual([false, false]);
  });

  it("refuses devices for a concurrent session, and more kills than there are moments", async () => {
    const file = await fileOf("refused", generateConcurrent({ seed: 3, transactions: 10, agents: 2 }));
    await expect(run({ file, devices: 2 })).rejects.toThrow("leave --devices out");
    await expect(run({ file, kills: 10 })).rejects.toThrow("cannot bear 10 kills");
  });
});
