/** Chunks in memory. */
import { hashFromBytes } from "@cairn/protocol";
import { BlobStore, ServerSettings } from "@cairn/server";
import { refuse } from "@cairn/server/adapters";
import { Clock, Effect, Layer } from "effect";
import { createHash } from "node:crypto";
import { DatabaseConnection } from "./MemoryDatabase.ts";

const make = Effect.gen(function* () {
  const connection = yield* DatabaseConnection;
  const { workspaceBytes } = yield* ServerSettings;
  const find: BlobStore["Service"]["get"] = (workspace, hash) =>
    Effect.suspend(() => {
      const bytes = connection.log(workspace)?.chunks.get(hash);
      return bytes === undefined ? refuse("chunk-unknown") : Effect.succeed(bytes);
    });

  return BlobStore.of({
    put: Effect.fnUntraced(function* ({ workspace, grant }, hash, bytes) {
      if (hashFromBytes(createHash("sha256").update(bytes).digest()) !== hash) return yield* refuse("chunk-mismatch");
      const now = yield* Clock.currentTimeMillis;
      const size = bytes.length;
      return yield* connection.transaction(
        workspace,
        Effect.fnUntraced(function* (log) {
          if (log === undefined) return yield* refuse("workspace-unknown");
          const known = log.grants.get(grant);
          if (known === undefined || known.status === "revoked") return yield* refuse("revoked");
          if (known.expiresAt !== null && known.expiresAt <= now) return yield* refuse("grant-expired");
          const used = log.entriesBytes + log.attachmentsBytes;
          const here = log.chunks.has(hash);
          if (!here && workspaceBytes > 0 && used + size > workspaceBytes) return yield* refuse("quota-exceeded");
          return {
            value: { hash, size },
            write: () => {
              if (here) return;
              log.chunks.set(hash, bytes.slice());
              log.attachmentsBytes += size;
            },
          };
        }),
      );
    }),
    head: (workspace, hash) => Effect.map(find(workspace, hash), ({ length }) => length),
    get: find,
  });
});

export const layerMemoryBlobStore: Layer.Layer<BlobStore, never, DatabaseConnection | ServerSettings> = Layer.effect(
  BlobStore,
  make,
);
