/**
 * Refusing a request: every failure that leaves a port is an error of the wire, and carries the id by which its request
 * is found in the log.
 */
import { type ErrorCode, type ErrorDetails, type ErrorOf, wireError } from "@cairn/protocol";
import { Context, Effect } from "effect";
import type { SqlError } from "effect/sql";

/** The id of the request at hand; absent outside of requests. */
export const RequestId = Context.Reference<string | undefined>("cairn/server/RequestId", {
  defaultValue: () => undefined,
});

/** Fails with the error of a code. */
export const refuse = <Code extends ErrorCode>(
  code: Code,
  details: ErrorDetails = {},
): Effect.Effect<never, ErrorOf<Code>> =>
  Effect.flatMap(RequestId, (requestId) =>
    Effect.fail(wireError(code, requestId === undefined ? details : { requestId, ...details })),
  );

/** Seconds after which a client may ask a database again that did not answer. */
const RETRY_AFTER_SECONDS = 1;

const isSqlError = (error: unknown): error is SqlError.SqlError =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "SqlError";

const isOther = <E>(error: E): error is Exclude<E, SqlError.SqlError> => !isSqlError(error);

/** A database that fails is a server that cannot serve right now: the same request may succeed later (rule 30). */
export const unavailableOnSqlError = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
): Effect.Effect<A, Exclude<E, SqlError.SqlError> | ErrorOf<"unavailable">, R> =>
  Effect.catch(effect, (error): Effect.Effect<never, Exclude<E, SqlError.SqlError> | ErrorOf<"unavailable">> =>
    isOther(error)
      ? Effect.fail(error)
      : Effect.logWarning("The database failed", { reason: isSqlError(error) ? error.reason._tag : undefined }).pipe(
          Effect.andThen(refuse("unavailable", { retryAfter: RETRY_AFTER_SECONDS })),
        ),
  );
