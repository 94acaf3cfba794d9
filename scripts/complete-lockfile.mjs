// Names in the lockfile the platform packages that npm left out, because the registry of the machine that made it does
// not have them: npm ci refuses a lockfile with holes. npm looks them up where they are needed. Run after npm install;
// with --check it only says whether there are holes.
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";

const path = resolve(import.meta.dirname, "../package-lock.json");
const lock = JSON.parse(readFileSync(path, "utf8"));
const { packages } = lock;

const systems = ["darwin", "linux", "win32", "freebsd", "openbsd", "netbsd", "android", "openharmony", "sunos", "aix"];
const processors = ["x64", "arm64", "arm", "ia32", "riscv64", "ppc64", "s390x", "loong64", "mips64el", "wasm32"];

/** Whether `name` is found from the package at `from`, in its own node_modules or one above. */
const isLocked = (from, name) => {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")))) {
    if (packages[`${folder === "" ? "" : `${folder}/`}node_modules/${name}`] !== undefined) return true;
    if (folder === "" || !folder.includes("/node_modules/")) return packages[`node_modules/${name}`] !== undefined;
  }
};

let added = 0;
for (const [from, { optionalDependencies = {}, dev }] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    if (isLocked(from, name)) continue;
    const parts = name.split(/[/-]/);
    const os = systems.filter((system) => parts.includes(system));
    const cpu = processors.filter((processor) => parts.includes(processor));
    const libc = parts.includes("musl") ? ["musl"] : parts.includes("gnu") && os.includes("linux") ? ["glibc"] : [];
    packages[`node_modules/${name}`] = {
      version,
      ...(cpu.length === 0 ? {} : { cpu }),
      ...(dev === true ? { dev } : {}),
      ...(libc.length === 0 ? {} : { libc }),
      optional: true,
      ...(os.length === 0 ? {} : { os }),
    };
    added += 1;
  }
}
if (process.argv.includes("--check")) {
  if (added > 0) {
    console.error(`package-lock.json lacks ${added} platform packages: run node scripts/complete-lockfile.mjs`);
    process.exit(1);
  }
} else {
  lock.packages = Object.fromEntries(Object.entries(packages).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(path, `${JSON.stringify(lock, undefined, 2)}\n`);
  console.log(`Platform packages added to the lockfile: ${added}`);
}
