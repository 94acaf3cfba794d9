/** Whether anything in a database has changed, in one value. */
import { PgClient } from "@effect/sql-pg";
import { Effect, Redacted } from "effect";

/** A digest of every row of every table, by table. */
export const fingerprint = (databaseUrl: string): Promise<Readonly<Record<string, string>>> =>
  Effect.runPromise(
    Effect.gen(function* () {
      const sql = yield* PgClient.PgClient;
      const tables = yield* sql<{ readonly name: string }>`
        select table_name::text as name from information_schema.tables where table_schema = 'public' order by 1`;
      const digests: Record<string, string> = {};
      for (const { name } of tables) {
        const [row] = yield* sql<{ readonly digest: string }>`
          select count(*) || ':' || md5(coalesce(string_agg(md5(t::text), '' order by md5(t::text)), '')) as digest
            from ${sql(name)} t`;
        digests[name] = row?.digest ?? "";
      }
      return digests;
    }).pipe(Effect.provide(PgClient.layer({ url: Redacted.make(databaseUrl), maxConnections: 1 }))),
  );
