/**
 * Empty databases for tests, on a real PostgreSQL that one test run shares (see `global-setup.ts`).
 */
import { PgClient } from "@effect/sql-pg";
import { Effect, Redacted } from "effect";
import { randomUUID } from "node:crypto";
import { inject } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** The maintenance database of the run's PostgreSQL; contains its password. */
    readonly cairnPostgresUrl: string;
  }
}

export interface FreshDatabaseOptions {
  /** The name of a database to copy; nobody may be connected to it. An empty one by default. */
  readonly template?: string;
}

/** Makes a database of its own for a test, and returns its connection URL. It goes with the run. */
export const freshDatabase = (options: FreshDatabaseOptions = {}): Promise<string> => {
  const administrationUrl = inject("cairnPostgresUrl");
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  const create = Effect.gen(function* () {
    const sql = yield* PgClient.PgClient;
    yield* sql`CREATE DATABASE ${sql(name)} TEMPLATE ${sql(options.template ?? "template0")}`;
  });
  return Effect.runPromise(
    create.pipe(
      Effect.provide(PgClient.layer({ url: Redacted.make(administrationUrl), maxConnections: 1 })),
      Effect.map(() => {
        const url = new URL(administrationUrl);
        url.pathname = `/${name}`;
        return url.toString();
      }),
    ),
  );
};

export { fingerprint } from "./fingerprint.ts";
export { setPurged } from "./purged.ts";
