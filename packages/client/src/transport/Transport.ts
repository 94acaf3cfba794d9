/**
 * The port to a server: the calls of `CairnApi` and the live connection. The adapter that ships is `layerFetch`
 * (`FetchTransport.ts`), which runs in browsers, workers and Node alike.
 */
import type {
  ChallengeResponse,
  CreateLinkRequest,
  Grant,
  Hash,
  LinkDescription,
  LinkId,
  LinkState,
  LiveFrame,
  OpenLinkRequest,
  Page,
  PushResponse,
  RegisterRequest,
  RenewRequest,
  ServerDescription,
  Session,
  WireError,
  WorkspaceId,
  WorkspaceState,
} from "@cairn/protocol";
import { Context, Data, type Effect, type Queue, type Scope } from "effect";

/** No answer, or none that makes sense: not an error of the edits, and never held against them (rule 30). */
export class Unreachable extends Data.TaggedError("Unreachable")<{ readonly cause: unknown }> {}

export type TransportFailure = WireError | Unreachable;

type Call<A> = Effect.Effect<A, TransportFailure>;

/** One server, by its origin. Times are the server's. */
export interface ServerCalls {
  readonly origin: string;
  readonly describe: Call<ServerDescription>;
  readonly challenge: Call<ChallengeResponse>;
  readonly register: (workspace: WorkspaceId, request: typeof RegisterRequest.Type) => Call<Session>;
  readonly renew: (workspace: WorkspaceId, request: typeof RenewRequest.Type) => Call<Session>;
  readonly state: (workspace: WorkspaceId, token: string) => Call<WorkspaceState>;
  readonly push: (workspace: WorkspaceId, token: string, batch: Uint8Array) => Call<PushResponse>;
  readonly pull: (
    workspace: WorkspaceId,
    token: string,
    query: { readonly after: number; readonly chain?: Hash; readonly own?: "brief" | "full" },
  ) => Call<Page>;
  /** For an owner's device: who may come, and when the server last heard of them. */
  readonly listGrants: (workspace: WorkspaceId, token: string) => Call<ReadonlyArray<Grant>>;
  readonly createLink: (
    workspace: WorkspaceId,
    token: string,
    request: typeof CreateLinkRequest.Type,
  ) => Call<LinkState>;
  readonly listLinks: (workspace: WorkspaceId, token: string) => Call<ReadonlyArray<LinkState>>;
  /** What the link's maker left for those who have not joined. */
  readonly describeLink: (workspace: WorkspaceId, link: LinkId) => Call<LinkDescription>;
  readonly openLink: (workspace: WorkspaceId, link: LinkId, request: typeof OpenLinkRequest.Type) => Call<Session>;
  readonly revokeLink: (workspace: WorkspaceId, token: string, link: LinkId) => Call<void>;
  readonly putChunk: (workspace: WorkspaceId, token: string, hash: Hash, bytes: Uint8Array) => Call<void>;
  readonly hasChunk: (workspace: WorkspaceId, token: string, hash: Hash) => Call<boolean>;
  readonly getChunk: (workspace: WorkspaceId, token: string, hash: Hash) => Call<Uint8Array>;
}

/** A live connection. Its scope closes the socket. */
export interface LiveConnection {
  /** Frames in the order of arrival; ends when the connection does. */
  readonly frames: Queue.Dequeue<LiveFrame, Unreachable>;
  /** Hands a frame to the socket. Fails once the connection has ended. */
  readonly send: (frame: LiveFrame) => Effect.Effect<void, Unreachable>;
}

export interface TransportShape {
  readonly server: (origin: string) => ServerCalls;
  readonly connect: (origin: string, workspace: WorkspaceId) => Effect.Effect<LiveConnection, Unreachable, Scope.Scope>;
  /**
   * Tells when the platform believes that the network came or went, until it is called off. These are hints: they decide when
   * something is tried, never whether it works.
   */
  readonly watchNetwork: (changed: (online: boolean) => void) => () => void;
}

/** The service. */
export class Transport extends Context.Service<Transport, TransportShape>()("cairn/client/Transport") {}
