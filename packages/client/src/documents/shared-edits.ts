/** Own edits that others have made anew: copies of a store know an edit by its first form (decision 21). */
import type { Hash } from "@cairn/protocol";
import type { OpId, PeerID } from "loro-crdt";

/** An entry with edits that its author has made anew. */
export interface EditsMadeAnew {
  readonly updates: ReadonlyArray<Uint8Array>;
  /** The author's peer for that. An edit is there when the operations with counters below `end` are. */
  readonly peer: PeerID;
  readonly edits: ReadonlyArray<{ readonly firstForm: Hash; readonly end: number }>;
}

/** Where the edits are that others have made anew: the last operation of each. */
export type Places = ReadonlyMap<Hash, OpId>;

export const placesOf = (madeAnew: ReadonlyArray<EditsMadeAnew>): Places => {
  const places = new Map<Hash, OpId>();
  for (const { peer, edits } of madeAnew) {
    for (const { firstForm, end } of edits) {
      if (!places.has(firstForm)) places.set(firstForm, { peer, counter: end - 1 });
    }
  }
  return places;
};

export interface Shared {
  /** Of the own edit. All earlier ones are there with it. */
  readonly index: number;
  /** The last operation of what was made of it. */
  readonly at: OpId;
}

/**
 * The newest own edit that others have made anew with all that come before it, from `begin` on.
 *
 * That one edit is there does not say so by itself: an update has no content of what it builds on, so that who typed another first
 * letter has the same update for every letter behind it. Either all are named, or `isSame` has to say that the document looks alike.
 */
export const newestShared = (
  own: ReadonlyArray<{ readonly firstForm: Hash }>,
  begin: number,
  places: Places,
  isSame: (shared: Shared) => boolean,
): Shared | undefined => {
  const sharedAt = (index: number): Shared | undefined => {
    const edit = index < begin ? undefined : own[index];
    const at = edit && places.get(edit.firstForm);
    return at && { index, at };
  };
  let named = begin;
  while (sharedAt(named) !== undefined) named += 1;
  const last = own.findLastIndex((_, index) => sharedAt(index) !== undefined);
  // Many edits may have been made anew as one, under the name of the last of them.
  const beyond = last < named ? undefined : sharedAt(last);
  return beyond !== undefined && isSame(beyond) ? beyond : sharedAt(named - 1);
};
