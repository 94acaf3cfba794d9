/** A process that starts the embedded database, says so, and stays until it is killed. The test's victim. */
import { makeEmbeddedPostgres } from "@cairn/server/embedded-postgres";
import { Effect, Redacted } from "effect";

// Nothing else keeps the process alive.
setInterval(() => {}, 60_000);

await Effect.runPromise(
  Effect.scoped(
    Effect.gen(function* () {
      const { pid, url } = yield* makeEmbeddedPostgres({ folder: process.argv[2] ?? "" });
      process.stdout.write(`${JSON.stringify({ pid: yield* pid, url: Redacted.value(url) })}\n`);
      return yield* Effect.never;
    }),
  ),
);
