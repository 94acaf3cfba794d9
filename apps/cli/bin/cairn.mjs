#!/usr/bin/env node
// Starts the command from its sources, on the Node 24 that the install brings where this one is too old.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

const root = resolve(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "../../..");
const bundled = join(root, "node_modules/.bin", process.platform === "win32" ? "node.exe" : "node");
const [major, minor] = process.versions.node.split(".").map(Number);
const isNewEnough = major > 22 || (major === 22 && minor >= 19);
const node = isNewEnough || !existsSync(bundled) ? process.execPath : bundled;
const { status, signal } = spawnSync(
  node,
  [
    "--conditions=source",
    "--disable-warning=ExperimentalWarning",
    join(root, "apps/cli/src/main.ts"),
    ...process.argv.slice(2),
  ],
  {
    stdio: "inherit",
    env: { ...process.env, PATH: `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH ?? ""}` },
  },
);
if (signal !== null) process.kill(process.pid, signal);
process.exit(status ?? 1);
