import { defaultSettings, layerCairnApi, layerCloseSocketsFirst, ServerSettings, TokenKeys } from "@cairn/server";
import { NodeHttpServer } from "@effect/platform-node";
import { PgClient } from "@effect/sql-pg";
import { Layer, Redacted } from "effect";
import { HttpRouter } from "effect/http";
import { createServer } from "node:http";

/** Serves Cairn's API on a port of this machine; `Layer.launch` runs it until it is interrupted. */
export const serve = (databaseUrl: string, port: number) => {
  const origins = new Set([`http://localhost:${port}`]);
  return layerCloseSocketsFirst.pipe(
    Layer.provide(HttpRouter.serve(layerCairnApi)),
    Layer.provide(NodeHttpServer.layer(() => createServer(), { port, host: "127.0.0.1" })),
    Layer.provide(Layer.succeed(ServerSettings, { ...defaultSettings, origins: () => origins })),
    Layer.provide(TokenKeys.layerFile("data/token-keys.json")),
    Layer.provide(PgClient.layer({ url: Redacted.make(databaseUrl) })),
  );
};
