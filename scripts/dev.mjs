// npm run dev: the server, restarted when its sources change, and Vite with hot reload in front of it.
import "./require-node.mjs";
import { spawn } from "node:child_process";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const flags = ["--conditions=source", "--disable-warning=ExperimentalWarning"];
const run = (cwd, ...args) => spawn(process.execPath, args, { cwd, stdio: "inherit" });

const server = run(root, "--watch", "--watch-preserve-output", ...flags, "apps/server/src/main.ts");
const vite = run(join(root, "apps/web"), join(root, "node_modules/vite/bin/vite.js"));

const children = [server, vite];
const stop = (signal) => {
  for (const child of children) child.kill(signal);
};
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => stop(signal));
for (const child of children) {
  child.once("exit", (code) => {
    stop("SIGTERM");
    process.exitCode ??= code ?? 0;
  });
}
