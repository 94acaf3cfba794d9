import { ServerIdentity } from "@cairn/server";
import { fingerprint, freshDatabase } from "@cairn/testkit/postgres";
import { PgClient } from "@effect/sql-pg";
import { Effect, Layer, Logger, Redacted } from "effect";
import { describe, expect, test } from "vitest";

const connected = (url: string) =>
  Layer.merge(PgClient.layer({ url: Redacted.make(url), maxConnections: 2 }), Logger.layer([]));

/** What a node does at its start. */
const boot = (url: string) =>
  Effect.runPromise(
    Effect.provide(
      Effect.map(ServerIdentity, (identity) => identity),
      ServerIdentity.layer.pipe(Layer.provide(connected(url))),
    ),
  );

const execute = (url: string, statement: string) =>
  Effect.runPromise(
    Effect.provide(
      Effect.flatMap(PgClient.PgClient, (sql) => sql.unsafe(statement)),
      connected(url),
    ),
  );

describe("bringing a database up to date", () => {
  test("nodes that start at the same time do it once, and are one server (hazard 13)", async () => {
    const url = await freshDatabase();
    const identities = await Promise.all(Array.from({ length: 6 }, () => boot(url)));
    expect(new Set(identities.map(({ server }) => server)).size).toBe(1);
    expect(identities.every(({ epoch }) => epoch === 1)).toBe(true);
  });

  test("a later start changes nothing", async () => {
    const url = await freshDatabase();
    const first = await boot(url);
    const before = await fingerprint(url);
    expect(await boot(url)).toEqual(first);
    expect(await fingerprint(url)).toEqual(before);
  });

  test("a database of a newer Cairn is refused and left as it is", async () => {
    const url = await freshDatabase();
    await boot(url);
    await execute(url, "insert into cairn_migrations (name) values ('29990101000000_from-the-future')");
    const before = await fingerprint(url);
    await expect(boot(url)).rejects.toMatchObject({ _tag: "DatabaseNewer" });
    await expect(boot(url)).rejects.toThrow(/newer Cairn .*29990101000000_from-the-future/);
    expect(await fingerprint(url)).toEqual(before);
  });

  test("one that fails leaves no half behind", async () => {
    const url = await freshDatabase();
    await execute(url, "create table grants (unrelated int)");
    await expect(boot(url)).rejects.toThrow();
    expect(Object.keys(await fingerprint(url))).toEqual(["grants"]);
  });

  test("every key but the singleton's starts with the workspace", async () => {
    const url = await freshDatabase();
    await boot(url);
    const keys = await execute(
      url,
      `select c.relname::text as name, a.attname::text as first
         from pg_index i
         join pg_class c on c.oid = i.indrelid
         join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
         join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
        where c.relname not in ('server', 'cairn_migrations')`,
    );
    expect(keys.length).toBeGreaterThan(8);
    for (const key of keys) expect(key).toMatchObject({ first: "workspace" });
  });
});
