import { Effect, Layer } from "effect";
import { HttpRouter, HttpServerResponse } from "effect/http";
import { DatabaseHealth } from "./Database.ts";
import { version } from "./version.ts";

/** `GET /health`: 200 while requests can be served; 503 while the database does not answer. */
export const healthRoute = Layer.effectDiscard(
  Effect.gen(function* () {
    const router = yield* HttpRouter.HttpRouter;
    const database = yield* DatabaseHealth;
    yield* router.add(
      "GET",
      "/health",
      Effect.gen(function* () {
        const up = yield* database.answers;
        return HttpServerResponse.jsonUnsafe(
          { status: up ? "ok" : "unavailable", database: up ? "up" : "down", version },
          { status: up ? 200 : 503, headers: { "cache-control": "no-store", ...(up ? {} : { "retry-after": "1" }) } },
        );
      }),
    );
  }),
);
