/** Chunks go to the server before the entries that refer to them (rule 25). An acknowledged chunk is never sent again. */
import type { Hash } from "@cairn/protocol";
import { Effect } from "effect";
import type { LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import type { ServerCalls, TransportFailure } from "../transport/Transport.ts";
import type { SessionKeeper } from "./Session.ts";
import type { WorkspaceContext } from "./WorkspaceContext.ts";

/** Uploads these chunks, one after the other, and remembers each acknowledgement at once. */
export const uploadChunks = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  context: WorkspaceContext,
  calls: ServerCalls,
  sessions: SessionKeeper,
  hashes: ReadonlyArray<Hash>,
  uploaded: () => void,
): Effect.fn.Return<void, TransportFailure | StoreFailure> {
  for (const hash of hashes) {
    const chunk = yield* store.chunk(context.workspace, hash);
    if (chunk === undefined) continue;
    const session = yield* sessions.current;
    // Once the answer is here it is remembered, even where the engine is being stopped.
    yield* Effect.uninterruptibleMask((restore) =>
      restore(calls.putChunk(context.workspace, session.token, hash, chunk.bytes)).pipe(
        Effect.andThen(store.markUploaded(context.workspace, hash)),
      ),
    );
    uploaded();
  }
});
