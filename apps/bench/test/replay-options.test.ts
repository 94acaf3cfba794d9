import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { HelpWanted, parseReplayOptions, UsageError } from "../src/replay/options.ts";

const command = join(import.meta.dirname, "../src/replay-command.ts");
const run = (...args: ReadonlyArray<string>) =>
  spawnSync(process.execPath, ["--conditions=source", "--disable-warning=ExperimentalWarning", command, ...args], {
    encoding: "utf8",
  });

describe("the arguments of a replay", () => {
  it("are a file and what is known, or a refusal", () => {
    expect(parseReplayOptions(["a.json", "--devices", "2", "--seed", "7"])).toEqual({
      file: "a.json",
      devices: 2,
      rate: undefined,
      kills: 0,
      seed: 7,
    });
    for (const wrong of [[], ["a", "b"], ["a", "--devices", "0"], ["a", "--rate", "x"], ["a", "--unknown"]]) {
      expect(() => parseReplayOptions(wrong)).toThrow(UsageError);
    }
    for (const help of [["--help"], ["-h"], ["a.json", "--help"]]) {
      expect(() => parseReplayOptions(help)).toThrow(HelpWanted);
    }
  });

  it("are explained where that is asked for, and a file that is not there is said in a line", () => {
    const help = run("--help");
    expect([help.status, help.stdout, help.stderr]).toEqual([0, expect.stringMatching(/--kill-server N/), ""]);
    const missing = run("/nowhere/session.json");
    expect(missing.status).toBe(2);
    expect(missing.stderr).toMatch(/^there is no file \/nowhere\/session\.json that can be read\n\nnpm run replay/);
  });
});
