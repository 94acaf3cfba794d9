/**
 * What a conversation with the server is made of, whether it is held over a live connection or in rounds over HTTP: who
 * talks, what can end it, and taking a page. Sending is `Draining`.
 */
import type { DocumentId, ErrorCode, Page, WireError } from "@cairn/protocol";
import type { Position } from "@cairn/sync";
import { Clock, Data, Effect } from "effect";
import type { CairnErrorCode } from "../errors.ts";
import type { Fenced, StoreFailure } from "../store/LocalStore.ts";
import type { ServerCalls, Unreachable } from "../transport/Transport.ts";
import type { OutboxWork } from "./Outbox.ts";
import { type BadPage, type Cloned, type Diverged, receive, type Received } from "./Receiving.ts";
import type { Halted } from "./Halted.ts";
import { applyLateEntries } from "./LateEntries.ts";
import type { SessionKeeper } from "./Session.ts";

/** Everything that ends a connection. */
export type ConnectionFailure =
  | WireError
  | Unreachable
  | Diverged
  | BadPage
  | BatchRefused
  | Cloned
  | Halted
  | StoreFailure
  | Fenced;

/** A push was refused as a whole. */
export class BatchRefused extends Data.TaggedError("BatchRefused")<{
  readonly code: ErrorCode;
  readonly tooLarge: boolean;
}> {}

/** What holds back the outbox of a workspace, beyond the single connection. */
export interface Restraint {
  /** The workspace is full: nothing is frozen until there is room for this many bytes. */
  noRoomFor: number | undefined;
  /** Why this device may not write: nothing is sent. */
  stopped: CairnErrorCode | undefined;
  /** When either is looked at again. */
  probeAt: number | undefined;
  /** Entries of a push: halved as long as pushes are refused as a whole, so that the one to blame ends up alone. */
  batchEntries: number;
  /** Pushes in a row that the server answered without a word on what was sent. */
  nothings: number;
}

/** Who talks about what, and who hears of it. */
export interface Conversation extends OutboxWork {
  readonly calls: ServerCalls;
  readonly sessions: SessionKeeper;
  readonly restraint: Restraint;
  /** Takes what is new, where nobody else listens for it. Over a live connection it arrives by itself. */
  readonly pull?: Effect.Effect<void, ConnectionFailure> | undefined;
  /** Received entries were stored. */
  readonly onReceived: (documents: ReadonlySet<DocumentId>, membershipChanged: boolean) => void;
  /** Entries came with marks of their authors' states. */
  readonly onMarks: (marks: Received["marks"]) => void;
  /** The outbox changed. */
  readonly onOutbox: () => void;
  /** There may be something to send now that there was not when it was looked for. */
  readonly wake: () => void;
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

/** Takes what was received before and can be applied now, and tells of it. */
export const takeLateEntries = ({
  store,
  context,
  fence,
  onReceived,
}: Pick<Conversation, "store" | "context" | "fence" | "onReceived">): Effect.Effect<void, StoreFailure | Fenced> =>
  Effect.map(applyLateEntries(store, context, fence), (documents) => {
    if (documents.size > 0) onReceived(documents, false);
  });

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
  if (received.marks.size > 0) conversation.onMarks(received.marks);
  conversation.onReceived(received.documents, received.membershipChanged);
  // The chain brings keys.
  if (received.membershipChanged) yield* takeLateEntries(conversation);
  // Promise 14: a page can settle what the sender has just found under way, and passed over for it.
  if (received.settled) {
    conversation.onOutbox();
    conversation.wake();
  }
  status.setIncoming(received.more ? page.head - received.position.cursor : 0);
  if (!received.more) status.setSyncedAt(yield* Clock.currentTimeMillis);
  return received;
});
