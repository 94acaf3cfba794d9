import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { hashBuildInputs } from "../../build-inputs.ts";

const web = join(import.meta.dirname, "..", "..");
const vite = join(dirname(createRequire(import.meta.url).resolve("vite/package.json")), "bin", "vite.js");
const builds = join(web, "../../node_modules/.cache/cairn/test-builds");

/** Of so many sources builds are kept: a run of the tests may go on while somebody edits what it was built from. */
const KEPT = 3;

export interface BuiltApp {
  /** Shared by all tests that want this build: nobody writes into it. */
  readonly directory: string;
}

/**
 * The app as `npm run build` builds it, made once for its sources. `version` makes a build that differs from others;
 * `notebookVersion` an older app, with that version of the notebook's documents (`apps/web/older`).
 */
export const buildApp = async (version = "test", notebookVersion?: number): Promise<BuiltApp> => {
  const inputs = hashBuildInputs();
  const directory = join(builds, inputs, `${version}-${notebookVersion ?? "current"}`);
  if (existsSync(directory)) return { directory };
  await mkdir(join(builds, inputs), { recursive: true });
  await removeAllBut(KEPT);
  const unfinished = await mkdtemp(join(builds, inputs, "unfinished-"));
  // In a process of its own: the test runner's environment would turn it into a development build.
  await promisify(execFile)(process.execPath, [vite, "build", "--outDir", unfinished, "--emptyOutDir"], {
    cwd: web,
    env: {
      ...process.env,
      NODE_ENV: "production",
      CAIRN_WEB_VERSION: version,
      ...(notebookVersion === undefined ? {} : { CAIRN_NOTEBOOK_VERSION: String(notebookVersion) }),
    },
  });
  // Whoever built the same meanwhile was first.
  await rename(unfinished, directory).catch((error: unknown) => {
    if (!existsSync(directory)) throw error;
    return rm(unfinished, { recursive: true, force: true });
  });
  return { directory };
};

const removeAllBut = async (newest: number): Promise<void> => {
  const folders = await Promise.all(
    (await readdir(builds)).map(async (name) => ({ name, at: (await stat(join(builds, name))).mtimeMs })),
  );
  for (const { name } of folders.toSorted((a, b) => b.at - a.at).slice(newest)) {
    await rm(join(builds, name), { recursive: true, force: true });
  }
};
