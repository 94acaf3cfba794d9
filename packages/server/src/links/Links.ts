/** The port to access links (rule 22): the server honours them, counts them and lets them expire. */
import type {
  CreateLinkRequest,
  ErrorOf,
  LinkDescription,
  LinkId,
  LinkState,
  OpenLinkRequest,
  Session,
  WorkspaceId,
} from "@cairn/protocol";
import { Context, type Effect } from "effect";

export interface LinksShape {
  /** Idempotent. */
  readonly create: (
    workspace: WorkspaceId,
    request: typeof CreateLinkRequest.Type,
  ) => Effect.Effect<LinkState, ErrorOf<"malformed" | "link-conflict" | "unavailable">>;
  readonly list: (workspace: WorkspaceId) => Effect.Effect<ReadonlyArray<LinkState>, ErrorOf<"unavailable">>;
  /** Whether a link works, and its sealed name, for whoever knows its id. */
  readonly describe: (
    workspace: WorkspaceId,
    link: LinkId,
  ) => Effect.Effect<LinkDescription, ErrorOf<"link-unknown" | "unavailable">>;
  /** Lets a device in that holds the link's secret: once counted, however often it asks. */
  readonly open: (
    workspace: WorkspaceId,
    link: LinkId,
    request: typeof OpenLinkRequest.Type,
  ) => Effect.Effect<
    Session,
    ErrorOf<"malformed" | "proof-invalid" | "revoked" | "link-unknown" | "link-revoked" | "unavailable">
  >;
  /** The link lets nobody in any more; who is in stays. */
  readonly revoke: (
    workspace: WorkspaceId,
    link: LinkId,
  ) => Effect.Effect<void, ErrorOf<"link-unknown" | "unavailable">>;
}

export class Links extends Context.Service<Links, LinksShape>()("cairn/server/Links") {}
