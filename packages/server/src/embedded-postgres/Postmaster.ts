/**
 * One PostgreSQL server process as our direct child: creating its folder, starting it, stopping it, and dealing with
 * one that an earlier, killed Cairn left behind.
 *
 * It is started in a process group of its own, so that Ctrl-C at the terminal reaches Cairn alone, which then closes
 * its connections before it stops the database.
 */
import { Effect } from "effect";
import { type ChildProcess, spawn } from "node:child_process";
import { chmod, chown, open, readFile, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseRefusal } from "./DatabaseRefusal.ts";
import { asUser, databaseUser, makeFolder } from "./database-user.ts";
import type { PostgresBinaries } from "./PostgresBinaries.ts";
import { isAlive, startedAt } from "./process-identity.ts";

/** Where one server keeps its things. */
export interface PostmasterFolders {
  /** PostgreSQL's own data. */
  readonly cluster: string;
  /** The socket's folder, open to nobody else. */
  readonly socket: string;
  readonly log: string;
}

/** Where it listens: on a socket in a private folder, or on a port of the loopback interface. */
export type ListenOn = { readonly _tag: "Socket" } | { readonly _tag: "Loopback"; readonly port: number };

export interface Postmaster {
  readonly pid: number;
  /** Completes when the process has ended, for whatever reason. */
  readonly ended: Effect.Effect<void>;
  /** Lets running statements go, writes a checkpoint and waits for the end; harder after some seconds. */
  readonly stop: Effect.Effect<void>;
}

/** The superuser's name in the embedded database. */
export const superuser = "cairn";

const logLimitBytes = 8 * 1024 * 1024;

/** Small: a personal server idles at some 20 MB. Durability stays on (promise 1). */
const settings = (folders: PostmasterFolders, listenOn: ListenOn): Readonly<Record<string, string>> => ({
  listen_addresses: listenOn._tag === "Loopback" ? "127.0.0.1" : "",
  port: listenOn._tag === "Loopback" ? String(listenOn.port) : "5432",
  unix_socket_directories: listenOn._tag === "Socket" ? folders.socket : "",
  unix_socket_permissions: "0700",
  fsync: "on",
  synchronous_commit: "on",
  full_page_writes: "on",
  password_encryption: "scram-sha-256",
  shared_buffers: "32MB",
  max_connections: "60",
  max_wal_size: "256MB",
  min_wal_size: "32MB",
  io_method: "sync",
  max_worker_processes: "4",
  max_logical_replication_workers: "0",
  huge_pages: "off",
  jit: "off",
  log_destination: "stderr",
  logging_collector: "off",
  // Promise 6: no statement and no value reaches the log. Errors of statements go to whoever sent them; their texts and
  // details quote values.
  log_min_messages: "log",
  log_error_verbosity: "terse",
  log_statement: "none",
  log_min_error_statement: "panic",
  log_parameter_max_length: "0",
  log_parameter_max_length_on_error: "0",
  log_timezone: "UTC",
  timezone: "UTC",
  cluster_name: "cairn",
});

/** Creates the cluster unless it is there. Made under another name and renamed, so that no half one is ever opened. */
export const createCluster = Effect.fn("createCluster")(function* (
  binaries: PostgresBinaries,
  folders: PostmasterFolders,
  password: string,
): Effect.fn.Return<void, DatabaseRefusal> {
  const draft = `${folders.cluster}.draft`;
  const passwordFile = `${folders.cluster}.password`;
  yield* attempt("prepare the database's folder", async () => {
    await rm(draft, { recursive: true, force: true });
    await makeFolder(draft);
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    await give(draft, 0o700);
    await give(passwordFile, 0o600);
  });
  const run = (args: ReadonlyArray<string>) =>
    attempt("create the database", async () => {
      const { code, output } = await runToEnd(binaries.initdb, args, draft);
      if (code !== 0) throw new Error(output.trim().split("\n").slice(-4).join(" "));
    });
  yield* run([
    `--pgdata=${draft}`,
    `--username=${superuser}`,
    `--pwfile=${passwordFile}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--data-checksums",
    "--no-sync",
    "--no-instructions",
  ]).pipe(Effect.ensuring(Effect.promise(() => rm(passwordFile, { force: true }))));
  // One pass over the finished files is faster than a sync after each of them, and makes them as durable.
  yield* run([`--pgdata=${draft}`, "--sync-only"]);
  yield* attempt("prepare the database's folder", () => rename(draft, folders.cluster));
});

/** Starts the server and waits until it accepts connections. */
export const startPostmaster = Effect.fn("startPostmaster")(function* (
  binaries: PostgresBinaries,
  folders: PostmasterFolders,
  listenOn: ListenOn,
): Effect.fn.Return<Postmaster, DatabaseRefusal> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const attempted = yield* attempt("start the database", () => launch(binaries, folders, listenOn, deadline));
    if (attempted._tag === "Started") return attempted.postmaster;
    // Processes of a killed postmaster hold its shared memory for a moment longer, until they notice.
    if (!attempted.log.includes("is still in use") || Date.now() > deadline) {
      const said = attempted.log.trim().split("\n").slice(-3).join(" ");
      return yield* new DatabaseRefusal({
        code: "not-starting",
        message:
          `The embedded PostgreSQL does not start: ${said === "" ? "it says nothing" : said} ` +
          `Its log is ${folders.log}. If the disk is full or the folder was copied while in use, put that right and start again.`,
      });
    }
    yield* Effect.sleep("100 millis");
  }
});

/**
 * Stops the server of an earlier Cairn that was killed. The caller holds the folder's lock, so nobody else's live
 * server can be meant; what `postmaster.pid` names is checked against the process's start time all the same.
 */
export const stopOrphan = Effect.fn("stopOrphan")(function* (
  binaries: PostgresBinaries,
  folders: PostmasterFolders,
): Effect.fn.Return<number | undefined, DatabaseRefusal> {
  const file = yield* Effect.promise(() => readPidFile(folders.cluster));
  if (file === undefined) return undefined;
  const started = startedAt(file.pid);
  const same = isAlive(file.pid) && (started === undefined || Math.abs(started - file.startedAt) <= 3);
  if (!same) {
    // The number now belongs to another process; PostgreSQL would take it for its predecessor and refuse to start.
    if (isAlive(file.pid)) yield* attempt("clear a stale lock file", () => rm(join(folders.cluster, "postmaster.pid")));
    return undefined;
  }
  yield* stopProcess(binaries, folders.cluster, file.pid, waitUntilDead(file.pid), ["2 seconds", "1 second"]);
  return file.pid;
});

type Launch =
  | { readonly _tag: "Started"; readonly postmaster: Postmaster }
  | { readonly _tag: "Ended"; readonly log: string };

const launch = async (
  binaries: PostgresBinaries,
  folders: PostmasterFolders,
  listenOn: ListenOn,
  deadline: number,
): Promise<Launch> => {
  const size = (await stat(folders.log).catch(() => undefined))?.size ?? 0;
  if (size > logLimitBytes) await truncate(folders.log, 0);
  const log = await open(folders.log, "a", 0o600);
  const logStart = (await log.stat()).size;
  const options = Object.entries(settings(folders, listenOn)).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const child = spawn(binaries.postgres, ["-D", folders.cluster, ...options], {
    ...asUser(databaseUser),
    cwd: folders.cluster,
    env: quietEnvironment,
    detached: process.platform !== "win32",
    windowsHide: true,
    stdio: ["ignore", log.fd, log.fd],
  });
  const failure = { message: "" };
  const ended = new Promise<void>((resolve) => {
    child.once("error", (cause) => {
      failure.message = cause.message;
      resolve();
    });
    child.once("exit", () => resolve());
  });
  const hasEnded = () => failure.message !== "" || child.exitCode !== null || child.signalCode !== null;
  await log.close();
  while (!hasEnded() && Date.now() < deadline) {
    const file = await readPidFile(folders.cluster);
    if (file?.pid === child.pid && file?.status === "ready") {
      return { _tag: "Started", postmaster: supervise(binaries, folders, child, file.pid, ended) };
    }
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 10))]);
  }
  if (!hasEnded()) {
    child.kill("SIGQUIT");
    await ended;
    return { _tag: "Ended", log: "it is not ready after a minute." };
  }
  const text = await readFile(folders.log, "utf8").catch(() => "");
  return { _tag: "Ended", log: `${failure.message} ${text.slice(logStart)}` };
};

const supervise = (
  binaries: PostgresBinaries,
  folders: PostmasterFolders,
  child: ChildProcess,
  pid: number,
  ended: Promise<void>,
): Postmaster => {
  // A child must not keep the process alive on its own: the layer that owns it does.
  child.unref();
  const end = Effect.promise(() => ended);
  const stop = Effect.suspend(() =>
    // Once it has ended, its number may belong to another process.
    child.exitCode !== null || child.signalCode !== null
      ? Effect.void
      : stopProcess(binaries, folders.cluster, pid, end, ["10 seconds", "5 seconds"]),
  );
  return { pid, ended: end, stop };
};

/** Fast, then immediate, then by force: after any of them a restart recovers every acknowledged commit. */
const stopProcess = Effect.fnUntraced(function* (
  binaries: PostgresBinaries,
  cluster: string,
  pid: number,
  ended: Effect.Effect<void>,
  patience: readonly [`${number} seconds`, `${number} second` | `${number} seconds`],
) {
  const send = (signal: "SIGINT" | "SIGQUIT" | "SIGKILL") =>
    Effect.promise(async () => {
      if (process.platform === "win32" && signal !== "SIGKILL") {
        const mode = signal === "SIGINT" ? "fast" : "immediate";
        await runToEnd(binaries.pgCtl, ["stop", `--pgdata=${cluster}`, `--mode=${mode}`, "--no-wait"], cluster);
        return;
      }
      try {
        process.kill(pid, signal);
      } catch {
        // It ended between the look and the signal.
      }
    });
  for (const [signal, wait] of [
    ["SIGINT", patience[0]],
    ["SIGQUIT", patience[1]],
  ] as const) {
    yield* send(signal);
    const done = yield* Effect.timeoutOption(ended, wait);
    if (done._tag === "Some") return;
  }
  yield* send("SIGKILL");
  yield* Effect.timeoutOption(ended, "5 seconds");
}, Effect.uninterruptible);

const waitUntilDead = (pid: number): Effect.Effect<void> =>
  Effect.gen(function* () {
    while (isAlive(pid)) yield* Effect.sleep("20 millis");
  });

interface PidFile {
  readonly pid: number;
  readonly startedAt: number;
  readonly status: string;
}

/** `postmaster.pid`: process, data folder, start time, port, socket folder, address, shared memory, status. */
const readPidFile = async (cluster: string): Promise<PidFile | undefined> => {
  const text = await readFile(join(cluster, "postmaster.pid"), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const lines = text.split("\n").map((line) => line.trim());
  const pid = Number(lines[0]);
  return Number.isInteger(pid) && pid > 0 ? { pid, startedAt: Number(lines[2]), status: lines[7] ?? "" } : undefined;
};

const quietEnvironment: NodeJS.ProcessEnv = {
  PATH: process.env["PATH"] ?? "",
  LC_ALL: "C",
  TZ: "UTC",
  ...(process.env["SystemRoot"] === undefined ? {} : { SystemRoot: process.env["SystemRoot"] }),
};

const runToEnd = (command: string, args: ReadonlyArray<string>, cwd: string) =>
  new Promise<{ readonly code: number; readonly output: string }>((resolve, reject) => {
    const child = spawn(command, args, {
      ...asUser(databaseUser),
      cwd,
      env: quietEnvironment,
      windowsHide: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const collect = (chunk: Buffer) => {
      output = (output + chunk.toString("utf8")).slice(-8192);
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? 1, output }));
  });

/** Hands a file or folder to the database's user. */
export const give = async (path: string, mode: number): Promise<void> => {
  if (databaseUser !== undefined) await chown(path, databaseUser.uid, databaseUser.gid);
  if (process.platform !== "win32") await chmod(path, mode);
};

const attempt = <A>(what: string, run: () => Promise<A>): Effect.Effect<A, DatabaseRefusal> =>
  Effect.tryPromise({
    try: run,
    catch: (cause) =>
      new DatabaseRefusal({
        code: "not-starting",
        message: `Cairn could not ${what}: ${cause instanceof Error ? cause.message : String(cause)}`,
      }),
  });
