/** What a build of this app depends on: where it is the same, a build can be used again. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");
const inputs = [
  "package-lock.json",
  "tsconfig.base.json",
  "apps/web",
  ...["client", "crypto", "protocol", "react", "schema", "sync"].map((name) => `packages/${name}`),
];
const ignored = new Set(["node_modules", "dist", "test", ".turbo"]);

/** The SHA-256 of the sources of the web app and of the packages in it, as hex. */
export const hashBuildInputs = (): string => {
  const hash = createHash("sha256");
  const add = (path: string): void => {
    hash.update(`\0${path}\0`).update(readFileSync(join(root, path)));
  };
  const walk = (folder: string): void => {
    const entries = readdirSync(join(root, folder), { withFileTypes: true });
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory() && !ignored.has(entry.name)) walk(path);
      else if (entry.isFile()) add(path);
    }
  };
  for (const input of inputs) (input.endsWith(".json") ? add : walk)(input);
  return hash.digest("hex");
};
