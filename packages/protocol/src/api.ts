/**
 * The HTTP API, version 1. Server, typed client and OpenAPI description all come from this definition.
 *
 * Every endpoint of a workspace but `register`, `renew`, `openLink` and `describeLink` wants a bearer token whose
 * workspace is the path's (`SessionAuthorization`); the first three are proven by a signature over a challenge. `describeLink` wants neither:
 * a link's id cannot be guessed, and what it is answered with is opaque without the link's secret.
 */
import { Context, Schema } from "effect";
import {
  HttpApi,
  HttpApiEndpoint,
  HttpApiGroup,
  HttpApiMiddleware,
  HttpApiSchema,
  HttpApiSecurity,
  OpenApi,
} from "effect/http-api";
import { ENTRIES_MEDIA_TYPE } from "./batch.ts";
import {
  Conflict,
  Forbidden,
  Gone,
  Internal,
  Malformed,
  NotFound,
  QuotaExceeded,
  RateLimited,
  TooLarge,
  Unauthenticated,
  Unavailable,
  UnsupportedMediaType,
  UnsupportedProtocol,
} from "./errors.ts";
import { type DeviceId, type GrantId, Hash, GrantId as GrantIdSchema, LinkId, WorkspaceId } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import type { RoleName } from "./membership.ts";
import { PushResponse } from "./push-result.ts";
import {
  ChallengeResponse,
  ChunkState,
  CreateLinkRequest,
  Grant,
  IssueRequest,
  LinkDescription,
  LinkState,
  OpenLinkRequest,
  RegisterRequest,
  RenewRequest,
  type Scope,
  ServerDescription,
  Session,
  type TokenKind,
  WorkspaceState,
} from "./shapes.ts";

/** What a verified token says of its bearer. */
export interface SessionClaims {
  readonly grant: GrantId;
  readonly workspace: WorkspaceId;
  readonly device: DeviceId;
  readonly kind: TokenKind;
  readonly scope: Scope;
  readonly role: RoleName;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** The session of the request at hand. */
export class CurrentSession extends Context.Service<CurrentSession, SessionClaims>()("cairn/protocol/CurrentSession") {}

/** Errors that any endpoint can answer with. */
const anywhere = [Malformed, UnsupportedProtocol, RateLimited, Internal, Unavailable] as const;
/** Errors of endpoints that want a token. */
const authorized = [...anywhere, Unauthenticated, Forbidden, NotFound] as const;

/**
 * Verifies the bearer token: signature with the pinned algorithm, expiry, revocation, and that its workspace is the
 * path's. Scope is checked by each endpoint (`read-write` for push and upload, `master` for tokens and links).
 */
export class SessionAuthorization extends HttpApiMiddleware.Service<
  SessionAuthorization,
  { provides: CurrentSession; requires: never }
>()("cairn/protocol/SessionAuthorization", {
  requiredForClient: true,
  security: { bearer: HttpApiSecurity.bearer },
  error: [Unauthenticated, Forbidden, NotFound, Unavailable, Internal],
}) {}

const workspace = { workspace: WorkspaceId };
const EntryBytes = Schema.Uint8Array.pipe(HttpApiSchema.asUint8Array({ contentType: ENTRIES_MEDIA_TYPE }));
const ChunkBytes = Schema.Uint8Array.pipe(HttpApiSchema.asUint8Array());
const Whole = Schema.NumberFromString.check(Schema.isInt(), Schema.isGreaterThanOrEqualTo(0));

/** Whether the server lives, what it is, and nonces to sign. */
export class SystemGroup extends HttpApiGroup.make("system")
  .add(
    HttpApiEndpoint.get("health", "/health", {
      success: Schema.Struct({ status: Schema.Literal("ok") }),
      error: [Unavailable],
    }).annotate(OpenApi.Description, "200 once the server serves."),
    HttpApiEndpoint.get("ready", "/ready", {
      success: Schema.Struct({ status: Schema.Literal("ready") }),
      error: [Unavailable],
    }).annotate(OpenApi.Description, "200 while the database answers."),
    HttpApiEndpoint.get("describe", "/v1/server", {
      success: ServerDescription,
      error: anywhere,
    }).annotate(OpenApi.Description, "The server's id and epoch, protocol versions, limits and registration mode."),
    HttpApiEndpoint.post("challenge", "/v1/challenges", {
      success: ChallengeResponse,
      error: anywhere,
    }).annotate(OpenApi.Description, "A nonce to sign, good for a minute."),
  )
  .annotate(OpenApi.Description, "Whether the server lives, what it is, and nonces to sign.") {}

/** Making a workspace known, and asking how it stands. */
export class WorkspacesGroup extends HttpApiGroup.make("workspaces")
  .add(
    HttpApiEndpoint.put("register", "/v1/workspaces/:workspace", {
      params: workspace,
      payload: RegisterRequest,
      success: Session,
      error: [...anywhere, Unauthenticated, Forbidden, Conflict],
    }).annotate(
      OpenApi.Description,
      "Proves possession of the root key and makes the device a master. Idempotent; also how an owner recovers access.",
    ),
    HttpApiEndpoint.get("state", "/v1/workspaces/:workspace", {
      params: workspace,
      success: WorkspaceState,
      error: authorized,
    })
      .middleware(SessionAuthorization)
      .annotate(OpenApi.Description, "Head and running hash, membership head, usage, and what is here of each device."),
  )
  .annotate(OpenApi.Description, "Making a workspace known to the server, and asking how it stands.") {}

/** The log: push, pull, live. */
export class EntriesGroup extends HttpApiGroup.make("entries")
  .add(
    HttpApiEndpoint.post("push", "/v1/workspaces/:workspace/entries", {
      params: workspace,
      payload: EntryBytes,
      success: PushResponse,
      error: [...authorized, TooLarge, UnsupportedMediaType, QuotaExceeded],
    })
      .middleware(SessionAuthorization)
      .annotate(OpenApi.Description, "Stores a batch in one transaction; one result for each entry."),
    HttpApiEndpoint.get("pull", "/v1/workspaces/:workspace/entries", {
      params: workspace,
      query: {
        /** The reader's cursor. */
        after: Whole,
        /** The running hash there; with it a diverged log is noticed. */
        chain: Schema.optional(Hash),
        /** Bytes that the page should not exceed, unless one entry does. */
        bytes: Schema.optional(
          Whole.check(Schema.isGreaterThanOrEqualTo(1), Schema.isLessThanOrEqualTo(LIMITS.pageBytesMax)),
        ),
        /** `full` sends the reader's own entries too: after a restore of the device's store. */
        own: Schema.optional(Schema.Literals(["brief", "full"])),
      },
      success: EntryBytes,
      error: [...authorized, Conflict],
    })
      .middleware(SessionAuthorization)
      .annotate(OpenApi.Description, "The page of entries after a cursor."),
    HttpApiEndpoint.get("live", "/v1/workspaces/:workspace/live", {
      params: workspace,
      success: HttpApiSchema.Empty(101),
      error: [...anywhere, NotFound],
    }).annotate(
      OpenApi.Description,
      "Upgrades to a WebSocket; the token follows in the first frame (docs/protocol.md, Live connection).",
    ),
  )
  .annotate(OpenApi.Description, "The log of sealed entries.") {}

/** Sessions and the grants they are made from. */
export class TokensGroup extends HttpApiGroup.make("tokens")
  .add(
    HttpApiEndpoint.post("issue", "/v1/workspaces/:workspace/tokens", {
      params: workspace,
      payload: IssueRequest,
      success: Grant,
      error: authorized,
    })
      .middleware(SessionAuthorization)
      .annotate(OpenApi.Description, "Master only: grants access to another device's key."),
    HttpApiEndpoint.post("renew", "/v1/workspaces/:workspace/tokens/renew", {
      params: workspace,
      payload: RenewRequest,
      success: Session,
      error: [...anywhere, Unauthenticated, Forbidden, NotFound],
    }).annotate(OpenApi.Description, "A session for a device that proves its key, however long it was away."),
    HttpApiEndpoint.get("list", "/v1/workspaces/:workspace/tokens", {
      params: workspace,
      success: Schema.Array(Grant),
      error: authorized,
    })
      .middleware(SessionAuthorization)
      .annotate(OpenApi.Description, "Master only: every grant of the workspace."),
    HttpApiEndpoint.delete("revoke", "/v1/workspaces/:workspace/tokens/:grant", {
      params: { ...workspace, grant: GrantIdSchema },
      success: HttpApiSchema.NoContent,
      error: authorized,
    })
      .middleware(SessionAuthorization)
      .annotate(OpenApi.Description, "Master only: withdraws a grant; its sessions end at once."),
  )
  .annotate(OpenApi.Description, "Sessions, and the grants from which they are made.") {}

/** Access links. */
export class LinksGroup extends HttpApiGroup.make("links")
  .add(
    HttpApiEndpoint.post("createLink", "/v1/workspaces/:workspace/links", {
      params: workspace,
      payload: CreateLinkRequest,
      success: LinkState,
      error: [...authorized, Conflict],
    })
      .middleware(SessionAuthorization)
      .annotate(OpenApi.Description, "Master only: lets the server honour a link. Idempotent."),
    HttpApiEndpoint.get("listLinks", "/v1/workspaces/:workspace/links", {
      params: workspace,
      success: Schema.Array(LinkState),
      error: authorized,
    })
      .middleware(SessionAuthorization)
      .annotate(OpenApi.Description, "Master only: every link of the workspace."),
    HttpApiEndpoint.get("describeLink", "/v1/workspaces/:workspace/links/:link", {
      params: { ...workspace, link: LinkId },
      success: LinkDescription,
      error: [...anywhere, NotFound],
    }).annotate(
      OpenApi.Description,
      "For whoever knows a link's id, before joining: whether it works, and the sealed name that its secret opens.",
    ),
    HttpApiEndpoint.post("openLink", "/v1/workspaces/:workspace/links/:link/open", {
      params: { ...workspace, link: LinkId },
      payload: OpenLinkRequest,
      success: Session,
      error: [...anywhere, Unauthenticated, Forbidden, NotFound, Gone],
    }).annotate(OpenApi.Description, "Lets a device in that holds the link's secret. Idempotent for one device."),
    HttpApiEndpoint.delete("revokeLink", "/v1/workspaces/:workspace/links/:link", {
      params: { ...workspace, link: LinkId },
      success: HttpApiSchema.NoContent,
      error: authorized,
    })
      .middleware(SessionAuthorization)
      .annotate(OpenApi.Description, "Master only: the link lets nobody in any more."),
  )
  .annotate(OpenApi.Description, "Access links.") {}

/** Sealed attachment chunks, stored by the hash of their sealed form. */
export class ChunksGroup extends HttpApiGroup.make("chunks")
  .add(
    HttpApiEndpoint.put("putChunk", "/v1/workspaces/:workspace/chunks/:hash", {
      params: { ...workspace, hash: Hash },
      payload: ChunkBytes,
      success: ChunkState,
      error: [...authorized, Conflict, TooLarge, UnsupportedMediaType, QuotaExceeded],
    }).annotate(OpenApi.Description, "Stores a sealed chunk. Idempotent."),
    HttpApiEndpoint.head("headChunk", "/v1/workspaces/:workspace/chunks/:hash", {
      params: { ...workspace, hash: Hash },
      success: HttpApiSchema.NoContent,
      error: authorized,
    }).annotate(OpenApi.Description, "204 where the chunk is stored."),
    HttpApiEndpoint.get("getChunk", "/v1/workspaces/:workspace/chunks/:hash", {
      params: { ...workspace, hash: Hash },
      success: ChunkBytes,
      error: authorized,
    }).annotate(OpenApi.Description, "The sealed bytes."),
  )
  .middleware(SessionAuthorization)
  .annotate(OpenApi.Description, "Sealed attachment chunks.") {}

/** Version 1 of Cairn's HTTP API. */
export class CairnApi extends HttpApi.make("cairn")
  .add(SystemGroup)
  .add(WorkspacesGroup)
  .add(EntriesGroup)
  .add(TokensGroup)
  .add(LinksGroup)
  .add(ChunksGroup)
  .annotateMerge(
    OpenApi.annotations({
      title: "Cairn",
      version: "1",
      description: "Local-first sync that cannot read your data. Entries and attachments are sealed by the devices.",
      license: { name: "MIT" },
    }),
  ) {}
