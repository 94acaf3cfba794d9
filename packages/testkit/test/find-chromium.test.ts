import { ChromiumMissing, findChromium } from "@cairn/testkit/browser";
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

test("the browser that is found starts and says that it is Chromium", async () => {
  const { executablePath, env } = await findChromium();
  const { stdout } = spawnSync(executablePath, ["--version"], { encoding: "utf8", env: { ...process.env, ...env } });
  expect(stdout).toMatch(/Chrom(e|ium)/);
});

test("a CHROME_PATH that leads nowhere is an error, not a reason to look elsewhere", async () => {
  await expect(findChromium({ CHROME_PATH: "/nonexistent/chromium" })).rejects.toThrow(ChromiumMissing);
});
