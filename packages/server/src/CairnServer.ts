/** The whole service as layers: what `apps/server` and the tests put between a database and a listening HTTP server. */
import { CairnApi } from "@cairn/protocol";
import { NodeHttpServer } from "@effect/platform-node";
import type { PgClient } from "@effect/sql-pg";
import { Effect, Layer } from "effect";
import { HttpRouter } from "effect/http";
import { HttpApiBuilder, HttpApiScalar } from "effect/http-api";
import { layerPostgresBlobStore } from "./blobs/PostgresBlobStore.ts";
import { ServerIdentity } from "./database/Database.ts";
import { FanOut } from "./fan-out/FanOut.ts";
import { layerBoundary, nowhere } from "./http/boundary.ts";
import { endpointsAt } from "./http/endpoints.ts";
import { layerHandlers } from "./http/handlers.ts";
import { layerSessionAuthorization } from "./http/SessionAuthorizationLive.ts";
import { UnprovenLimit } from "./http/UnprovenLimit.ts";
import { layerPostgresLinks } from "./links/PostgresLinks.ts";
import { LiveConnections } from "./live/LiveConnections.ts";
import { layerNodeLiveConnections } from "./live/NodeLiveConnections.ts";
import { layerPostgresEntryLog } from "./log/PostgresEntryLog.ts";
import { RequestId } from "./refusals.ts";
import type { ServerSettings } from "./ServerSettings.ts";
import { Challenges } from "./tokens/Challenges.ts";
import { layerPostgresTokens } from "./tokens/PostgresTokens.ts";
import type { TokenKeys } from "./tokens/TokenKeys.ts";

/** The ports on PostgreSQL, with fan-out in this process. Migrates the database first. */
export const layerPostgresPorts = Layer.mergeAll(
  layerPostgresLinks,
  layerPostgresBlobStore,
  layerNodeLiveConnections,
).pipe(
  Layer.provideMerge(Layer.mergeAll(layerPostgresEntryLog, layerPostgresTokens)),
  Layer.provideMerge(Layer.mergeAll(FanOut.layerInProcess, Challenges.layer, UnprovenLimit.layer)),
  Layer.provideMerge(ServerIdentity.layer),
);

/** Addresses below `/v1` that are no endpoints get an answer for programs. */
const layerNowhere = HttpRouter.add("*", "/v1/*", (request) =>
  Effect.map(RequestId, (requestId) => nowhere(endpointsAt(request.url.split(/[?#]/, 1)[0] ?? "/"), requestId)),
);

const layerRoutes = Layer.mergeAll(
  HttpApiBuilder.layer(CairnApi, { openapiPath: "/openapi.json" }),
  // Its fonts would come from another host.
  HttpApiScalar.layer(CairnApi, { path: "/docs", scalar: { withDefaultFonts: false } }),
  layerNowhere,
  layerBoundary,
);

/**
 * The routes of the API: `/v1`, `/health`, `/ready`, `/openapi.json` and `/docs`, and the services behind them.
 * Migrates the database first.
 */
export const layerCairnApi = layerRoutes.pipe(
  Layer.provide(layerHandlers),
  Layer.provide(layerSessionAuthorization),
  Layer.provideMerge(layerPostgresPorts),
  Layer.provide(NodeHttpServer.layerHttpServices),
);

/** What `layerCairnApi` needs from its host. */
export type CairnApiDependencies = PgClient.PgClient | ServerSettings | TokenKeys | HttpRouter.HttpRouter;

/**
 * Ends the live connections before what this is provided with: put it around the layer that listens, or an open
 * WebSocket holds the shutdown for its whole grace time.
 */
export const layerCloseSocketsFirst: Layer.Layer<never, never, LiveConnections> = Layer.effectDiscard(
  Effect.gen(function* () {
    const live = yield* LiveConnections;
    yield* Effect.addFinalizer(() => live.closeAll);
  }),
);
