import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

export interface BuiltApp {
  readonly directory: string;
  readonly remove: () => Promise<void>;
}

const web = join(import.meta.dirname, "..", "..");
const vite = join(dirname(createRequire(import.meta.url).resolve("vite/package.json")), "bin", "vite.js");

/**
 * Builds the app as `npm run build` does, into a folder of its own. `version` makes a build that differs from others;
 * `notebookVersion` an older app, with that version of the notebook's documents (`apps/web/older`). In a process of its
 * own: the test runner's environment would turn it into a development build.
 */
export const buildApp = async (version: string, notebookVersion?: number): Promise<BuiltApp> => {
  const directory = await mkdtemp(join(tmpdir(), "cairn-web-"));
  await promisify(execFile)(process.execPath, [vite, "build", "--outDir", directory, "--emptyOutDir"], {
    cwd: web,
    env: {
      ...process.env,
      NODE_ENV: "production",
      CAIRN_WEB_VERSION: version,
      ...(notebookVersion === undefined ? {} : { CAIRN_NOTEBOOK_VERSION: String(notebookVersion) }),
    },
  });
  return { directory, remove: () => rm(directory, { recursive: true, force: true }) };
};
