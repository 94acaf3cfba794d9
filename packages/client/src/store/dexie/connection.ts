/**
 * A connection to a profile's database, and transactions over it.
 *
 * Writes have strict durability: they complete when the browser has synced them to disk. A transaction awaits nothing but
 * its own requests, so that a frozen tab never holds one (hazard 18). When another tab upgrades or deletes the database
 * (`versionchange`), or the browser takes it away, the connection closes for good and says why (hazard 19).
 */
import type { Table } from "dexie";
import { Effect } from "effect";
import { Fenced, StoreFailure, type StoreFailureReason } from "../LocalStore.ts";
import { CairnDatabase, type ProfileRow } from "./tables.ts";
import { TABLES_VERSION } from "./tables-version.ts";

const MAX_CAUSES = 8;

/** Why a connection is of no more use, or a store was not opened. */
class StoreCondition extends Error {
  readonly reason: StoreFailureReason;
  constructor(reason: StoreFailureReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Dexie wraps what the browser says; the reason is somewhere inside. */
const saysInside = (failure: unknown, says: (failure: object) => boolean, depth = 0): boolean => {
  if (typeof failure !== "object" || failure === null || depth > MAX_CAUSES) return false;
  if (says(failure)) return true;
  return (
    ("inner" in failure && saysInside(failure.inner, says, depth + 1)) ||
    ("cause" in failure && saysInside(failure.cause, says, depth + 1)) ||
    ("failures" in failure &&
      Array.isArray(failure.failures) &&
      failure.failures.some((inner) => saysInside(inner, says, depth + 1)))
  );
};
const isNamed =
  (name: string) =>
  (failure: object): boolean =>
    "name" in failure && failure.name === name;

/** What a transaction says that the browser has aborted, and what is asked of it after that. */
const isBrokenOff = (failure: object): boolean =>
  isNamed("AbortError")(failure) || isNamed("TransactionInactiveError")(failure);

const reasonOf = (cause: unknown): StoreFailureReason => {
  let known: StoreFailureReason | undefined;
  const isCondition = (failure: object): boolean => {
    if (failure instanceof StoreCondition) known = failure.reason;
    return known !== undefined;
  };
  if (saysInside(cause, isCondition) && known !== undefined) return known;
  if (saysInside(cause, isNamed("QuotaExceededError"))) return "full";
  if (saysInside(cause, isNamed("VersionError"))) return "newer";
  return saysInside(cause, isBrokenOff) ? "interrupted" : "unavailable";
};

const profileRow = async (database: CairnDatabase): Promise<ProfileRow> => {
  const row = await database.profile.get(1);
  if (row === undefined) throw new StoreCondition("lost", "the database has lost its content");
  return row;
};

export class DexieConnection {
  readonly database: CairnDatabase;
  /** Why the connection is closed, once it is. */
  #closed: Error | undefined;
  /** Of the database: random, from when it was made. */
  #made = "";

  private constructor(database: CairnDatabase) {
    this.database = database;
  }

  /** Tells this database from one that was deleted and made again under its name. */
  get made(): string {
    return this.#made;
  }

  /**
   * Opens or makes the database. Fails where another tab keeps an older version of it open for `blockedMillis`, and with
   * `lost` where it is not the one that `expected` names: then it was deleted, and what was just made is empty.
   */
  static open(name: string, blockedMillis: number, expected?: string): Effect.Effect<DexieConnection, StoreFailure> {
    return Effect.callback<DexieConnection, StoreFailure>((resume) => {
      const database = new CairnDatabase(name);
      const connection = new DexieConnection(database);
      let timer: ReturnType<typeof setTimeout> | undefined;
      const fail = (cause: unknown) => {
        clearTimeout(timer);
        const failure = connection.failure("open", cause);
        connection.close();
        resume(Effect.fail(failure));
      };
      database.on("blocked", () => {
        timer ??= setTimeout(
          () => fail(new StoreCondition("blocked", "another tab keeps an older version open: close it")),
          blockedMillis,
        );
        return false;
      });
      database.on("versionchange", ({ newVersion }) => {
        connection.close(
          newVersion === null
            ? new StoreCondition("lost", "the database was deleted")
            : new StoreCondition("newer", "another tab has upgraded the database: load this one again"),
        );
        return false;
      });
      // Dexie says this of every closing, also of ours, which has set its reason by then.
      database.on("close", () => {
        connection.#closed ??= new Error("the browser has closed the database");
      });
      let made = expected;
      // Dexie may open again after an error of the browser; that has to be the same database.
      database.on(
        "ready",
        async () => {
          const row = await database.profile.get(1);
          if (row === undefined || (made !== undefined && made !== row.made)) {
            // Kept here, because Dexie does not pass on what this throws.
            connection.#closed ??= new StoreCondition("lost", "the database was deleted");
            throw connection.#closed;
          }
          made = row.made;
          connection.#made = row.made;
        },
        true,
      );
      database.open().then(() => {
        clearTimeout(timer);
        // Dexie's native versions are ten times its own, and it opens newer ones without a word.
        if (database.backendDB().version >= (TABLES_VERSION + 1) * 10)
          return fail(new StoreCondition("newer", "the data is of a newer Cairn"));
        resume(Effect.succeed(connection));
      }, fail);
      return Effect.sync(() => {
        clearTimeout(timer);
        connection.close();
      });
    });
  }

  failure(operation: string, cause: unknown): StoreFailure {
    const known = this.#closed ?? cause;
    return new StoreFailure({ reason: reasonOf(known), operation, cause: known });
  }

  close(reason: Error = new Error("the store is closed")): void {
    this.#closed ??= reason;
    this.database.close();
  }

  /** Reads from one state of the tables. */
  read<A>(
    operation: string,
    tables: ReadonlyArray<Table>,
    body: (database: CairnDatabase) => PromiseLike<A>,
  ): Effect.Effect<A, StoreFailure> {
    return Effect.tryPromise({
      try: () => this.database.transaction("r", tables, async () => body(this.database)),
      catch: (cause) => this.failure(operation, cause),
    });
  }

  /** Changes all or nothing, durably. */
  write<A>(
    operation: string,
    tables: ReadonlyArray<Table>,
    body: (database: CairnDatabase) => PromiseLike<A>,
  ): Effect.Effect<A, StoreFailure> {
    return Effect.tryPromise({
      try: () => this.transaction(tables, body),
      catch: (cause) => this.failure(operation, cause),
    });
  }

  /** A write whose body may throw `Fenced`. */
  guarded<A>(
    operation: string,
    tables: ReadonlyArray<Table>,
    body: (database: CairnDatabase) => PromiseLike<A>,
  ): Effect.Effect<A, StoreFailure | Fenced> {
    return Effect.tryPromise({
      try: () => this.transaction(tables, body),
      catch: (cause) => (cause instanceof Fenced ? cause : this.failure(operation, cause)),
    });
  }

  // Dexie keeps a transaction open over native awaits only where its function itself is declared async.
  transaction<A>(tables: ReadonlyArray<Table>, body: (database: CairnDatabase) => PromiseLike<A>): PromiseLike<A> {
    return this.database.transaction("rw", tables, async () => body(this.database));
  }
}

/** Reads the profile's row inside a transaction. */
export const readProfile = profileRow;
