/**
 * The database that the API works on: the embedded PostgreSQL, or the one that `DATABASE_URL` names.
 */
import { EmbeddedPostgres } from "@cairn/server/embedded-postgres";
import { PgClient } from "@effect/sql-pg";
import { Effect, Layer, Redacted, Schema } from "effect";
import type { SqlClient, SqlError } from "effect/sql";
import { join } from "node:path";
import { ServerConfiguration } from "./configuration.ts";
import { DataFolder } from "./DataFolder.ts";
import { Refusal } from "./Refusal.ts";
import { Terminal } from "./Terminal.ts";

const oldestSupported = 15;

/** Connected, new enough and durable; or a refusal that says what to do. */
export const databaseLayer: Layer.Layer<
  PgClient.PgClient | SqlClient.SqlClient,
  Refusal,
  ServerConfiguration | DataFolder
> = Layer.unwrap(
  Effect.gen(function* () {
    const { databaseUrl } = yield* ServerConfiguration;
    return databaseUrl === undefined ? embeddedLayer : connectionLayer(databaseUrl);
  }),
);

const embeddedLayer = Layer.unwrap(
  Effect.gen(function* () {
    const folder = yield* DataFolder;
    const postgres = EmbeddedPostgres.layer({ folder: join(folder.path, "database"), onProgress: Terminal.print }).pipe(
      Layer.catchTag("DatabaseRefusal", ({ message }) =>
        Layer.effect(EmbeddedPostgres, new Refusal({ code: "embedded-database", message })),
      ),
    );
    return Layer.unwrap(
      Effect.gen(function* () {
        const embedded = yield* EmbeddedPostgres;
        return connectionLayer(embedded.url);
      }),
    ).pipe(Layer.provide(postgres));
  }),
);

const connectionLayer = (url: Redacted.Redacted) => {
  const client = PgClient.layer({
    url,
    maxConnections: 20,
    connectTimeout: "10 seconds",
    applicationName: "cairn",
  }).pipe(Layer.catchTag("SqlError", (error) => Layer.effectContext(unreachable(url, error))));
  return Layer.provideMerge(Layer.effectDiscard(checkDatabase(url)), client);
};

const Durability = Schema.Array(
  Schema.Struct({ version: Schema.Int, fsync: Schema.String, synchronous_commit: Schema.String }),
);

const checkDatabase = Effect.fnUntraced(function* (url: Redacted.Redacted) {
  const sql = yield* PgClient.PgClient;
  const { allowUnsafeDatabase } = yield* ServerConfiguration;
  const rows = yield* sql`
    SELECT current_setting('server_version_num')::int AS version,
           current_setting('fsync') AS fsync,
           current_setting('synchronous_commit') AS synchronous_commit`.pipe(
    Effect.catch((error) => unreachable(url, error)),
    Effect.flatMap((found) => Effect.orDie(Schema.decodeUnknownEffect(Durability)(found))),
  );
  for (const found of rows) {
    const problem = databaseProblem(found, { place: placeOf(url), allowUnsafe: allowUnsafeDatabase });
    if (problem !== undefined) return yield* problem;
  }
});

/** Why Cairn must not use a database with these settings, if so. */
export const databaseProblem = (
  found: { readonly version: number; readonly fsync: string; readonly synchronous_commit: string },
  options: { readonly place: string; readonly allowUnsafe: boolean },
): Refusal | undefined => {
  const major = Math.floor(found.version / 10_000);
  if (major < oldestSupported) {
    return new Refusal({
      code: "database-too-old",
      message:
        `The database at ${options.place} is PostgreSQL ${major}, and Cairn needs ${oldestSupported} or newer. ` +
        "Upgrade it, or unset DATABASE_URL to use the embedded one.",
    });
  }
  const off = [
    ...(found.fsync === "off" ? ["fsync"] : []),
    ...(found.synchronous_commit === "off" ? ["synchronous_commit"] : []),
  ];
  if (off.length === 0 || options.allowUnsafe) return undefined;
  return new Refusal({
    code: "database-unsafe",
    message:
      `The database at ${options.place} runs with ${off.join(" and ")} off: it could lose what Cairn has confirmed to ` +
      "its users. Turn it on in postgresql.conf and reload; or, for data that may be lost, set " +
      "CAIRN_ALLOW_UNSAFE_DATABASE=yes.",
  });
};

const unreachable = (url: Redacted.Redacted, error: SqlError.SqlError): Effect.Effect<never, Refusal> =>
  Effect.fail(
    new Refusal({
      code: "database-unreachable",
      message:
        `The database at ${placeOf(url)} does not let Cairn in (${reasonOf(error)}). Check that it runs, and that ` +
        "DATABASE_URL names the right host, user, password and database; or unset DATABASE_URL to use the embedded one.",
    }),
  );

/** The innermost message that the driver gives: "connect ECONNREFUSED …", "password authentication failed …". */
const reasonOf = (error: SqlError.SqlError): string => {
  let message: string = error.message;
  for (let cause: unknown = error.reason.cause; cause instanceof Error; cause = cause.cause) {
    if (cause.message !== "") message = cause.message;
  }
  return message;
};

/** Host and database, without user and password. */
const placeOf = (url: Redacted.Redacted): string => {
  const parsed = URL.parse(Redacted.value(url));
  return parsed === null ? "DATABASE_URL" : `${parsed.host}${parsed.pathname}`;
};
