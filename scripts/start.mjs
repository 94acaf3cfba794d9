// npm start: builds the web app when its sources changed, then becomes the server. One process from then on, so that
// Ctrl-C and SIGTERM reach the server itself. Arguments go to the server: npm start -- --help
import "./require-node.mjs";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const stamp = join(root, "node_modules/.cache/cairn/web-inputs");
const isBuilt = (hash) =>
  existsSync(join(root, "apps/web/dist/index.html")) && existsSync(stamp) && readFileSync(stamp, "utf8") === hash;

const build = () =>
  new Promise((done) => {
    const vite = join(root, "node_modules/vite/bin/vite.js");
    const child = spawn(process.execPath, [vite, "build", "--logLevel", "warn"], {
      cwd: join(root, "apps/web"),
      stdio: ["ignore", "inherit", "inherit"],
    });
    const stop = (signal) => {
      child.kill(signal);
      process.exit(0);
    };
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
    child.once("error", (error) => done(error.message));
    child.once("exit", (code) => {
      process.off("SIGINT", stop);
      process.off("SIGTERM", stop);
      done(code === 0 ? undefined : `exit code ${code}`);
    });
  });

const asksOnly = process.argv.some((argument) => ["--help", "-h", "--version"].includes(argument));
// An old Node cannot load it, and has been told so by now.
const { hashBuildInputs } = await import("../apps/web/build-inputs.ts");
const hash = hashBuildInputs();
if (!asksOnly && !process.env.CAIRN_WEB_DIR && !isBuilt(hash)) {
  const started = performance.now();
  process.stdout.write("Building the web app (once; later starts reuse it)\n");
  const problem = await build();
  if (problem === undefined) {
    mkdirSync(join(stamp, ".."), { recursive: true });
    writeFileSync(stamp, hash);
    process.stdout.write(`Built the web app in ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
  } else {
    process.stderr.write(
      `The web app could not be built (${problem}); what went wrong is above. The server starts without a new one.\n`,
    );
  }
}

// npm hands a signal to its shell only, which ends without passing it on: whoever stops npm means the server.
if (process.env.npm_lifecycle_event !== undefined) {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, "SIGTERM");
  }, 250).unref();
}

process.chdir(root);
await import("../apps/server/src/main.ts");
