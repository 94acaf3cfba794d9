// npm run build: every package and the web app, through turbo's cache. Arguments go to turbo.
import "./require-node.mjs";
import { spawnSync } from "node:child_process";

const { status } = spawnSync("turbo", ["run", "build", ...process.argv.slice(2)], {
  stdio: "inherit",
  shell: process.platform === "win32",
  env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1" },
});
process.exit(status ?? 1);
