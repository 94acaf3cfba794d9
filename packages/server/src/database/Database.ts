/** The connection to PostgreSQL, checked and migrated, and what the database says of itself. */
import { LIMITS, type ServerId, serverIdFromBytes } from "@cairn/protocol";
import { PgClient } from "@effect/sql-pg";
import { Context, Effect, Layer, type Redacted } from "effect";
import { Reactivity } from "effect/reactivity";
import { SqlClient } from "effect/sql";
import { DatabaseUnsuitable, migrate } from "./migrations.ts";

export interface DatabaseOptions {
  readonly url: Redacted.Redacted;
  /** Connections in the pool. */
  readonly maxConnections?: number;
  /** Serve although acknowledged entries may be lost in a crash. Only for databases that nobody needs. */
  readonly allowVolatile?: boolean;
}

/** Which server this is: its id is made with the database and carried along by backups of it (rule 11). */
export class ServerIdentity extends Context.Service<
  ServerIdentity,
  { readonly server: ServerId; readonly epoch: number }
>()("cairn/server/ServerIdentity") {}

const OLDEST_POSTGRES = 150_000;
/** One statement's rows: a page of entries, or a batch. */
const MAX_MESSAGE_BYTES = LIMITS.pageBytesMax + LIMITS.entryBytes * 2;

/** A migrated database, or the reason why it is refused. */
export const layerDatabase = (
  options: DatabaseOptions,
): Layer.Layer<PgClient.PgClient | SqlClient.SqlClient | ServerIdentity, DatabaseUnsuitable> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const sql = yield* PgClient.make({
        url: options.url,
        maxConnections: options.maxConnections ?? 12,
        maxMessageSize: MAX_MESSAGE_BYTES,
        applicationName: "cairn",
      });
      const identity = yield* prepare(sql, options);
      return Context.make(PgClient.PgClient, sql).pipe(
        Context.add(SqlClient.SqlClient, sql),
        Context.add(ServerIdentity, identity),
      );
    }).pipe(
      Effect.catchTag("SqlError", (error) =>
        Effect.fail(
          new DatabaseUnsuitable({
            code: "unreachable",
            message:
              `The database cannot be used (${error.reason._tag}: ${error.reason.message}). ` +
              "Check that it runs and that DATABASE_URL names it, its user and its password.",
          }),
        ),
      ),
    ),
  ).pipe(Layer.provide(Reactivity.layer));

const prepare = Effect.fnUntraced(function* (sql: PgClient.PgClient, options: DatabaseOptions) {
  const [settings] = yield* sql<{
    readonly version: number;
    readonly fsync: string;
    readonly commit: string;
  }>`select current_setting('server_version_num')::int as version, current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit`;
  if (settings === undefined || settings.version < OLDEST_POSTGRES) {
    return yield* new DatabaseUnsuitable({
      code: "too-old",
      message: "The database is older than PostgreSQL 15. Point DATABASE_URL to a newer one.",
    });
  }
  // Promise 1: an acknowledgement that a crash can undo would be a lie.
  if (options.allowVolatile !== true && (settings.fsync !== "on" || settings.commit === "off")) {
    return yield* new DatabaseUnsuitable({
      code: "not-durable",
      message:
        `The database may lose acknowledged writes in a crash (fsync=${settings.fsync}, ` +
        `synchronous_commit=${settings.commit}). Turn both on, or set CAIRN_ALLOW_VOLATILE_DATABASE=1 if its data may be lost.`,
    });
  }
  yield* migrate(sql);
  const [row] = yield* sql<{
    readonly server: Uint8Array;
    readonly epoch: number;
  }>`select server, epoch from server`;
  if (row === undefined) return yield* Effect.die("the server's row is made by the migration");
  return ServerIdentity.of({ server: serverIdFromBytes(row.server), epoch: row.epoch });
});
