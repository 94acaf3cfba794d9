/**
 * The whole API on a port of its own, against a database of the test: the layers that `apps/server` runs, without the
 * web app.
 */
import {
  answerUntilServing,
  defaultSettings,
  layerCairnApi,
  layerCloseSocketsFirst,
  ServerSettings,
  type ServerSettingsShape,
  TokenKeys,
} from "@cairn/server";
import { LIMITS } from "@cairn/protocol";
import { NodeHttpServer } from "@effect/platform-node";
import { PgClient } from "@effect/sql-pg";
import { Context, Effect, Exit, Layer, Logger, Redacted, References, Scope } from "effect";
import { HttpRouter, HttpServer } from "effect/http";
import { createServer } from "node:http";

export interface TestServerOptions {
  /** For instance from `freshDatabase()`. */
  readonly databaseUrl: string;
  /** 0, the default, lets the system choose. */
  readonly port?: number;
  readonly settings?: Partial<Omit<ServerSettingsShape, "origins">>;
  /** The secret that signs tokens; a random one by default, with which a restarted server knows no older session. */
  readonly tokenKey?: string;
  /** Lets pages of any local origin in, such as those that a browser test is served from. */
  readonly localPages?: boolean;
  /** Each line of the server's log. */
  readonly onLog?: (line: string) => void;
}

export interface TestServer {
  /** `http://127.0.0.1:<port>`. */
  readonly origin: string;
  readonly close: () => Promise<void>;
}

const isLocalPage = (origin: string): boolean => /^http:\/\/(localhost|127\.0\.0\.1)(:\d+)?$/.test(origin);

/** Every local origin. */
class LocalOrigins extends Set<string> {
  override has(origin: string): boolean {
    return isLocalPage(origin);
  }
}

const corsLayer = HttpRouter.cors({
  allowedOrigins: ["*"],
  allowedMethods: ["GET", "HEAD", "PUT", "POST", "DELETE"],
  allowedHeaders: ["authorization", "cairn-protocol", "content-type", "x-request-id"],
  exposedHeaders: ["cairn-protocol", "etag", "retry-after", "x-request-id"],
});

/** Starts a server; it serves when the promise resolves. */
export const startTestServer = async (options: TestServerOptions): Promise<TestServer> => {
  let origin = "";
  const settings = ServerSettings.of({
    ...defaultSettings,
    unprovenPerMinute: 0,
    ...(options.localPages === true ? { allowedOrigins: new LocalOrigins() } : {}),
    ...options.settings,
    origins: () => new Set([origin]),
  });
  const keys =
    options.tokenKey === undefined ? TokenKeys.layerEphemeral : TokenKeys.layerSecret(Redacted.make(options.tokenKey));
  const listener = NodeHttpServer.layer(() => answerUntilServing(createServer()), {
    host: "127.0.0.1",
    port: options.port ?? 0,
    gracefulShutdownTimeout: "2 seconds",
    websocket: { maxPayload: LIMITS.frameBytes + 1024, perMessageDeflate: false },
  });
  const log = Logger.layer([Logger.map(Logger.formatJson, (line: string) => options.onLog?.(line))]);
  const routes = options.localPages === true ? Layer.merge(layerCairnApi, corsLayer) : layerCairnApi;
  const serving = HttpRouter.serve(routes, { disableListenLog: true, disableLogger: true });
  const server = layerCloseSocketsFirst.pipe(
    Layer.provide(serving),
    Layer.provideMerge(listener),
    Layer.provide(Layer.succeed(ServerSettings, settings)),
    Layer.provide(keys),
    Layer.provide(PgClient.layer({ url: Redacted.make(options.databaseUrl), maxConnections: 10 })),
    Layer.provide(Layer.merge(log, Layer.succeed(References.MinimumLogLevel, "Info"))),
  );
  const scope = Scope.makeUnsafe();
  const close = () => Effect.runPromise(Scope.close(scope, Exit.void));
  try {
    const context = await Effect.runPromise(Layer.buildWithScope(server, scope));
    const { address } = Context.get(context, HttpServer.HttpServer);
    origin = `http://127.0.0.1:${"port" in address ? address.port : 0}`;
    return { origin, close };
  } catch (cause) {
    await close();
    throw cause;
  }
};
export * from "./http-author.ts";
export * from "./live-author.ts";
export { apiEndpoints, type ApiEndpoint } from "./api-endpoints.ts";
