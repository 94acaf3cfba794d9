/** The adapters on PostgreSQL keep the contracts of their ports. */
import { defaultSettings, layerPostgresPorts, ServerSettings, TokenKeys } from "@cairn/server";
import {
  accessContract,
  entryLogContract,
  membershipContract,
  type PortsSubject,
} from "@cairn/testkit/contracts/server";
import { freshDatabase } from "@cairn/testkit/postgres";
import { PgClient } from "@effect/sql-pg";
import { Layer, Logger, ManagedRuntime, Redacted } from "effect";

const open = async (): Promise<PortsSubject> => {
  const origin = "http://127.0.0.1:4780";
  const settings = ServerSettings.of({
    ...defaultSettings,
    workspaceBytes: 400_000,
    origins: () => new Set([origin]),
  });
  const runtime = ManagedRuntime.make(
    layerPostgresPorts.pipe(
      Layer.provide(Layer.succeed(ServerSettings, settings)),
      Layer.provide(TokenKeys.layerEphemeral),
      Layer.provide(PgClient.layer({ url: Redacted.make(await freshDatabase()), maxConnections: 10 })),
      Layer.provide(Logger.layer([])),
    ),
  );
  return { origin, run: (effect) => runtime.runPromise(effect), close: () => runtime.dispose() };
};

entryLogContract("PostgresEntryLog", open);
membershipContract("PostgresEntryLog", open);
accessContract("PostgresTokens, PostgresLinks and PostgresBlobStore", open);
