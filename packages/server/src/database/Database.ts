/** What the database says of itself, once it has the form that this build knows. */
import { type ServerId, serverIdFromBytes } from "@cairn/protocol";
import { PgClient } from "@effect/sql-pg";
import { Context, Effect, Layer } from "effect";
import type { SqlError } from "effect/sql";
import { type DatabaseNewer, migrate } from "./migrations.ts";

/** Which server this is: its id is made with the database and carried along by backups of it (rule 11). */
export class ServerIdentity extends Context.Service<
  ServerIdentity,
  { readonly server: ServerId; readonly epoch: number }
>()("cairn/server/ServerIdentity") {
  /** Migrates the database first. Fails with `DatabaseNewer` where a newer Cairn has changed it. */
  static readonly layer: Layer.Layer<ServerIdentity, SqlError.SqlError | DatabaseNewer, PgClient.PgClient> =
    Layer.effect(
      ServerIdentity,
      Effect.gen(function* () {
        const sql = yield* PgClient.PgClient;
        yield* migrate(sql);
        const [row] = yield* sql<{
          readonly server: Uint8Array;
          readonly epoch: number;
        }>`select server, epoch from server`;
        if (row === undefined) return yield* Effect.die("the server's row is made with its table");
        return ServerIdentity.of({ server: serverIdFromBytes(row.server), epoch: row.epoch });
      }),
    );
}
