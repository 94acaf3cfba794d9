/** Sealed attachment chunks. */
import type { Hash } from "@cairn/protocol";
import type { LocalStoreShape } from "../LocalStore.ts";
import type { SqliteDatabase } from "./database.ts";
import { bytes } from "./rows.ts";

type ChunkOperations = Pick<LocalStoreShape, "putChunks" | "chunk" | "chunkStates" | "markUploaded">;

export const chunkOperations = (database: SqliteDatabase): ChunkOperations => {
  const put = database.prepare(`
    INSERT INTO chunks (workspace, hash, bytes, uploaded) VALUES (?, ?, ?, ?)
    ON CONFLICT (workspace, hash) DO UPDATE SET uploaded = max(uploaded, excluded.uploaded)`);
  const find = database.prepare("SELECT bytes, uploaded FROM chunks WHERE workspace = ? AND hash = ?");
  const state = database.prepare("SELECT uploaded FROM chunks WHERE workspace = ? AND hash = ?");
  const markUploaded = database.prepare("UPDATE chunks SET uploaded = 1 WHERE workspace = ? AND hash = ?");

  return {
    putChunks: (chunks) =>
      database.write("putChunks", () => {
        for (const chunk of chunks) put.run(chunk.workspace, chunk.hash, chunk.bytes, chunk.uploaded ? 1 : 0);
      }),

    chunk: (workspace, hash) =>
      database.read("chunk", () => {
        const row = find.get(workspace, hash);
        return row === undefined
          ? undefined
          : { workspace, hash, bytes: bytes(row["bytes"]), uploaded: row["uploaded"] === 1 };
      }),

    chunkStates: (workspace, hashes) =>
      database.read("chunkStates", () => {
        const states = new Map<Hash, "local" | "uploaded">();
        for (const hash of hashes) {
          const row = state.get(workspace, hash);
          if (row !== undefined) states.set(hash, row["uploaded"] === 1 ? "uploaded" : "local");
        }
        return states;
      }),

    markUploaded: (workspace, hash) =>
      database.write("markUploaded", () => {
        markUploaded.run(workspace, hash);
      }),
  };
};
