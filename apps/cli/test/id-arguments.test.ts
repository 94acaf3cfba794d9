/** Ids that begin with a hyphen are ids, not flags. */
import { afterEach, describe, expect, it } from "vitest";
import { withIdsAsValues } from "../src/id-arguments.ts";
import { cairn, folder, removeFolders } from "./cairn-command.ts";

afterEach(removeFolders);

const ID = "-dQ4eJsw7Kf_-2xPzR1m3A";
const TWO_HYPHENS = "--Q4eJsw7Kf_-2xPzR1m3A";

describe("ids as arguments", () => {
  it.each([
    ["an id", ["show", ID], ["show", "--", ID]],
    ["its beginning", ["show", ID.slice(0, 8)], ["show", "--", ID.slice(0, 8)]],
    ["one with two hyphens", ["show", TWO_HYPHENS], ["show", "--", TWO_HYPHENS]],
    ["flags behind it", ["-d", "/tmp/x", "show", ID, "--json"], ["-d", "/tmp/x", "show", "--json", "--", ID]],
    ["a workspace's", ["--workspace", ID, "list"], [`--workspace=${ID}`, "list"]],
    ["a workspace's, in short", ["-w", ID, "show", ID], [`-w=${ID}`, "show", "--", ID]],
    ["what is marked already", ["show", "--", ID], ["show", "--", ID]],
    ["other flags", ["list", "-s", "milk", "--deleted"], ["list", "-s", "milk", "--deleted"]],
    ["help", ["show", "-h"], ["show", "-h"]],
    ["a long flag", ["show", "--directory", "x"], ["show", "--directory", "x"]],
    ["an unknown flag elsewhere", ["status", "-abc"], ["status", "-abc"]],
  ])("%s", (_, given, expected) => {
    expect(withIdsAsValues(given)).toEqual(expected);
  });

  it("the command looks for them", async () => {
    const directory = await folder();
    for (const id of [ID, ID.slice(0, 8), TWO_HYPHENS]) {
      const shown = await cairn(directory, ["--json", "show", id]);
      expect(JSON.parse(shown.stderr)).toMatchObject({ error: { code: "document-unknown" } });
    }
    const listed = await cairn(directory, ["--json", "--workspace", ID, "list"]);
    expect(JSON.parse(listed.stderr)).toMatchObject({ error: { code: "workspace-not-here" } });
  });
});
