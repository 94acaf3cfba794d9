import type { DeviceId } from "@cairn/protocol";
import type { UpdateRecord } from "./records.ts";

/** An outbox, by counter. */
export type SentEntries = Pick<ReadonlyMap<number, { readonly device: DeviceId }>, "get">;

/**
 * Whether no server has acknowledged an update. What an earlier identity of this device has sent stays stored under that one's
 * counters (rule 12), which mean other entries than those of the outbox.
 */
export const isUnacknowledged = (
  { state, device, counter }: Pick<UpdateRecord, "state" | "device" | "counter">,
  outbox: SentEntries,
): boolean =>
  state === "pending" || (state === "frozen" && counter !== undefined && outbox.get(counter)?.device === device);
