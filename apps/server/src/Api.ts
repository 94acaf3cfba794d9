/**
 * Where the API is mounted: the service of `@cairn/server` on this server's database, with this server's configuration.
 */
import { layerCairnApi, LiveConnections, ServerSettings, TokenKeys, defaultSettings } from "@cairn/server";
import type { PgClient } from "@effect/sql-pg";
import { Duration, Effect, Layer } from "effect";
import { type HttpRouter, HttpServer } from "effect/http";
import type { SqlClient } from "effect/sql";
import { join } from "node:path";
import { workingAddresses } from "./addresses.ts";
import { ServerConfiguration } from "./configuration.ts";
import { DataFolder } from "./DataFolder.ts";
import { Refusal } from "./Refusal.ts";

/** What the API's layers may depend on. */
export type ApiDependencies =
  | HttpRouter.HttpRouter
  | HttpServer.HttpServer
  | PgClient.PgClient
  | SqlClient.SqlClient
  | ServerConfiguration
  | DataFolder;

const layerSettings = Layer.effect(
  ServerSettings,
  Effect.gen(function* () {
    const configuration = yield* ServerConfiguration;
    const { address } = yield* HttpServer.HttpServer;
    const { host, publicUrl, allowedOrigins, tls } = configuration;
    const port = "port" in address ? address.port : configuration.port;
    const { urls } = workingAddresses({ host, port, https: tls !== undefined, publicUrl });
    // People also type the address that a name stands for.
    const loopback = ["localhost", "127.0.0.1", "[::1]"].map(
      (name) => `http${tls === undefined ? "" : "s"}://${name}:${port}`,
    );
    const origins = new Set([...urls, ...loopback].map((url) => new URL(url).origin));
    return ServerSettings.of({
      ...defaultSettings,
      registration: configuration.registration,
      invites: configuration.inviteCodes,
      publicUrl,
      origins: () => origins,
      allowedOrigins: new Set(allowedOrigins),
      workspaceBytes: configuration.workspaceQuotaBytes,
      attachmentBytes: configuration.attachmentLimitBytes,
      unprovenPerMinute: configuration.unprovenLimit,
      trustedProxies: configuration.trustedProxies,
      backupHorizonSeconds: Math.floor(Duration.toSeconds(configuration.backupHorizon)),
    });
  }),
);

const layerTokenKeys = Layer.unwrap(
  Effect.gen(function* () {
    const { tokenKey } = yield* ServerConfiguration;
    const folder = yield* DataFolder;
    return tokenKey === undefined
      ? TokenKeys.layerFile(join(folder.path, "token-keys.json"))
      : TokenKeys.layerSecret(tokenKey);
  }),
);

/** The routes of the API, and the live connections behind them. */
export const apiRoutes: Layer.Layer<LiveConnections, Refusal, ApiDependencies> = layerCairnApi.pipe(
  Layer.provide(layerSettings),
  Layer.provide(layerTokenKeys),
  Layer.catchTag("DatabaseNewer", ({ message }) => refused("data-newer", message)),
  Layer.catchTag("TokenKeysUnusable", ({ message }) => refused("configuration", message)),
  Layer.catchTag("SqlError", (error) =>
    refused("database-unreachable", `The database cannot be brought up to date: ${error.message}`),
  ),
);

const refused = (code: Refusal["code"], message: string): Layer.Layer<LiveConnections, Refusal> =>
  Layer.effect(LiveConnections, Effect.fail(new Refusal({ code, message })));
