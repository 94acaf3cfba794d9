/** The classes of the wire's errors, by what a client sees of them: the OpenAPI description names their statuses. */
import {
  Conflict,
  Forbidden,
  Gone,
  Internal,
  Malformed,
  MethodNotAllowed,
  NotFound,
  QuotaExceeded,
  RateLimited,
  TooLarge,
  Unauthenticated,
  Unavailable,
  UnsupportedMediaType,
  UnsupportedProtocol,
} from "@cairn/protocol";

const of = (
  status: number,
  errorClass: { readonly fields: { readonly code: { readonly literals: ReadonlyArray<string> } } },
) => ({
  status,
  codes: errorClass.fields.code.literals,
});

export const errorClasses = [
  of(400, Malformed),
  of(401, Unauthenticated),
  of(403, Forbidden),
  of(404, NotFound),
  of(405, MethodNotAllowed),
  of(409, Conflict),
  of(410, Gone),
  of(413, TooLarge),
  of(415, UnsupportedMediaType),
  of(426, UnsupportedProtocol),
  of(429, RateLimited),
  of(500, Internal),
  of(503, Unavailable),
  of(507, QuotaExceeded),
];
