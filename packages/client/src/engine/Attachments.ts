/** Attachment chunks: sealed here, kept here until the server has them, fetched and verified when they are read. */
import { ContentTooLarge, EpochKeyMissing, openChunk, SealBroken, sealChunk } from "@cairn/crypto";
import type { Hash } from "@cairn/protocol";
import { Effect } from "effect";
import type { AttachmentInfo } from "../workspace-api.ts";
import { CairnError } from "../errors.ts";
import type { LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import type { ServerCalls } from "../transport/Transport.ts";
import type { ChunkLocation } from "./EngineApi.ts";
import type { SessionKeeper } from "./Session.ts";
import type { WorkspaceContext } from "./WorkspaceContext.ts";
import type { WorkspaceRuntime } from "./WorkspaceRuntime.ts";

/** One attachment, where no server has said otherwise: 2 GiB less what its references need. */
const DEFAULT_ATTACHMENT_BYTES = 1024 * 1024 * 1024;

export interface Remote {
  readonly calls: ServerCalls;
  readonly sessions: SessionKeeper;
}

/** The workspace's server, where it has one. */
export const remoteOf = ({ context, driver }: WorkspaceRuntime): Remote | undefined => {
  const { server } = context.record;
  return server === undefined ? undefined : driver.sessions(server);
};

/** Seals a chunk and keeps it; equal content of one epoch is kept once. */
export const storeChunk = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  context: WorkspaceContext,
  content: Uint8Array,
): Effect.fn.Return<ChunkLocation, StoreFailure | CairnError> {
  const { reference, sealed } = yield* Effect.tryPromise({
    try: () => sealChunk(context.keyring, context.keyring.newest, content),
    catch: (error) => new CairnError(error instanceof ContentTooLarge ? "attachment-too-large" : "internal"),
  });
  yield* store.putChunks([
    { workspace: context.workspace, hash: reference.sealedHash, bytes: sealed, uploaded: false },
  ]);
  return reference;
});

/** A chunk's plain bytes, from here or from the server. What comes from the server is kept once it is verified. */
export const loadChunk = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  context: WorkspaceContext,
  remote: Remote | undefined,
  location: ChunkLocation,
): Effect.fn.Return<Uint8Array, StoreFailure | CairnError> {
  const open = (sealed: Uint8Array) =>
    Effect.tryPromise({
      try: () => openChunk(context.keyring, location, sealed),
      catch: (error) =>
        new CairnError(
          error instanceof SealBroken || error instanceof EpochKeyMissing ? "attachment-damaged" : "internal",
        ),
    });
  const kept = yield* store.chunk(context.workspace, location.sealedHash);
  if (kept !== undefined) return yield* open(kept.bytes);
  if (remote === undefined) return yield* Effect.fail(new CairnError("attachment-unavailable"));
  const sealed = yield* remote.sessions.current.pipe(
    Effect.flatMap(({ token }) => remote.calls.getChunk(context.workspace, token, location.sealedHash)),
    Effect.catchIf(
      (error) => error._tag !== "StoreFailure",
      () => Effect.fail(new CairnError("attachment-unavailable")),
    ),
  );
  const content = yield* open(sealed);
  yield* store.putChunks([{ workspace: context.workspace, hash: location.sealedHash, bytes: sealed, uploaded: true }]);
  return content;
});

/** Where an attachment's bytes are: on the server, only here, or not here yet. */
export const stateOf = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  context: WorkspaceContext,
  hashes: ReadonlyArray<Hash>,
): Effect.fn.Return<AttachmentInfo["state"], StoreFailure> {
  const states = yield* store.chunkStates(context.workspace, hashes);
  if (hashes.some((hash) => states.get(hash) === "local")) return "local";
  return hashes.every((hash) => states.get(hash) === "uploaded") ? "stored" : "remote";
});

/** What may be attached. Without a server, or out of its reach, the defaults hold; the server has the last word. */
export const limitsOf = Effect.fnUntraced(function* (context: WorkspaceContext, remote: Remote | undefined) {
  const unknown = { attachmentBytes: DEFAULT_ATTACHMENT_BYTES, freeBytes: undefined };
  if (remote === undefined) return unknown;
  return yield* Effect.gen(function* () {
    const { limits } = yield* remote.sessions.description;
    const { token } = yield* remote.sessions.current;
    const { usage } = yield* remote.calls.state(context.workspace, token);
    const used = usage.entriesBytes + usage.attachmentsBytes;
    return {
      attachmentBytes: limits.attachmentBytes,
      freeBytes: usage.quotaBytes === 0 ? undefined : Math.max(0, usage.quotaBytes - used),
    };
  }).pipe(
    Effect.timeout(3_000),
    Effect.orElseSucceed(() => unknown),
  );
});
