/** Chunks on PostgreSQL. */
import { type Hash, hashFromBytes, idToBytes } from "@cairn/protocol";
import { PgClient } from "@effect/sql-pg";
import { Clock, Effect, Layer } from "effect";
import { createHash } from "node:crypto";
import { toMillis, toNumber } from "../database/rows.ts";
import { refuse, unavailableOnSqlError } from "../refusals.ts";
import { ServerSettings } from "../ServerSettings.ts";
import { BlobStore } from "./BlobStore.ts";

interface RoomRow {
  readonly used: bigint;
  readonly here: boolean;
  readonly revoked: boolean | null;
  readonly expires_at: Date | null;
}

const hashOf = (bytes: Uint8Array): Hash => hashFromBytes(createHash("sha256").update(bytes).digest());

const make = Effect.gen(function* () {
  const sql = yield* PgClient.PgClient;
  const settings = yield* ServerSettings;

  const put: BlobStore["Service"]["put"] = Effect.fnUntraced(function* ({ workspace, grant }, hash, bytes) {
    if (hashOf(bytes) !== hash) return yield* refuse("chunk-mismatch");
    const id = idToBytes(workspace);
    const now = yield* Clock.currentTimeMillis;
    const leasedUntil = new Date(now + settings.chunkLeaseMillis);
    yield* sql.withTransaction(
      Effect.gen(function* () {
        // Rule 28: room is counted on the locked row, so that uploads at the same time cannot share the last of it.
        const locked = yield* sql`select 1 as locked from workspaces where workspace = ${id} for update`;
        if (locked.length === 0) return yield* refuse("workspace-unknown");
        const [room] = yield* sql<RoomRow>`
          select w.entries_bytes + w.attachments_bytes as used,
                 exists (select 1 from chunks c where c.workspace = w.workspace and c.hash = ${idToBytes(hash)}) as here,
                 g.revoked, g.expires_at
            from workspaces w left join grants g on g.workspace = w.workspace and g."grant" = ${idToBytes(grant)}
           where w.workspace = ${id}`;
        if (room === undefined || room.revoked !== false) return yield* refuse("revoked");
        if (room.expires_at !== null && toMillis(room.expires_at) <= now) return yield* refuse("grant-expired");
        if (room.here) {
          yield* sql`update chunks set leased_until = greatest(leased_until, ${leasedUntil}) where workspace = ${id} and hash = ${idToBytes(hash)}`;
          return;
        }
        if (settings.workspaceBytes > 0 && toNumber(room.used) + bytes.length > settings.workspaceBytes)
          return yield* refuse("quota-exceeded");
        yield* sql`
          insert into chunks (workspace, hash, size, bytes, leased_until, created_at)
          values (${id}, ${idToBytes(hash)}, ${bytes.length}, ${bytes}, ${leasedUntil}, ${new Date(now)})`;
        yield* sql`update workspaces set attachments_bytes = attachments_bytes + ${BigInt(bytes.length)} where workspace = ${id}`;
      }),
    );
    return { hash, size: bytes.length };
  }, unavailableOnSqlError);

  const head: BlobStore["Service"]["head"] = Effect.fnUntraced(function* (workspace, hash) {
    const [row] = yield* sql<{ readonly size: number }>`
      select size from chunks where workspace = ${idToBytes(workspace)} and hash = ${idToBytes(hash)}`;
    return row === undefined ? yield* refuse("chunk-unknown") : row.size;
  }, unavailableOnSqlError);

  const get: BlobStore["Service"]["get"] = Effect.fnUntraced(function* (workspace, hash) {
    const [row] = yield* sql<{ readonly bytes: Uint8Array }>`
      select bytes from chunks where workspace = ${idToBytes(workspace)} and hash = ${idToBytes(hash)}`;
    return row === undefined ? yield* refuse("chunk-unknown") : row.bytes;
  }, unavailableOnSqlError);

  return BlobStore.of({ put, head, get });
});

export const layerPostgresBlobStore: Layer.Layer<BlobStore, never, PgClient.PgClient | ServerSettings> = Layer.effect(
  BlobStore,
  make,
);
