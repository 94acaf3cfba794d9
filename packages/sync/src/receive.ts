/**
 * Receiving: what a page of the log changes for a replica that stands at a position. Pure; the caller stores the outcome
 * in one transaction (hazard 14).
 */
import {
  decodeEntry,
  type DeviceId,
  type Entry,
  entryHash,
  type Hash,
  MalformedBytes,
  nextLogChain,
  type Page,
} from "@cairn/protocol";

/** Where a replica stands in a workspace's log. */
export interface Position {
  /** Everything up to here is stored; moved by contiguous receipt alone (rule 10, Promise 3). */
  readonly cursor: number;
  /** The running hash there (rule 11). */
  readonly chain: Hash;
}

/** One entry of a page, decoded. */
export interface ReceivedEntry {
  readonly seq: number;
  readonly hash: Hash;
  readonly entry: Entry;
}

/** One of the replica's own entries, which the page names without its bytes. */
export interface OwnEntry {
  readonly seq: number;
  readonly device: DeviceId;
  readonly counter: number;
  readonly hash: Hash;
}

export type PageOutcome =
  | {
      readonly type: "advanced";
      readonly position: Position;
      readonly entries: ReadonlyArray<ReceivedEntry>;
      readonly own: ReadonlyArray<OwnEntry>;
      /** More pages follow. */
      readonly more: boolean;
    }
  /** All of it is known already: a page that was sent twice. */
  | { readonly type: "known" }
  /** It begins behind the cursor: something between is missing. Pull from the cursor. */
  | { readonly type: "gap" }
  /** The running hash does not fit: another log (rule 11). */
  | { readonly type: "diverged" }
  /** An entry inside is not an entry of this format. */
  | { readonly type: "malformed"; readonly reason: string };

/**
 * What a page brings to a replica at `position`. A page that overlaps what is known is taken from the cursor on, as far
 * as its items allow: positions that no longer count can only be taken whole.
 */
export const receivePage = (position: Position, page: Page): PageOutcome => {
  if (page.after > position.cursor) return { type: "gap" };
  if (page.until < position.cursor || (page.until === position.cursor && page.after < position.cursor)) {
    return { type: "known" };
  }
  const entries: Array<ReceivedEntry> = [];
  const own: Array<OwnEntry> = [];
  let { cursor, chain } = position;
  for (const item of page.items) {
    const last = item.type === "skipped" ? item.until : item.seq;
    if (last <= position.cursor) continue;
    if (item.seq !== cursor + 1) return { type: "gap" };
    switch (item.type) {
      case "entry": {
        const hash = entryHash(item.entry);
        const decoded = tryDecode(item.entry);
        if (decoded instanceof MalformedBytes) return { type: "malformed", reason: decoded.message };
        entries.push({ seq: item.seq, hash, entry: decoded });
        chain = nextLogChain(chain, item.seq, hash);
        break;
      }
      case "own":
        own.push({ seq: item.seq, device: item.device, counter: item.counter, hash: item.hash });
        chain = nextLogChain(chain, item.seq, item.hash);
        break;
      case "skipped":
        chain = item.chain;
        break;
    }
    cursor = last;
  }
  if (chain !== page.chain) return { type: "diverged" };
  return { type: "advanced", position: { cursor, chain }, entries, own, more: page.head > cursor };
};

const tryDecode = (bytes: Uint8Array): Entry | MalformedBytes => {
  try {
    return decodeEntry(bytes);
  } catch (error) {
    if (error instanceof MalformedBytes) return error;
    throw error;
  }
};
