import type { UpdateRecord } from "./records.ts";

/** Whether no server has acknowledged an update. `outbox`: the counters of the entries that are there. */
export const isUnacknowledged = (
  { state, counter }: Pick<UpdateRecord, "state" | "counter">,
  outbox: { readonly has: (counter: number) => boolean },
): boolean => state === "pending" || (state === "frozen" && counter !== undefined && outbox.has(counter));
