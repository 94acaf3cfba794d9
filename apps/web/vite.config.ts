import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig, type Rolldown } from "vite";
import packageJson from "./package.json" with { type: "json" };
import { appShell } from "./vite-app-shell.ts";
import { olderApp } from "./vite-older-app.ts";

/** Where `npm run dev` finds a running Cairn server; the built app is always served by the server itself. */
const server = process.env["CAIRN_DEV_SERVER"] ?? "http://127.0.0.1:4780";

/** Our HPKE library asks for Node's crypto only where the platform has none: in a browser it never gets there. */
const rolldownOptions = {
  onLog: (level: Rolldown.LogLevel, log: Rolldown.RolldownLog, pass: Rolldown.LogOrStringHandler): void => {
    // The page loads this part with documents, a worker with what it receives: late in both, each in its own way.
    if (log.code === "INEFFECTIVE_DYNAMIC_IMPORT" && log.message.includes("update-ranges")) return;
    if (!/Module "crypto" has been externalized .*@hpke/.test(log.message)) pass(level, log);
  },
};

/** Set to build an older version of the app, for tests. Workers are bundled on their own, with plugins of their own. */
const notebookVersion = process.env["CAIRN_NOTEBOOK_VERSION"];
const older = () => (notebookVersion === undefined ? [] : [olderApp(notebookVersion)]);

export default defineConfig({
  root: import.meta.dirname,
  define: { __CAIRN_VERSION__: JSON.stringify(process.env["CAIRN_WEB_VERSION"] ?? packageJson.version) },
  plugins: [...older(), react(), tailwindcss(), appShell()],
  // `source`: workspace packages are taken from their TypeScript, so a change there needs no build step.
  resolve: { conditions: ["source", "module", "browser", "development|production"], dedupe: ["loro-crdt", "react"] },
  build: {
    target: "esnext",
    outDir: "dist",
    assetsDir: "assets",
    sourcemap: false,
    // The content security policy allows no data: fonts or scripts; small assets stay files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions,
  },
  worker: { format: "es", plugins: older, rolldownOptions },
  optimizeDeps: { exclude: ["loro-crdt"] },
  server: { proxy: { "/v1": { target: server, ws: true }, "/docs": server, "/health": server } },
});
