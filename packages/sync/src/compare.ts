/**
 * Comparing two logs without a common sequence: by version, the highest counter per device (rule 2 makes versions
 * contiguous). After a server came back from an older backup this says what it lacks (rule 11, Promise 13).
 */
import type { DeviceId, Hash } from "@cairn/protocol";

/** The last entry that a replica has of one author. */
export interface AuthorVersion {
  readonly device: DeviceId;
  readonly last: number;
  readonly hash: Hash | undefined;
}

export interface Comparison {
  /** Entries that only we have: to be supplied in counter order. */
  readonly supply: ReadonlyArray<{ readonly device: DeviceId; readonly from: number; readonly to: number }>;
  /** Authors of whom they have more than we: to be pulled. */
  readonly lack: ReadonlyArray<{ readonly device: DeviceId; readonly from: number; readonly to: number }>;
}

/** What we have to give, and what we miss. */
export const compareVersions = (
  ours: ReadonlyMap<DeviceId, number>,
  theirs: ReadonlyArray<Pick<AuthorVersion, "device" | "last">>,
): Comparison => {
  const theirLast = new Map(theirs.map(({ device, last }) => [device, last]));
  const supply: Array<{ device: DeviceId; from: number; to: number }> = [];
  const lack: Array<{ device: DeviceId; from: number; to: number }> = [];
  for (const [device, last] of ours) {
    const known = theirLast.get(device) ?? 0;
    if (last > known) supply.push({ device, from: known + 1, to: last });
  }
  for (const { device, last } of theirs) {
    const have = ours.get(device) ?? 0;
    if (last > have) lack.push({ device, from: have + 1, to: last });
  }
  return { supply, lack };
};

/** What the server's memory of this device says about the store at hand (rule 12). */
export type IdentityVerdict =
  /** The server knows what we know, or less, which the outbox and the log supply. */
  | "same"
  /** The server has entries of this device that this store has never made: it was cloned, or restored from a copy. */
  | "cloned";

/** Compares the server's own last of this device with the store's. `hashOf` is our entry's hash at a counter. */
export const judgeIdentity = (
  server: { readonly last: number; readonly hash: Hash | undefined },
  ours: { readonly last: number; readonly hashAt: (counter: number) => Hash | undefined },
): IdentityVerdict => {
  if (server.last > ours.last) return "cloned";
  if (server.last === 0 || server.hash === undefined) return "same";
  const hash = ours.hashAt(server.last);
  return hash === undefined || hash === server.hash ? "same" : "cloned";
};
