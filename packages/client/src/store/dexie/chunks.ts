/** Sealed attachment chunks. */
import type { Hash, WorkspaceId } from "@cairn/protocol";
import type { LocalStoreShape } from "../LocalStore.ts";
import type { DexieConnection } from "./connection.ts";

type ChunkOperations = Pick<LocalStoreShape, "putChunks" | "chunk" | "chunkStates" | "markUploaded">;

export const chunkOperations = (connection: DexieConnection): ChunkOperations => {
  const { chunks, chunkStates } = connection.database;

  return {
    putChunks: (put) =>
      connection.write("putChunks", [chunks, chunkStates], async () => {
        const known = await chunkStates.bulkGet(put.map(({ workspace, hash }) => [workspace, hash]));
        await chunks.bulkPut(put.map(({ workspace, hash, bytes }) => ({ workspace, hash, bytes })));
        await chunkStates.bulkPut(
          put.map(({ workspace, hash, uploaded }, index) => ({
            workspace,
            hash,
            uploaded: uploaded || known[index]?.uploaded === true,
          })),
        );
      }),

    chunk: (workspace, hash) =>
      connection.read("chunk", [chunks, chunkStates], async () => {
        const chunk = await chunks.get([workspace, hash]);
        const state = await chunkStates.get([workspace, hash]);
        return chunk === undefined ? undefined : { ...chunk, uploaded: state?.uploaded === true };
      }),

    chunkStates: (workspace, hashes) =>
      connection.read("chunkStates", [chunkStates], async () => {
        const rows = await chunkStates.bulkGet(hashes.map((hash): [WorkspaceId, Hash] => [workspace, hash]));
        const states = new Map<Hash, "local" | "uploaded">();
        for (const row of rows) if (row !== undefined) states.set(row.hash, row.uploaded ? "uploaded" : "local");
        return states;
      }),

    markUploaded: (workspace, hash) =>
      connection.write("markUploaded", [chunkStates], async () => {
        const row = await chunkStates.get([workspace, hash]);
        if (row !== undefined) await chunkStates.put({ ...row, uploaded: true });
      }),
  };
};
