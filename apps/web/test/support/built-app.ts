import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";

export interface BuiltApp {
  readonly directory: string;
  readonly remove: () => Promise<void>;
}

/** Builds the app into a folder of its own. `version` makes a build that differs from the others. */
export const buildApp = async (version: string): Promise<BuiltApp> => {
  const directory = await mkdtemp(join(tmpdir(), "cairn-web-"));
  await build({
    configFile: join(import.meta.dirname, "..", "..", "vite.config.ts"),
    configLoader: "runner",
    logLevel: "error",
    define: { __CAIRN_VERSION__: JSON.stringify(version) },
    build: { outDir: directory, emptyOutDir: true },
  });
  return { directory, remove: () => rm(directory, { recursive: true, force: true }) };
};
