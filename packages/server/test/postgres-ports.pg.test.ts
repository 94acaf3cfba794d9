/** The adapters on PostgreSQL keep the contracts of their ports. */
import { defaultSettings, layerPostgresPorts, ServerSettings, TokenKeys } from "@cairn/server";
import {
  accessContract,
  entryLogContract,
  membershipContract,
  type PortsSubject,
  Scene,
} from "@cairn/testkit/contracts/server";
import { freshDatabase } from "@cairn/testkit/postgres";
import { PgClient } from "@effect/sql-pg";
import { Layer, Logger, ManagedRuntime, Redacted } from "effect";
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";

const open = async (url?: string, workspaceBytes = 400_000): Promise<PortsSubject> => {
  const origin = "http://127.0.0.1:4780";
  const settings = ServerSettings.of({
    ...defaultSettings,
    workspaceBytes,
    origins: () => new Set([origin]),
  });
  const runtime = ManagedRuntime.make(
    layerPostgresPorts.pipe(
      Layer.provide(Layer.succeed(ServerSettings, settings)),
      Layer.provide(TokenKeys.layerEphemeral),
      Layer.provide(PgClient.layer({ url: Redacted.make(url ?? (await freshDatabase())), maxConnections: 10 })),
      Layer.provide(Logger.layer([])),
    ),
  );
  return { origin, run: (effect) => runtime.runPromise(effect), close: () => runtime.dispose() };
};

entryLogContract("PostgresEntryLog", () => open());
membershipContract("PostgresEntryLog", () => open());
accessContract("PostgresTokens, PostgresLinks and PostgresBlobStore", () => open());

test("the host's quota holds from the next start on, also for workspaces that are full by then", async () => {
  const url = await freshDatabase();
  const small = await open(url, 10_000);
  const scene = await Scene.found(small);
  const chunk = randomBytes(20_000);
  await expect(scene.upload(scene.owner, chunk)).rejects.toMatchObject({ code: "quota-exceeded" });
  await small.close();

  const larger = await open(url, 100_000);
  try {
    const { owner, root } = scene;
    const again = new Scene(larger, root, owner);
    await again.upload(owner, chunk);
    const update = owner.device.author({}, randomBytes(30_000));
    expect((await again.push(owner, [update])).results).toMatchObject([{ status: "stored" }]);
    expect((await again.state()).usage.quotaBytes).toBe(100_000);
  } finally {
    await larger.close();
  }
});
