/**
 * What a conversation with the server is made of, whether it is held over a live connection or in rounds over HTTP: take
 * a page, and drain the outbox.
 */
import type { DocumentId, Page, PushResponse, WireError } from "@cairn/protocol";
import type { Position } from "@cairn/sync";
import { Clock, Data, Duration, Effect } from "effect";
import type { CairnErrorCode } from "../errors.ts";
import type { Fence, Fenced, LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import type { OutgoingRecord } from "../store/records.ts";
import type { ServerCalls, Unreachable } from "../transport/Transport.ts";
import type { DocumentImportsShape } from "./DocumentImports.ts";
import { freezePending, missingChunks, nextBatch, settle } from "./Outbox.ts";
import { type BadPage, Cloned, Diverged, receive, type Received } from "./Receiving.ts";
import type { SessionKeeper } from "./Session.ts";
import type { SyncStatus } from "./SyncStatus.ts";
import { uploadChunks } from "./Uploads.ts";
import type { WorkspaceContext } from "./WorkspaceContext.ts";

/** Something a person has to know or decide; trying again by itself does not help. */
export class Halted extends Data.TaggedError("Halted")<{ readonly code: CairnErrorCode }> {}

/** Everything that ends a connection. */
export type ConnectionFailure = WireError | Unreachable | Diverged | BadPage | Cloned | Halted | StoreFailure | Fenced;

/** How long an entry waits for the page that says why it was sealed or signed too late. */
const MEMBERSHIP_PAUSE = Duration.millis(200);

/** Who talks about what, and who hears of it. */
export interface Conversation {
  readonly store: LocalStoreShape;
  readonly context: WorkspaceContext;
  readonly imports: DocumentImportsShape;
  readonly status: SyncStatus;
  readonly fence: Fence;
  readonly calls: ServerCalls;
  readonly sessions: SessionKeeper;
  /** Received entries were stored. */
  readonly onReceived: (documents: ReadonlySet<DocumentId>, membershipChanged: boolean) => void;
  /** The outbox changed. */
  readonly onOutbox: () => void;
  /** Chunks were acknowledged. */
  readonly onUploaded: () => void;
}

/** Where this device stands in the log. */
export const currentPosition = ({
  store,
  context,
}: Pick<Conversation, "store" | "context">): Effect.Effect<Position, StoreFailure> =>
  Effect.flatMap(store.position(context.workspace), (position) =>
    position === undefined ? Effect.die(new Error("a workspace without a position")) : Effect.succeed(position),
  );

/** Takes one page, and tells what came with it. */
export const takePage = Effect.fnUntraced(function* (
  conversation: Conversation,
  position: Position,
  page: Page,
): Effect.fn.Return<Received, ConnectionFailure> {
  const { store, context, fence, status } = conversation;
  const received = yield* receive(store, context, fence, position, page);
  if (received.unapplied.length > 0) {
    yield* Effect.logWarning("entries kept and not applied").pipe(
      Effect.annotateLogs({ workspace: context.workspace, entries: received.unapplied }),
    );
  }
  conversation.onReceived(received.documents, received.membershipChanged);
  status.setCatchingUp(received.more);
  if (!received.more) status.setSyncedAt(yield* Clock.currentTimeMillis);
  return received;
});

/** Sends what waits, until nothing does. */
export const drainOutbox = Effect.fnUntraced(function* (
  conversation: Conversation,
  push: (batch: ReadonlyArray<OutgoingRecord>) => Effect.Effect<PushResponse, WireError | Unreachable | StoreFailure>,
): Effect.fn.Return<void, ConnectionFailure> {
  const { store, context, imports, status, fence, calls, sessions } = conversation;
  for (;;) {
    yield* freezePending(store, context, imports, fence);
    const batch = yield* nextBatch(store, context);
    if (batch === undefined) return;
    const chunks = yield* missingChunks(store, context, batch);
    if (chunks.length > 0) yield* uploadChunks(store, context, calls, sessions, chunks, conversation.onUploaded);
    const response = yield* push(batch);
    const settlement = yield* settle(store, context, fence, batch, response);
    conversation.onOutbox();
    if (settlement.settled.length > 0) status.setSyncedAt(yield* Clock.currentTimeMillis);
    switch (settlement.next.type) {
      case "continue":
        status.setProblem(undefined);
        break;
      case "upload":
        yield* uploadChunks(store, context, calls, sessions, settlement.next.missing, conversation.onUploaded);
        break;
      case "quota":
        return yield* new Halted({ code: "quota-exceeded" });
      case "identity-conflict":
        return yield* new Cloned({ counter: settlement.next.counter });
      case "resupply":
        return yield* new Diverged({ cursor: (yield* currentPosition(conversation)).cursor });
      case "pull":
        // The entry was sealed or signed for an older membership; what changed it arrives as a page.
        yield* Effect.sleep(MEMBERSHIP_PAUSE);
        break;
    }
  }
});
