/** What somebody sees who has an old Node, and none that came with the install. */
import { spawnSync } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cairn-node-"));
  await mkdir(join(folder, "scripts"));
  await copyFile(join(import.meta.dirname, "../scripts/require-node.mjs"), join(folder, "scripts/require-node.mjs"));
});
afterAll(() => rm(folder, { recursive: true }));

const runOn = (version: string) => {
  const versions = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } })`;
  return spawnSync(
    process.execPath,
    ["--import", `data:text/javascript,${encodeURIComponent(versions)}`, join(folder, "scripts/require-node.mjs")],
    { encoding: "utf8" },
  );
};

test.each(["18.19.0", "20.20.2", "22.18.0"])("Node %s is refused, with what to do", (version) => {
  const { status, stderr } = runOn(version);
  expect(status).toBe(1);
  expect(stderr).toMatch(/^Cairn needs Node 22\.19 or newer, and this is [\d.]+\.\n.*through npm[^]*npm ci/);
  expect(stderr).not.toMatch(/^\s+at /m);
});

test.each(["22.19.0", "24.0.0", "25.1.0"])("Node %s will do", (version) => {
  expect(runOn(version)).toMatchObject({ status: 0, stderr: "" });
});
