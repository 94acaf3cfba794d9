// npm run check: everything that can be said about the sources without running them. All checks run, so that one look
// shows all there is to do.
import "./require-node.mjs";
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const checks = {
  types: "tsc -p tsconfig.json",
  "Effect diagnostics":
    "effect-tsgo diagnostics --project tsconfig.json --format text --severity error,warning --strict",
  lint: "oxlint --type-aware --deny-warnings",
  formatting: "oxfmt --check .",
  "import rules": "node scripts/check-imports.ts",
  lockfile: "node scripts/complete-lockfile.mjs --check",
  "schema versions":
    "node --conditions=source --disable-warning=ExperimentalWarning apps/cli/src/main.ts schema check --schema apps/web/src/notebook/schema.ts",
  "dead code": "knip --no-config-hints",
};

const failed = [];
for (const [name, command] of Object.entries(checks)) {
  const started = performance.now();
  const { status } = spawnSync(command, { cwd: root, stdio: "inherit", shell: true });
  console.log(`${status === 0 ? "ok    " : "FAILED"} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  if (status !== 0) failed.push(name);
}
if (failed.length > 0) {
  console.error(`\nCheck failed: ${failed.join(", ")}`);
  process.exit(1);
}
