/**
 * A PostgreSQL of our own, with nothing to install or configure: created on first use in a folder, started as a child
 * process, restarted when it dies, stopped with the scope.
 */
import { Context, Deferred, Effect, Fiber, Layer, Redacted, Ref, type Scope } from "effect";
import { randomBytes } from "node:crypto";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { DatabaseRefusal } from "./DatabaseRefusal.ts";
import { databaseUser, firstImpassable, makeFolder } from "./database-user.ts";
import { acquireInstanceLock } from "./InstanceLock.ts";
import { locatePostgresBinaries, type PostgresBinaries } from "./PostgresBinaries.ts";
import {
  createCluster,
  give,
  type ListenOn,
  type Postmaster,
  type PostmasterFolders,
  startPostmaster,
  stopOrphan,
  superuser,
} from "./Postmaster.ts";

export interface EmbeddedPostgresOptions {
  /** The database's own folder, made if missing. One live process may use it; others are refused. */
  readonly folder: string;
  /** Told what takes time, in words for a person. */
  readonly onProgress?: (line: string) => void;
}

export interface EmbeddedPostgresShape {
  /** The connection URL of the default database; it contains the password. Stays valid through restarts. */
  readonly url: Redacted.Redacted;
  /** `down` from the moment the server process ended until its successor accepts connections. */
  readonly status: Effect.Effect<"up" | "down">;
  /** The server's process id now. */
  readonly pid: Effect.Effect<number>;
  /** PostgreSQL's major version. */
  readonly major: number;
}

interface Current {
  readonly postmaster: Postmaster;
  readonly status: "up" | "down";
}

/** The longest socket path that fits `sun_path` on Linux; macOS allows four bytes fewer. */
const socketPathLimitBytes = process.platform === "darwin" ? 103 : 107;

export class EmbeddedPostgres extends Context.Service<EmbeddedPostgres, EmbeddedPostgresShape>()(
  "cairn/server/EmbeddedPostgres",
) {
  /** Runs while the layer lives. Fails with a `DatabaseRefusal` where it must not or cannot start. */
  static layer(options: EmbeddedPostgresOptions): Layer.Layer<EmbeddedPostgres, DatabaseRefusal> {
    return Layer.effect(EmbeddedPostgres, makeEmbeddedPostgres(options));
  }
}

/** Starts the database for as long as the scope lives. */
export const makeEmbeddedPostgres = Effect.fn("makeEmbeddedPostgres")(function* (
  options: EmbeddedPostgresOptions,
): Effect.fn.Return<EmbeddedPostgresShape, DatabaseRefusal, Scope.Scope> {
  const progress = (line: string) => Effect.sync(() => options.onProgress?.(line));
  const root = resolve(options.folder);
  const folders: PostmasterFolders = {
    cluster: join(root, "cluster"),
    socket: join(root, "socket"),
    log: join(root, "postgres.log"),
  };
  yield* prepareRoot(root);
  yield* acquireInstanceLock(root);
  const binaries = yield* locatePostgresBinaries;
  const existing = yield* refuseOtherMajor(binaries, folders);
  const orphan = existing ? yield* stopOrphan(binaries, folders) : undefined;
  if (orphan !== undefined) yield* progress(`Stopped the database that a killed Cairn left behind (process ${orphan})`);
  const password = yield* Effect.promise(() => readOrMakePassword(join(root, "password")));
  if (!existing) {
    yield* progress("Creating the database");
    yield* createCluster(binaries, folders, password);
  }
  const listenOn = yield* Effect.promise(() => chooseListener(folders));

  const first = yield* startPostmaster(binaries, folders, listenOn);
  const current = yield* Ref.make<Current>({ postmaster: first, status: "up" });
  const stopping = yield* Deferred.make<void>();

  const keepRunning = Effect.gen(function* () {
    for (;;) {
      const { postmaster } = yield* Ref.get(current);
      yield* postmaster.ended;
      yield* Ref.set<Current>(current, { postmaster, status: "down" });
      if (yield* Deferred.isDone(stopping)) return;
      yield* Effect.logWarning("The database process ended unexpectedly; starting it again");
      const next = yield* restart(binaries, folders, listenOn, stopping);
      if (next === undefined) return;
      yield* Ref.set<Current>(current, { postmaster: next, status: "up" });
      yield* Effect.logInfo("The database accepts connections again");
      if (yield* Deferred.isDone(stopping)) return yield* next.stop;
    }
  });
  // Not a child of the scope: an interrupted start would leave a process behind. The finalizer waits for its end.
  const supervisor = yield* Effect.forkDetach(keepRunning);
  yield* Effect.addFinalizer(
    Effect.fnUntraced(function* () {
      yield* Deferred.succeed(stopping, undefined);
      const { postmaster, status } = yield* Ref.get(current);
      if (status === "up") yield* postmaster.stop;
      yield* Fiber.await(supervisor);
    }),
  );

  return EmbeddedPostgres.of({
    url: connectionUrl(folders, listenOn, password),
    status: Effect.map(Ref.get(current), (state) => state.status),
    pid: Effect.map(Ref.get(current), (state) => state.postmaster.pid),
    major: binaries.major,
  });
});

/** Tries until it starts, at growing distances (a full disk may be freed meanwhile), or until nobody needs it any more. */
const restart = Effect.fnUntraced(function* (
  binaries: PostgresBinaries,
  folders: PostmasterFolders,
  listenOn: ListenOn,
  stopping: Deferred.Deferred<void>,
) {
  for (let wait = 100; !(yield* Deferred.isDone(stopping)); wait = Math.min(wait * 2, 5_000)) {
    const started = yield* Effect.result(startPostmaster(binaries, folders, listenOn));
    if (started._tag === "Success") return started.success;
    yield* Effect.logError(started.failure.message);
    yield* Effect.timeoutOption(Deferred.await(stopping), wait);
  }
  return undefined;
});

const prepareRoot = Effect.fnUntraced(function* (root: string) {
  yield* Effect.tryPromise({
    try: () => makeFolder(root),
    catch: (cause) =>
      new DatabaseRefusal({
        code: "folder-not-writable",
        message:
          `Cairn cannot create its database folder ${root} (${cause instanceof Error ? cause.message : String(cause)}). ` +
          "Choose a folder that you may write to with CAIRN_DATA_DIR.",
      }),
  });
  const blocked = yield* Effect.promise(() => firstImpassable(root, databaseUser));
  if (blocked !== undefined) {
    return yield* new DatabaseRefusal({
      code: "folder-unreachable",
      message:
        `The database cannot reach its folder ${root}: PostgreSQL never runs as root, so Cairn runs it as user ` +
        `${databaseUser?.uid}, and that user may not enter ${blocked}. Start Cairn as an ordinary user, or choose ` +
        `another folder, for example CAIRN_DATA_DIR=/var/lib/cairn npm start, or open the way with: chmod o+x ${blocked}`,
    });
  }
});

/** True when a cluster exists; refuses one that another major version of PostgreSQL wrote. */
const refuseOtherMajor = Effect.fnUntraced(function* (binaries: PostgresBinaries, folders: PostmasterFolders) {
  const version = yield* Effect.promise(() =>
    readFile(join(folders.cluster, "PG_VERSION"), "utf8").then(
      (text) => Number.parseInt(text, 10),
      () => undefined,
    ),
  );
  if (version === undefined) return false;
  if (version !== binaries.major) {
    return yield* new DatabaseRefusal({
      code: "major-version",
      message:
        `The data in ${folders.cluster} was written by PostgreSQL ${version}, and this Cairn brings PostgreSQL ` +
        `${binaries.major}, which cannot open it. Start the Cairn version that wrote it and export the data (pg_dump), ` +
        "then import it into a new folder; or run that PostgreSQL yourself and point DATABASE_URL to it.",
    });
  }
  return true;
});

/** A random password in a file that only its owner reads; made once. */
const readOrMakePassword = async (path: string): Promise<string> => {
  const existing = await readFile(path, "utf8").catch(() => undefined);
  if (existing !== undefined && existing.trim() !== "") return existing.trim();
  const password = randomBytes(24).toString("base64url");
  await writeFile(path, `${password}\n`, { mode: 0o600 });
  await chmod(path, 0o600);
  return password;
};

/** A socket where its path fits and the platform has them, else a free port of the loopback interface. */
const chooseListener = async (folders: PostmasterFolders): Promise<ListenOn> => {
  if (
    process.platform !== "win32" &&
    Buffer.byteLength(join(folders.socket, ".s.PGSQL.5432")) <= socketPathLimitBytes
  ) {
    await makeFolder(folders.socket);
    await give(folders.socket, 0o700);
    return { _tag: "Socket" };
  }
  return { _tag: "Loopback", port: await freePort() };
};

const freePort = (): Promise<number> =>
  new Promise((resolvePort, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() =>
        address !== null && typeof address === "object"
          ? resolvePort(address.port)
          : reject(new Error("the system gave no port")),
      );
    });
  });

const connectionUrl = (folders: PostmasterFolders, listenOn: ListenOn, password: string): Redacted.Redacted => {
  const port = listenOn._tag === "Loopback" ? listenOn.port : 5432;
  const url = new URL(`postgres://${superuser}:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`);
  if (listenOn._tag === "Socket") url.searchParams.set("host", folders.socket);
  return Redacted.make(url.toString());
};
