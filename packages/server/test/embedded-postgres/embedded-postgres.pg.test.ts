import { type DatabaseRefusal, makeEmbeddedPostgres } from "@cairn/server/embedded-postgres";
import { PgClient } from "@effect/sql-pg";
import { Effect, Exit, Redacted, Schedule, Schema, Scope } from "effect";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";

let folder: string;
let open: Array<Scope.Closeable>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cairn-embedded-"));
  // PostgreSQL runs as another user when the tests run as root.
  await chmod(folder, 0o711);
  open = [];
});

afterEach(async () => {
  for (const scope of open) await Effect.runPromise(Scope.close(scope, Exit.void));
  await rm(folder, { recursive: true, force: true });
});

const Held = Schema.fromJsonString(Schema.Struct({ pid: Schema.Int, url: Schema.String }));

const start = async (at = join(folder, "database")) => {
  const scope = Scope.makeUnsafe();
  open.push(scope);
  const database = await Effect.runPromise(Scope.provide(makeEmbeddedPostgres({ folder: at }), scope));
  const stop = () => Effect.runPromise(Scope.close(scope, Exit.void));
  return { ...database, stop };
};

const refusal = (at = join(folder, "database")): Promise<DatabaseRefusal> =>
  Effect.runPromise(Effect.flip(Effect.scoped(makeEmbeddedPostgres({ folder: at }))).pipe(Effect.orDie));

const query = (url: Redacted.Redacted, statement: string) =>
  Effect.gen(function* () {
    const sql = yield* PgClient.PgClient;
    return yield* sql.unsafe(statement);
  }).pipe(Effect.provide(PgClient.layer({ url, maxConnections: 1 })));

const run = (url: Redacted.Redacted, statement: string) => Effect.runPromise(query(url, statement));

/** As `run`, but tries again while the database is away. */
const runWhenBack = (url: Redacted.Redacted, statement: string) =>
  Effect.runPromise(query(url, statement).pipe(Effect.retry({ times: 400, schedule: Schedule.spaced("20 millis") })));

/** Without an init process that collects them, ended orphans stay in the list as zombies ("Z"). */
const isRunning = (pid: number): boolean => {
  if (process.platform !== "linux") return process.kill(pid, 0);
  const path = `/proc/${pid}/stat`;
  return existsSync(path) && !/\) Z /.test(readFileSync(path, "utf8"));
};

test("it starts in an empty folder, keeps its data over a stop, and leaves no process behind", async () => {
  const first = await start();
  await run(first.url, "CREATE TABLE t AS SELECT 7 AS n");
  const pid = await Effect.runPromise(first.pid);
  await first.stop();
  expect(isRunning(pid)).toBe(false);

  const second = await start();
  await expect(run(second.url, "SELECT n FROM t")).resolves.toEqual([{ n: 7 }]);
});

test("promise 1: it runs with everything on that makes a commit durable", async () => {
  const { url } = await start();
  const settings = ["fsync", "synchronous_commit", "full_page_writes"];
  for (const name of settings) {
    await expect(run(url, `SELECT current_setting('${name}') AS value`)).resolves.toEqual([{ value: "on" }]);
  }
});

test("promise 1: a killed database process is replaced, at the same address, with every commit", async () => {
  const { pid, status, url } = await start();
  await run(url, "CREATE TABLE t AS SELECT 1 AS n");
  const killed = await Effect.runPromise(pid);
  process.kill(killed, "SIGKILL");
  await expect(runWhenBack(url, "SELECT n FROM t")).resolves.toEqual([{ n: 1 }]);
  await expect(Effect.runPromise(pid)).resolves.not.toBe(killed);
  await expect(Effect.runPromise(status)).resolves.toBe("up");
});

test("promise 1: after the parent was killed, the next start ends the orphan and has every commit", async () => {
  const victim = spawn(
    process.execPath,
    ["--conditions=source", join(import.meta.dirname, "hold-database.ts"), join(folder, "database")],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const lines = createInterface(victim.stdout)[Symbol.asyncIterator]();
  const held = Schema.decodeUnknownSync(Held)((await lines.next()).value);
  await run(Redacted.make(held.url), "CREATE TABLE t AS SELECT 5 AS n");
  victim.kill("SIGKILL");
  await once(victim, "exit");
  expect(isRunning(held.pid)).toBe(true);

  const began = performance.now();
  const next = await start();
  await expect(run(next.url, "SELECT n FROM t")).resolves.toEqual([{ n: 5 }]);
  expect(performance.now() - began).toBeLessThan(5_000);
  expect(isRunning(held.pid)).toBe(false);
});

test("a process number that now belongs to somebody else is not taken for an orphan", async () => {
  const first = await start();
  await run(first.url, "CREATE TABLE t (n int)");
  await first.stop();
  const file = join(folder, "database", "cluster", "postmaster.pid");
  await writeFile(file, `${process.pid}\n${join(folder, "database", "cluster")}\n1000000000\n5432\n\n\n0 0\nready\n`);
  const second = await start();
  await expect(run(second.url, "SELECT count(*)::int AS n FROM t")).resolves.toEqual([{ n: 0 }]);
});

test("a second live instance on the folder is refused, and the first goes on", async () => {
  const { url } = await start();
  const { code, message } = await refusal();
  expect(code).toBe("folder-in-use");
  expect(message).toContain(`process ${process.pid}`);
  expect(message).toContain("CAIRN_DATA_DIR");
  await expect(run(url, "SELECT 1 AS n")).resolves.toEqual([{ n: 1 }]);
});

test("data of another major version is refused and left as it is", async () => {
  const { major, stop } = await start();
  await stop();
  const file = join(folder, "database", "cluster", "PG_VERSION");
  await writeFile(file, "12\n");
  const { code, message } = await refusal();
  expect(code).toBe("major-version");
  expect(message).toContain("PostgreSQL 12");
  expect(message).toContain(`PostgreSQL ${major}`);
  await expect(readFile(file, "utf8")).resolves.toBe("12\n");
});

test.runIf(process.getuid?.() === 0)("as root, a folder that the database's user cannot reach is refused", async () => {
  const closed = join(folder, "closed");
  await start(join(closed, "a")).then(({ stop }) => stop());
  await chmod(closed, 0o700);
  const { code, message } = await refusal(join(closed, "a"));
  expect(code).toBe("folder-unreachable");
  expect(message).toContain(`chmod o+x ${closed}`);
});

test("where a socket's path would be too long, it listens on loopback and asks for the password", async () => {
  const deep = join(folder, "d".repeat(90));
  const { url } = await start(deep);
  const address = new URL(Redacted.value(url));
  expect(address.searchParams.get("host")).toBeNull();
  expect(address.hostname).toBe("127.0.0.1");
  await expect(run(url, "SELECT 1 AS n")).resolves.toEqual([{ n: 1 }]);
  address.password = "guess";
  await expect(run(Redacted.make(address.toString()), "SELECT 1 AS n")).rejects.toThrow();
});

test("promise 6: no statement and no value reaches the database's log, even when it fails", async () => {
  const { stop, url } = await start();
  await run(url, "CREATE TABLE t (secret text PRIMARY KEY)");
  await run(url, "INSERT INTO t VALUES ('plaintext-a')");
  await expect(run(url, "INSERT INTO t VALUES ('plaintext-a')")).rejects.toThrow();
  await expect(run(url, "SELECT 'plaintext-b'::int")).rejects.toThrow();
  await stop();
  const log = await readFile(join(folder, "database", "postgres.log"), "utf8");
  expect(log).toContain("database system is ready");
  expect(log).not.toContain("INSERT");
  expect(log).not.toContain("plaintext");
});

test("password, data and socket are closed to others", async () => {
  await start();
  const mode = async (name: string) => (await stat(join(folder, "database", name))).mode & 0o777;
  await expect(mode("password")).resolves.toBe(0o600);
  await expect(mode("cluster")).resolves.toBe(0o700);
  await expect(mode("socket")).resolves.toBe(0o700);
});
