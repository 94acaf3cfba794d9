/**
 * Errors on the wire: one stable code for each thing that can be wrong, the HTTP status that carries it, and what the
 * client should do. They never carry a token, a key or content.
 *
 * Actions:
 * - `retry`: the same request may succeed later; wait (`retryAfter` where given, else with backoff).
 * - `pause`: something has to change first (a new token, more room, another page of membership); then send again.
 * - `stop`: this request will never succeed; tell the person.
 */
import { Schema } from "effect";

/** What a client should do about an error. */
export type ErrorAction = "retry" | "pause" | "stop";

/** Every error code with its status, action and advice. Codes are never renamed or reused. */
export const ERROR_CATALOGUE = {
  malformed: {
    status: 400,
    action: "stop",
    advice: "The request is not what the protocol says. Update the app.",
  },
  "token-missing": {
    status: 401,
    action: "pause",
    advice: "Send a bearer token; renew the session with the device's key.",
  },
  "token-invalid": {
    status: 401,
    action: "pause",
    advice: "The token does not verify. Renew the session with the device's key.",
  },
  "token-expired": {
    status: 401,
    action: "pause",
    advice: "Renew the session with the device's key.",
  },
  "proof-invalid": {
    status: 401,
    action: "stop",
    advice: "The signature does not prove the key. Check the server's address.",
  },
  "challenge-expired": {
    status: 401,
    action: "retry",
    advice: "Ask for a new challenge and sign that.",
  },
  revoked: {
    status: 403,
    action: "stop",
    advice: "Access was withdrawn. Ask the workspace's owner for a new link.",
  },
  "grant-expired": {
    status: 403,
    action: "stop",
    advice: "Access was granted for a time that is over. Ask the workspace's owner.",
  },
  "read-only": {
    status: 403,
    action: "stop",
    advice: "This device may read, not write. Ask the workspace's owner.",
  },
  "master-required": {
    status: 403,
    action: "stop",
    advice: "Only a device of the workspace's owner may do this.",
  },
  "wrong-workspace": { status: 403, action: "stop", advice: "The token is for another workspace." },
  "wrong-device": {
    status: 403,
    action: "stop",
    advice: "The entry's author is not the token's device and did not sign it.",
  },
  "registration-closed": {
    status: 403,
    action: "stop",
    advice: "This server takes no new workspaces. Ask who hosts it.",
  },
  "invite-invalid": {
    status: 403,
    action: "stop",
    advice: "Registration needs a valid invitation code. Ask who hosts the server.",
  },
  "origin-not-allowed": {
    status: 403,
    action: "stop",
    advice: "The server does not serve apps of this origin. Add it to CAIRN_ALLOWED_ORIGINS.",
  },
  "not-found": { status: 404, action: "stop", advice: "There is nothing at this address." },
  "workspace-unknown": {
    status: 404,
    action: "stop",
    advice: "The server does not know this workspace. Register it.",
  },
  "link-unknown": {
    status: 404,
    action: "stop",
    advice: "The server does not know this link. Ask for a new one.",
  },
  "chunk-unknown": {
    status: 404,
    action: "retry",
    advice: "The attachment's bytes have not arrived yet.",
  },
  "grant-unknown": {
    status: 404,
    action: "stop",
    advice: "The server does not know this grant. It may be gone already.",
  },
  "method-not-allowed": {
    status: 405,
    action: "stop",
    advice: "This address does not answer that method.",
  },
  diverged: {
    status: 409,
    action: "pause",
    advice: "Client and server mean different logs. Compare versions and supply what is missing.",
  },
  "workspace-conflict": {
    status: 409,
    action: "stop",
    advice: "The workspace is registered with another key.",
  },
  "link-conflict": {
    status: 409,
    action: "stop",
    advice: "A link of this id exists with other properties.",
  },
  "chunk-mismatch": {
    status: 409,
    action: "stop",
    advice: "The bytes do not have the hash in the address.",
  },
  "link-expired": {
    status: 410,
    action: "stop",
    advice: "The link has expired. Ask for a new one.",
  },
  "link-revoked": {
    status: 410,
    action: "stop",
    advice: "The link was revoked. Ask for a new one.",
  },
  "link-used-up": {
    status: 410,
    action: "stop",
    advice: "The link has let in as many devices as it may. Ask for a new one.",
  },
  "too-large": {
    status: 413,
    action: "stop",
    advice: "Send less at once; see the limits in the server's description.",
  },
  "unsupported-media-type": {
    status: 415,
    action: "stop",
    advice: "Send entries as application/vnd.cairn.entries.",
  },
  "unsupported-protocol": {
    status: 426,
    action: "stop",
    advice: "Client and server share no protocol version. Update the older one.",
  },
  "rate-limited": { status: 429, action: "retry", advice: "Wait as long as Retry-After says." },
  internal: {
    status: 500,
    action: "retry",
    advice: "The server failed. Give its host the request id.",
  },
  unavailable: {
    status: 503,
    action: "retry",
    advice: "The server cannot serve right now. Try again shortly.",
  },
  "quota-exceeded": {
    status: 507,
    action: "pause",
    advice: "The workspace is full. Whoever hosts the server can give it more room.",
  },
} as const satisfies Record<string, { readonly status: number; readonly action: ErrorAction; readonly advice: string }>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

/** The fields that every error has. */
const fields = <const Codes extends ReadonlyArray<ErrorCode>>(codes: Codes) => ({
  code: Schema.Literals(codes),
  /** In English, for developers and logs; apps show their own words, chosen by the code. */
  message: Schema.String.check(Schema.isMaxLength(2000)),
  action: Schema.Literals(["retry", "pause", "stop"]),
  /** Finds the request in the server's log. */
  requestId: Schema.optional(Schema.String.check(Schema.isMaxLength(64))),
  /** Seconds to wait before the next attempt. */
  retryAfter: Schema.optional(Schema.Finite),
});

export class Malformed extends Schema.TaggedError<Malformed>()("Malformed", fields(["malformed"]), {
  httpApiStatus: 400,
}) {}
export class Unauthenticated extends Schema.TaggedError<Unauthenticated>()(
  "Unauthenticated",
  fields(["token-missing", "token-invalid", "token-expired", "proof-invalid", "challenge-expired"]),
  { httpApiStatus: 401 },
) {}
export class Forbidden extends Schema.TaggedError<Forbidden>()(
  "Forbidden",
  fields([
    "revoked",
    "grant-expired",
    "read-only",
    "master-required",
    "wrong-workspace",
    "wrong-device",
    "registration-closed",
    "invite-invalid",
    "origin-not-allowed",
  ]),
  { httpApiStatus: 403 },
) {}
export class NotFound extends Schema.TaggedError<NotFound>()(
  "NotFound",
  fields(["not-found", "workspace-unknown", "link-unknown", "chunk-unknown", "grant-unknown"]),
  { httpApiStatus: 404 },
) {}
export class MethodNotAllowed extends Schema.TaggedError<MethodNotAllowed>()(
  "MethodNotAllowed",
  fields(["method-not-allowed"]),
  { httpApiStatus: 405 },
) {}
export class Conflict extends Schema.TaggedError<Conflict>()(
  "Conflict",
  fields(["diverged", "workspace-conflict", "link-conflict", "chunk-mismatch"]),
  { httpApiStatus: 409 },
) {}
export class Gone extends Schema.TaggedError<Gone>()("Gone", fields(["link-expired", "link-revoked", "link-used-up"]), {
  httpApiStatus: 410,
}) {}
export class TooLarge extends Schema.TaggedError<TooLarge>()("TooLarge", fields(["too-large"]), {
  httpApiStatus: 413,
}) {}
export class UnsupportedMediaType extends Schema.TaggedError<UnsupportedMediaType>()(
  "UnsupportedMediaType",
  fields(["unsupported-media-type"]),
  { httpApiStatus: 415 },
) {}
export class UnsupportedProtocol extends Schema.TaggedError<UnsupportedProtocol>()(
  "UnsupportedProtocol",
  fields(["unsupported-protocol"]),
  { httpApiStatus: 426 },
) {}
export class RateLimited extends Schema.TaggedError<RateLimited>()("RateLimited", fields(["rate-limited"]), {
  httpApiStatus: 429,
}) {}
export class Internal extends Schema.TaggedError<Internal>()("Internal", fields(["internal"]), {
  httpApiStatus: 500,
}) {}
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", fields(["unavailable"]), {
  httpApiStatus: 503,
}) {}
export class QuotaExceeded extends Schema.TaggedError<QuotaExceeded>()("QuotaExceeded", fields(["quota-exceeded"]), {
  httpApiStatus: 507,
}) {}

const classes = [
  Malformed,
  Unauthenticated,
  Forbidden,
  NotFound,
  MethodNotAllowed,
  Conflict,
  Gone,
  TooLarge,
  UnsupportedMediaType,
  UnsupportedProtocol,
  RateLimited,
  Internal,
  Unavailable,
  QuotaExceeded,
] as const;

/** Any error of the wire, as JSON: `{ _tag, code, message, action, requestId?, retryAfter? }`. */
export const WireError = Schema.Union(classes);
export type WireError = typeof WireError.Type;

/** What may be told about an error besides its code. */
export interface ErrorDetails {
  /** Replaces the catalogue's advice as the message. No secrets. */
  readonly message?: string;
  readonly requestId?: string;
  readonly retryAfter?: number;
}

/** The error class that carries a code. */
export type ErrorOf<Code extends ErrorCode> = WireError extends infer Each
  ? Each extends { readonly code: infer Codes }
    ? Code extends Codes
      ? Each
      : never
    : never
  : never;

const decodeWireError = Schema.decodeUnknownSync(WireError);
const tagByCode: ReadonlyMap<string, string> = new Map(
  classes.flatMap((errorClass) =>
    errorClass.fields.code.literals.map((code): [string, string] => [code, errorClass.identifier]),
  ),
);

/** Makes the error for a code, with the catalogue's action and advice. */
export const wireError = <Code extends ErrorCode>(code: Code, details: ErrorDetails = {}): ErrorOf<Code> =>
  // The catalogue and the classes name the same codes (a test holds them together), so the class of a code is known.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  decodeWireError({
    _tag: tagByCode.get(code),
    code,
    action: ERROR_CATALOGUE[code].action,
    message: details.message ?? ERROR_CATALOGUE[code].advice,
    ...(details.requestId === undefined ? {} : { requestId: details.requestId }),
    ...(details.retryAfter === undefined ? {} : { retryAfter: details.retryAfter }),
  }) as ErrorOf<Code>;
