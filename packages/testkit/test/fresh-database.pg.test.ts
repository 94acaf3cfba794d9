import { PgClient } from "@effect/sql-pg";
import { freshDatabase } from "@cairn/testkit/postgres";
import { Effect, Redacted } from "effect";
import { expect, test } from "vitest";

const query = (url: string, statement: string) =>
  Effect.runPromise(
    Effect.gen(function* () {
      const sql = yield* PgClient.PgClient;
      return yield* sql.unsafe(statement);
    }).pipe(Effect.provide(PgClient.layer({ url: Redacted.make(url), maxConnections: 1 }))),
  );

test("each fresh database is empty and apart from the others", async () => {
  const [one, other] = [await freshDatabase(), await freshDatabase()];
  await query(one, "CREATE TABLE t (n int)");
  await expect(query(one, "SELECT count(*)::int AS n FROM t")).resolves.toEqual([{ n: 0 }]);
  await expect(query(other, "SELECT to_regclass('t') IS NULL AS absent")).resolves.toEqual([{ absent: true }]);
});

test("the database that tests use commits durably, as a real one does", async () => {
  const url = await freshDatabase();
  await expect(query(url, "SHOW fsync")).resolves.toEqual([{ fsync: "on" }]);
  await expect(query(url, "SHOW synchronous_commit")).resolves.toEqual([{ synchronous_commit: "on" }]);
});
