/**
 * The whole server as one layer: configuration in, a listening server out. Closing it ends the sockets, then the
 * requests, then the database.
 */
import { LiveConnections } from "@cairn/server";
import { Effect, Layer, Logger, References } from "effect";
import { HttpRouter, HttpServer } from "effect/http";
import { apiRoutes } from "./Api.ts";
import { insecureAdvice, workingAddresses } from "./addresses.ts";
import { ServerConfiguration, type ServerConfigurationShape } from "./configuration.ts";
import { databaseLayer } from "./Database.ts";
import { DataFolder } from "./DataFolder.ts";
import { listenerLayer, OpenSockets, probeAddress } from "./Listener.ts";
import { aroundRequests } from "./request-log.ts";
import { Terminal } from "./Terminal.ts";
import { webAppRoutes } from "./WebApp.ts";

const loggerLayer = (configuration: ServerConfigurationShape) => {
  const format = configuration.logFormat === "json" ? Logger.formatJson : Logger.formatLogFmt;
  const logger = Logger.map(format, (line: string) => {
    process.stderr.write(`${line}\n`);
  });
  return Layer.merge(Logger.layer([logger]), Layer.succeed(References.MinimumLogLevel, configuration.logLevel));
};

const isHttps = ({ publicUrl, tls }: ServerConfigurationShape): boolean =>
  tls !== undefined || publicUrl?.startsWith("https:") === true;

const corsLayer = (origins: ReadonlyArray<string>) =>
  origins.length === 0
    ? Layer.empty
    : HttpRouter.cors({
        allowedOrigins: origins,
        allowedMethods: ["GET", "HEAD", "PUT", "POST", "DELETE"],
        allowedHeaders: ["authorization", "cairn-protocol", "content-type", "if-none-match", "range", "x-request-id"],
        exposedHeaders: ["cairn-protocol", "content-range", "etag", "retry-after", "x-request-id"],
        maxAge: 600,
      });

const announce = Effect.gen(function* () {
  const configuration = yield* ServerConfiguration;
  const folder = yield* DataFolder;
  const { address } = yield* HttpServer.HttpServer;
  const port = "port" in address ? address.port : configuration.port;
  const addresses = workingAddresses({
    host: configuration.host,
    port,
    https: configuration.tls !== undefined,
    publicUrl: configuration.publicUrl,
  });
  const advice = insecureAdvice(addresses, port);
  Terminal.print(
    [
      "",
      `Cairn is ready: ${addresses.urls.join("  ")}`,
      ...(folder.note === undefined ? [] : [folder.note]),
      ...(advice === undefined ? [] : ["", advice]),
      "",
    ].join("\n"),
  );
});

/** The server for a configuration; it listens from the moment the layer is built until its scope closes. */
export const serverLayer = (configuration: ServerConfigurationShape) => {
  const configured = Layer.succeed(ServerConfiguration, ServerConfiguration.of(configuration));
  const routes = Layer.mergeAll(apiRoutes, webAppRoutes, corsLayer(configuration.allowedOrigins));
  const serving = HttpRouter.serve(routes, {
    disableLogger: true,
    disableListenLog: true,
    middleware: aroundRequests({ https: isHttps(configuration) }),
  });
  const lastIn = Layer.effectDiscard(
    Effect.gen(function* () {
      const sockets = yield* OpenSockets;
      const live = yield* LiveConnections;
      yield* Effect.addFinalizer(() => Effect.andThen(live.closeAll, sockets.close));
      yield* announce;
    }),
  );
  return lastIn.pipe(
    Layer.provide(serving),
    Layer.provideMerge(listenerLayer),
    Layer.provide(databaseLayer),
    Layer.provide(DataFolder.layer),
    Layer.provide(Layer.effectDiscard(probeAddress)),
    Layer.provide(configured),
    Layer.provide(loggerLayer(configuration)),
  );
};
