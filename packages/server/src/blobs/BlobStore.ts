/** The port to sealed attachment chunks, stored by the hash of their sealed form (rule 25). */
import type { ErrorOf, GrantId, Hash, WorkspaceId } from "@cairn/protocol";
import { Context, type Effect } from "effect";

export interface BlobStoreShape {
  /** Stores a chunk once, however often it is sent; a lease keeps it until an entry refers to it. */
  readonly put: (
    uploader: { readonly workspace: WorkspaceId; readonly grant: GrantId },
    hash: Hash,
    bytes: Uint8Array,
  ) => Effect.Effect<
    { readonly hash: Hash; readonly size: number },
    ErrorOf<"chunk-mismatch" | "quota-exceeded" | "revoked" | "workspace-unknown" | "unavailable">
  >;
  /** Its size in bytes. */
  readonly head: (
    workspace: WorkspaceId,
    hash: Hash,
  ) => Effect.Effect<number, ErrorOf<"chunk-unknown" | "unavailable">>;
  readonly get: (
    workspace: WorkspaceId,
    hash: Hash,
  ) => Effect.Effect<Uint8Array, ErrorOf<"chunk-unknown" | "unavailable">>;
}

export class BlobStore extends Context.Service<BlobStore, BlobStoreShape>()("cairn/server/BlobStore") {}
