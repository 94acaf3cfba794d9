/** Checks the import rules in the whole repository; a part of `npm run check`. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { violations } from "./import-rules.ts";

const root = resolve(import.meta.dirname, "..");
const ignored = /(^|\/)(node_modules|dist|\.turbo)(\/|$)/;

const files = ["packages", "apps"]
  .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile() && /\.(ts|tsx|mts|mjs)$/.test(entry.name))
  .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"))
  .filter((path) => !ignored.test(path));

const found = files.flatMap((path) => violations(path, readFileSync(join(root, path), "utf8")));
for (const violation of found) console.error(violation);
console.log(`Import rules: ${files.length} files, ${found.length} violations`);
process.exitCode = found.length === 0 ? 0 : 1;
