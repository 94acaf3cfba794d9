import { serverIdFromBytes } from "@cairn/protocol";
import { defaultSettings, ServerSettings, TokenKeys } from "@cairn/server";
import {
  accessContract,
  entryLogContract,
  membershipContract,
  type PortsSubject,
} from "@cairn/testkit/contracts/server";
import { DatabaseConnection, layerMemoryPorts, MemoryConnection, MemoryDatabase } from "@cairn/testkit/memory-server";
import { Layer, Logger, ManagedRuntime } from "effect";

const open = (): Promise<PortsSubject> => {
  const origin = "http://127.0.0.1:4780";
  const settings = { ...defaultSettings, workspaceBytes: 400_000, origins: () => new Set([origin]) };
  const connection = new MemoryConnection(new MemoryDatabase(serverIdFromBytes(new Uint8Array(16).fill(7))));
  const runtime = ManagedRuntime.make(
    layerMemoryPorts.pipe(
      Layer.provide(Layer.succeed(ServerSettings, settings)),
      Layer.provide(TokenKeys.layerEphemeral),
      Layer.provide(Layer.succeed(DatabaseConnection, connection)),
      Layer.provide(Logger.layer([])),
    ),
  );
  return Promise.resolve({ origin, run: (effect) => runtime.runPromise(effect), close: () => runtime.dispose() });
};

entryLogContract("MemoryEntryLog", open);
membershipContract("MemoryEntryLog", open);
accessContract("MemoryTokens, MemoryLinks and MemoryBlobStore", open);
