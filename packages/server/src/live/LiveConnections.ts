/** The port to live connections. */
import type { ErrorOf, WorkspaceId } from "@cairn/protocol";
import { Context, type Effect, type Scope } from "effect";
import type { HttpServerRequest, HttpServerResponse } from "effect/http";

export interface LiveConnectionsShape {
  /** Upgrades a request and serves the connection until it ends. */
  readonly serve: (
    workspace: WorkspaceId,
    request: HttpServerRequest.HttpServerRequest,
  ) => Effect.Effect<HttpServerResponse.HttpServerResponse, ErrorOf<"malformed" | "unavailable">, Scope.Scope>;
  /** Says goodbye to every connection: a shutdown closes sockets first. */
  readonly closeAll: Effect.Effect<void>;
}

export class LiveConnections extends Context.Service<LiveConnections, LiveConnectionsShape>()(
  "cairn/server/LiveConnections",
) {}
