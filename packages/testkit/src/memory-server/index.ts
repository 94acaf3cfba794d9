/** The server's ports in memory, over a database that outlives the nodes connected to it. */
import { Challenges, FanOut, ServerIdentity, type ServerSettings, type TokenKeys } from "@cairn/server";
import { Effect, Layer } from "effect";
import { layerMemoryBlobStore } from "./MemoryBlobStore.ts";
import { DatabaseConnection } from "./MemoryDatabase.ts";
import { layerMemoryEntryLog } from "./MemoryEntryLog.ts";
import { layerMemoryLinks } from "./MemoryLinks.ts";
import { layerMemoryTokens } from "./MemoryTokens.ts";

export * from "./MemoryDatabase.ts";

const layerIdentity: Layer.Layer<ServerIdentity, never, DatabaseConnection> = Layer.effect(
  ServerIdentity,
  Effect.map(DatabaseConnection, ({ database: { server, epoch } }) => ServerIdentity.of({ server, epoch })),
);

/** All ports of one node, with fan-out in this node. */
export const layerMemoryPorts = Layer.mergeAll(layerMemoryLinks, layerMemoryBlobStore).pipe(
  Layer.provideMerge(Layer.mergeAll(layerMemoryEntryLog, layerMemoryTokens)),
  Layer.provideMerge(Layer.mergeAll(FanOut.layerInProcess, Challenges.layer)),
  Layer.provideMerge(layerIdentity),
);

/** What `layerMemoryPorts` needs. */
export type MemoryPortsDependencies = DatabaseConnection | ServerSettings | TokenKeys;
