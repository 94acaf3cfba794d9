/** Which operations an update holds, and whether they are its author's (rule 13). */
import type { DeviceId } from "@cairn/protocol";
import { Data, Result } from "effect";
import { type OpId, type PeerID, decodeImportBlobMeta } from "loro-crdt";
import { peerBelongsTo } from "./peer-ids.ts";
import { offerUpdateRanges } from "./update-ranges-later.ts";

/** Operations of one peer with counters from `start` up to, not including, `end`. */
export interface OperationRange {
  readonly peer: PeerID;
  readonly start: number;
  readonly end: number;
}

export const isInRange = ({ peer, counter }: OpId, range: OperationRange): boolean =>
  range.peer === peer && range.start <= counter && counter < range.end;

/**
 * An update that must not be applied or sent.
 * - `malformed`: not an export of Loro, or damaged.
 * - `not-an-update`: a snapshot. It carries a state beside its operations, and nobody can check that they agree.
 * - `foreign-peer`: it has operations under a peer id that is not its author's (rule 13).
 */
export class UpdateRefused extends Data.TaggedError("UpdateRefused")<{
  readonly reason: "malformed" | "not-an-update" | "foreign-peer";
  readonly message: string;
}> {}

/**
 * The operations that are in an update, one range per peer, in the order of peer ids. Reads headers only: it costs
 * little, whatever the update holds, and says nothing of what the update depends on.
 */
export const rangesOfUpdate = (update: Uint8Array): Result.Result<ReadonlyArray<OperationRange>, UpdateRefused> => {
  try {
    const meta = decodeImportBlobMeta(update, true);
    try {
      if (meta.mode !== "update") {
        return Result.fail(
          new UpdateRefused({ reason: "not-an-update", message: `expected an update, got a ${meta.mode}` }),
        );
      }
      const starts = meta.partialStartVersionVector.toJSON();
      const ranges: Array<OperationRange> = [];
      for (const [peer, end] of meta.partialEndVersionVector.toJSON()) {
        const start = starts.get(peer) ?? 0;
        if (end > start) ranges.push({ peer, start, end });
      }
      return Result.succeed(ranges.toSorted((left, right) => (BigInt(left.peer) < BigInt(right.peer) ? -1 : 1)));
    } finally {
      meta.partialStartVersionVector.free();
      meta.partialEndVersionVector.free();
    }
  } catch (error) {
    // Loro throws strings.
    return Result.fail(new UpdateRefused({ reason: "malformed", message: String(error) }));
  }
};

/** The peers whose operations are in an update. Peers that it merely depends on are not among them. */
export const peersOfUpdate = (update: Uint8Array): Result.Result<ReadonlyArray<PeerID>, UpdateRefused> =>
  Result.map(rangesOfUpdate(update), (ranges) => ranges.map((range) => range.peer));

/** Rule 13: succeeds with an update's operations only when every one of them is its author's. */
export const operationsOf = (
  author: DeviceId,
  update: Uint8Array,
): Result.Result<ReadonlyArray<OperationRange>, UpdateRefused> =>
  Result.flatMap(rangesOfUpdate(update), (ranges) => {
    const foreign = ranges.find((range) => !peerBelongsTo(author, range.peer));
    return foreign === undefined
      ? Result.succeed(ranges)
      : Result.fail(
          new UpdateRefused({
            reason: "foreign-peer",
            message: `operations of peer ${foreign.peer} in an update by another author`,
          }),
        );
  });

/** The union of some ranges, touching ones joined, in the order of peer ids and counters. */
export const joinRanges = (ranges: Iterable<OperationRange>): ReadonlyArray<OperationRange> => {
  const sorted = [...ranges].toSorted((left, right) =>
    left.peer === right.peer ? left.start - right.start : BigInt(left.peer) < BigInt(right.peer) ? -1 : 1,
  );
  const joined: Array<OperationRange> = [];
  for (const range of sorted) {
    const last = joined.at(-1);
    if (last !== undefined && last.peer === range.peer && range.start <= last.end) {
      joined[joined.length - 1] = { ...last, end: Math.max(last.end, range.end) };
    } else joined.push(range);
  }
  return joined;
};

offerUpdateRanges({ operationsOf });
