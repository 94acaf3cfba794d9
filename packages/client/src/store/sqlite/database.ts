/**
 * One SQLite database in a folder that no other process uses at the same time.
 *
 * A transaction that must not be lost completes when the write-ahead log was synced after its commit (`DiskSync.ts`), and
 * the lock on the file is held until the database is closed (`locking_mode = EXCLUSIVE`): the operating system lets go of
 * it when the process dies, however it dies.
 */
import { Data, Effect } from "effect";
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { Fenced, StoreFailure, type StoreFailureReason } from "../LocalStore.ts";
import { DiskSync } from "./DiskSync.ts";
import { CREATE_TABLES, TABLES_VERSION, UPGRADES } from "./tables.ts";

/** Another process works on this folder. It has to end first. */
export class ProfileInUse extends Data.TaggedError("ProfileInUse")<{ readonly directory: string }> {
  override get message(): string {
    return `${this.directory} is in use by another process: end it first, or choose another folder`;
  }
}

/**
 * Transactions whose loss with the power costs time and nothing else: what was received or acknowledged is asked for
 * again, rows and snapshots are made again from the updates. They are not synced on their own; the log is in order, so
 * they are durable with the next one that is. A process that dies loses none of them.
 */
const MAY_BE_LOST: ReadonlySet<string> = new Set(["receive", "settle", "moveOutgoing", "putProjections", "fold"]);

const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;

const sqliteCode = (cause: unknown): number | undefined =>
  cause instanceof Error && "errcode" in cause && typeof cause.errcode === "number" ? cause.errcode & 0xff : undefined;

const isOutOfRoom = (cause: unknown): boolean =>
  sqliteCode(cause) === SQLITE_FULL ||
  (cause instanceof Error && "code" in cause && (cause.code === "ENOSPC" || cause.code === "EDQUOT"));

/** A condition of the folder that the port has a word for. */
class StoreCondition extends Error {
  readonly reason: StoreFailureReason;
  constructor(reason: StoreFailureReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** What went wrong, as the port says it. */
export const storeFailure = (operation: string, cause: unknown): StoreFailure => {
  const reason = cause instanceof StoreCondition ? cause.reason : isOutOfRoom(cause) ? "full" : "unavailable";
  return new StoreFailure({ reason, operation, cause });
};

/** Where the secrets of a profile are. */
export const secretsDirectory = (directory: string): string => join(directory, "secrets");

/** Makes a directory's entries durable. Windows has no such call and needs none. */
export const syncDirectory = (directory: string): void => {
  if (process.platform === "win32") return;
  const descriptor = openSync(directory, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
};

const makeDirectory = (directory: string): void => {
  const first = mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (first !== undefined) syncDirectory(dirname(first));
};

const prepareFolder = (directory: string): string => {
  makeDirectory(directory);
  makeDirectory(secretsDirectory(directory));
  const file = join(directory, "cairn.db");
  const empty = !existsSync(file) || statSync(file).size === 0;
  if (empty && !existsSync(`${file}-wal`) && readdirSync(secretsDirectory(directory)).length > 0) {
    // Beginning anew here would look like an empty notebook and make a second identity.
    throw new StoreCondition(
      "lost",
      `${file} is missing although the keys beside it are there: restore it, or choose another folder`,
    );
  }
  // Documents are plain inside: nobody else may read the file, whatever the folder allows.
  closeSync(openSync(file, "a", 0o600));
  return file;
};

const prepareTables = (database: DatabaseSync): void => {
  const version = database.prepare("PRAGMA user_version").get()?.["user_version"];
  if (version === TABLES_VERSION) return;
  if (typeof version !== "number" || version < 0 || version > TABLES_VERSION)
    throw new StoreCondition(
      "newer",
      `the data is of a newer Cairn (version ${String(version)}, this one knows ${TABLES_VERSION})`,
    );
  const changes = version === 0 ? [CREATE_TABLES] : UPGRADES.slice(version - 1);
  for (const [index, change] of changes.entries()) {
    const next = version === 0 ? TABLES_VERSION : version + index + 1;
    try {
      database.exec(`BEGIN IMMEDIATE; ${change} PRAGMA user_version = ${next}; COMMIT;`);
    } catch (cause) {
      if (database.isTransaction) database.exec("ROLLBACK");
      throw cause;
    }
  }
};

/** The database, its statements, and transactions over it. Only the disk is waited for; all else is synchronous. */
export class SqliteDatabase {
  readonly directory: string;
  readonly #database: DatabaseSync;
  readonly #disk: DiskSync;
  readonly #begin: StatementSync;
  readonly #end: StatementSync;

  private constructor(directory: string, file: string, database: DatabaseSync) {
    this.directory = directory;
    this.#database = database;
    this.#disk = new DiskSync(`${file}-wal`);
    this.#begin = database.prepare("BEGIN IMMEDIATE");
    this.#end = database.prepare("COMMIT");
  }

  static readonly open = (directory: string): Effect.Effect<SqliteDatabase, StoreFailure | ProfileInUse> =>
    Effect.suspend(() => {
      let database: DatabaseSync | undefined;
      try {
        // A process that was just killed lets go of its lock within the timeout.
        const file = prepareFolder(directory);
        database = new DatabaseSync(file, { timeout: 500 });
        // What is in the log is synced before it is copied into the database; commits are synced by `DiskSync`.
        database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
        // Copying the log into the database waits for the disk twice: seldom, and much at once.
        database.exec("PRAGMA wal_autocheckpoint = 4000");
        database.exec("PRAGMA cache_size = -16384; PRAGMA journal_size_limit = 67108864; PRAGMA trusted_schema = OFF");
        // Takes the lock now, where it can be refused, and not with the first write.
        database.exec("BEGIN EXCLUSIVE; COMMIT");
        prepareTables(database);
        return Effect.succeed(new SqliteDatabase(directory, file, database));
      } catch (cause) {
        database?.close();
        return Effect.fail(
          sqliteCode(cause) === SQLITE_BUSY ? new ProfileInUse({ directory }) : storeFailure("open", cause),
        );
      }
    });

  prepare(sql: string): StatementSync {
    return this.#database.prepare(sql);
  }

  /**
   * Runs `body` inside a transaction: all of it happened when this returns, and nothing of it when it throws. It survives
   * the process then; it survives the loss of power when `sync` has called back.
   */
  transaction<A>(body: () => A): A {
    this.#begin.run();
    try {
      const result = body();
      this.#end.run();
      return result;
    } catch (cause) {
      // Some failures (a full disk) have rolled back already.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw cause;
    }
  }

  #refuseClosed(): void {
    if (!this.#database.isOpen) throw new Error("the store is closed");
    if (this.#disk.failure !== undefined) throw new Error("the disk failed", { cause: this.#disk.failure });
  }

  /** A query, or whatever else an open store does, as an effect. */
  read<A>(operation: string, body: () => A): Effect.Effect<A, StoreFailure> {
    return Effect.suspend(() => {
      try {
        this.#refuseClosed();
        return Effect.succeed(body());
      } catch (cause) {
        return Effect.fail(storeFailure(operation, cause));
      }
    });
  }

  /** Calls back when all transactions so far are durable, or with the reason why they may not be. */
  sync(synced: (failure: Error | undefined) => void): void {
    this.#disk.request(synced);
  }

  /** What a transaction gave, once it is durable. */
  #durable<A>(operation: string, result: A): Effect.Effect<A, StoreFailure> {
    if (MAY_BE_LOST.has(operation)) return Effect.succeed(result);
    return Effect.callback<A, StoreFailure>((resume) =>
      this.sync((failure) =>
        resume(failure === undefined ? Effect.succeed(result) : Effect.fail(storeFailure(operation, failure))),
      ),
    );
  }

  /** A transaction, as an effect. */
  write<A>(operation: string, body: () => A): Effect.Effect<A, StoreFailure> {
    return Effect.flatMap(
      this.read(operation, () => this.transaction(body)),
      (result) => this.#durable(operation, result),
    );
  }

  /** A transaction whose body may throw `Fenced`. */
  guarded<A>(operation: string, body: () => A): Effect.Effect<A, StoreFailure | Fenced> {
    return Effect.suspend(() => {
      try {
        this.#refuseClosed();
        return this.#durable(operation, this.transaction(body));
      } catch (cause) {
        return Effect.fail(cause instanceof Fenced ? cause : storeFailure(operation, cause));
      }
    });
  }

  close(): void {
    if (!this.#database.isOpen) return;
    this.#disk.close();
    this.#database.close();
  }
}
