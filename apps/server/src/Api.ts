/**
 * Where the API is mounted. `apiRoutes` adds the routes under `/v1` and the documentation at `/docs` to the router; it
 * may use the database, the configuration and the data folder, and everything it starts lives as long as the server.
 */
import type { PgClient } from "@effect/sql-pg";
import { Effect, type Layer } from "effect";
import { HttpRouter, HttpServerResponse } from "effect/http";
import type { SqlClient } from "effect/sql";
import type { ServerConfiguration } from "./configuration.ts";
import type { DataFolder } from "./DataFolder.ts";
import type { Refusal } from "./Refusal.ts";

/** What the API's layers may depend on. */
export type ApiDependencies =
  | HttpRouter.HttpRouter
  | PgClient.PgClient
  | SqlClient.SqlClient
  | ServerConfiguration
  | DataFolder;

/** Unknown addresses below `/v1` get an answer for programs, not the app's page. */
const unknownEndpoint = HttpRouter.add(
  "*",
  "/v1/*",
  Effect.succeed(
    HttpServerResponse.jsonUnsafe({ code: "not-found", message: "There is no such endpoint." }, { status: 404 }),
  ),
);

export const apiRoutes: Layer.Layer<never, Refusal, ApiDependencies> = unknownEndpoint;
