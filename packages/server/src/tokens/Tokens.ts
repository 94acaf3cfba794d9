/** The port to grants, the lasting rights of devices, and to the sessions that are made from them (rule 23). */
import type {
  ErrorOf,
  Grant,
  GrantId,
  IssueRequest,
  RegisterRequest,
  RenewRequest,
  Session,
  SessionClaims,
  WorkspaceId,
} from "@cairn/protocol";
import { Context, type Effect, type Redacted } from "effect";

export interface TokensShape {
  /** Makes a workspace known, or gives its owner access again: proven by the root key. Idempotent. */
  readonly register: (
    workspace: WorkspaceId,
    request: typeof RegisterRequest.Type,
  ) => Effect.Effect<
    Session,
    ErrorOf<"malformed" | "proof-invalid" | "registration-closed" | "workspace-conflict" | "unavailable">
  >;
  /** A session for a device that proves its key, however long it was away. */
  readonly renew: (
    workspace: WorkspaceId,
    request: typeof RenewRequest.Type,
  ) => Effect.Effect<Session, ErrorOf<"proof-invalid" | "revoked" | "grant-unknown" | "unavailable">>;
  /**
   * What a token allows in a workspace, now: signature, expiry and workspace by the token, revocation and role by the
   * grant (hazard 9).
   */
  readonly authorize: (
    token: Redacted.Redacted,
    workspace: string,
  ) => Effect.Effect<SessionClaims, ErrorOf<"token-invalid" | "revoked" | "unavailable">>;
  readonly issue: (
    workspace: WorkspaceId,
    request: typeof IssueRequest.Type,
  ) => Effect.Effect<Grant, ErrorOf<"malformed" | "revoked" | "unavailable">>;
  readonly list: (workspace: WorkspaceId) => Effect.Effect<ReadonlyArray<Grant>, ErrorOf<"unavailable">>;
  /** Withdraws a grant: its sessions end at once, on every node within a second (Promise 8). */
  readonly revoke: (
    workspace: WorkspaceId,
    grant: GrantId,
  ) => Effect.Effect<void, ErrorOf<"grant-unknown" | "unavailable">>;
  /** Those of the given grants that do not allow anything any more. */
  readonly withdrawn: (
    workspace: WorkspaceId,
    grants: ReadonlySet<GrantId>,
  ) => Effect.Effect<ReadonlySet<GrantId>, ErrorOf<"unavailable">>;
  /** Rises with every withdrawal of access, in the order of commits. */
  readonly revocationMark: Effect.Effect<bigint, ErrorOf<"unavailable">>;
}

export class Tokens extends Context.Service<Tokens, TokensShape>()("cairn/server/Tokens") {}
