/** A lease under which nothing was ever given up. */
import { Effect } from "effect";
import type { HeldLease, PeerLeasesShape } from "../platform/PeerLeases.ts";
import type { WorkspaceContext } from "./WorkspaceContext.ts";

/**
 * The lowest free lease that is not retired, and none of those that are about to be (`leaving`). Retired ones are held as long
 * as this engine runs, so that they are passed over only once.
 */
export const leaseFresh = Effect.fnUntraced(function* (
  leases: PeerLeasesShape,
  { workspace, record }: WorkspaceContext,
  leaving: ReadonlySet<number> = new Set(),
): Effect.fn.Return<HeldLease> {
  const passedOver: Array<HeldLease> = [];
  for (;;) {
    const lease = yield* leases.acquire(workspace);
    if (record.retiredLeases?.includes(lease.lease) === true) continue;
    if (leaving.has(lease.lease)) {
      passedOver.push(lease);
      continue;
    }
    for (const { release } of passedOver) yield* release;
    return lease;
  }
});
