import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { normalizePath, type Plugin } from "vite";

const source = normalizePath(join(import.meta.dirname, "src"));

/**
 * Builds the app as it was with an older version of the notebook's documents: the files of `older/version-N` stand for
 * those of `src` with the same path. See `older/README.md`.
 */
export const olderApp = (version: string): Plugin => {
  const folder = normalizePath(join(import.meta.dirname, "older", `version-${version}`));
  if (!/^[1-9]\d*$/.test(version) || !existsSync(folder)) {
    throw new Error(`CAIRN_NOTEBOOK_VERSION is ${version}, and there is no older/version-${version}. Leave it out.`);
  }
  const standing = new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => normalizePath(join(entry.parentPath, entry.name)))
      .map((file) => [source + file.slice(folder.length), file]),
  );
  for (const [replaced, file] of standing) {
    if (!existsSync(replaced)) throw new Error(`${file} stands for ${replaced}, which does not exist.`);
  }
  return {
    name: "cairn:older-app",
    enforce: "pre",
    async resolveId(id, importer, options) {
      const resolved = await this.resolve(id, importer, { ...options, skipSelf: true });
      const replacement = resolved && standing.get(normalizePath(resolved.id));
      return replacement === undefined ? resolved : replacement;
    },
  };
};
