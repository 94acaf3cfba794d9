/**
 * Bringing a database to the form that this build knows. All of it happens in one transaction under an advisory lock,
 * because nodes start at the same time (hazard 13); a database of a newer Cairn is refused, because what it means
 * is unknown here.
 */
import { type PgClient } from "@effect/sql-pg";
import { Effect, Schema } from "effect";
import type { SqlError } from "effect/sql";
import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { ID_BYTES } from "@cairn/protocol";

/** A newer Cairn has changed the database; the message says what to do. */
export class DatabaseNewer extends Schema.TaggedError<DatabaseNewer>()("DatabaseNewer", { message: Schema.String }) {}

/** Any constant would do, as long as no other program that shares the database uses it. */
const ADVISORY_LOCK = 0x6361_6972;
const folder = fileURLToPath(new URL("../../migrations", import.meta.url));

interface Migration {
  readonly name: string;
  readonly statements: ReadonlyArray<string>;
}

const readMigrations: Effect.Effect<ReadonlyArray<Migration>> = Effect.promise(async () => {
  const names = (await readdir(folder, { withFileTypes: true })).filter((item) => item.isDirectory());
  return Promise.all(
    names
      .map(({ name }) => name)
      .toSorted()
      .map(async (name) => {
        const text = await readFile(`${folder}/${name}/migration.sql`, "utf8");
        return { name, statements: text.split("--> statement-breakpoint").map((statement) => statement.trim()) };
      }),
  );
});

/** Applies the migrations that are missing. */
export const migrate = Effect.fn("migrate")(function* (
  sql: PgClient.PgClient,
): Effect.fn.Return<void, SqlError.SqlError | DatabaseNewer> {
  const migrations = yield* readMigrations;
  const known = new Set(migrations.map(({ name }) => name));
  yield* sql.withTransaction(
    Effect.gen(function* () {
      yield* sql`select pg_advisory_xact_lock(${ADVISORY_LOCK})`;
      yield* sql`create table if not exists cairn_migrations (name text primary key, applied_at timestamptz not null default now())`;
      const rows = yield* sql<{ readonly name: string }>`select name from cairn_migrations order by name`;
      const applied = new Set(rows.map(({ name }) => name));
      const unknown = rows.find(({ name }) => !known.has(name));
      if (unknown !== undefined) {
        return yield* new DatabaseNewer({
          message:
            `The database was changed by a newer Cairn (${unknown.name}), and this one would misread it. ` +
            "Start the newer version again, or restore a backup from before the update.",
        });
      }
      for (const { name, statements } of migrations) {
        if (applied.has(name)) continue;
        for (const statement of statements) yield* sql.unsafe(statement).unprepared;
        yield* sql`insert into cairn_migrations (name) values (${name})`;
        yield* Effect.logInfo("The database was brought up to date", { migration: name });
      }
      yield* sql`insert into server (server) values (${randomBytes(ID_BYTES)}) on conflict do nothing`;
    }),
  );
});
