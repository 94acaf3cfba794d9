/** What is only on this device: what a person has to know before giving the device's copy up (hazard 20). */
import { EntryKind, type WorkspaceId } from "@cairn/protocol";
import { Effect } from "effect";
import type { LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import type { Unsynced } from "../sync-api.ts";
import { heldDocuments } from "./count-outbox.ts";

/** Counts edits that wait, in entries or not, parked ones included. */
export const unsyncedOf = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  workspace: WorkspaceId,
): Effect.fn.Return<Unsynced, StoreFailure> {
  const { pending, outgoing, streams } = yield* store.unacknowledged(workspace);
  const frozen = outgoing.filter(({ kind }) => kind === EntryKind.update || kind === EntryKind.snapshot);
  const held = heldDocuments(streams);
  const oldest = Math.min(...pending.map((document) => document.oldest), ...frozen.map(({ frozenAt }) => frozenAt));
  const bytes = [...pending, ...frozen].reduce((sum, part) => sum + part.bytes, 0);
  return {
    documents: new Set([...pending, ...frozen].map(({ document }) => document)).size,
    // A frozen entry holds at least one.
    edits: pending.reduce((sum, { updates }) => sum + updates, 0) + frozen.length,
    bytes,
    deadLetters: held.size,
    oldestAt: oldest === Infinity ? undefined : oldest,
  };
});
