/**
 * What one live connection still has to get, and how much of it may be under way. Pure bookkeeping, no I/O.
 *
 * Commits that follow directly on what was sent are kept and sent from memory; whatever does not fit is left to the next
 * pull from the log. So a subscriber that is slow, or far behind, costs a bounded amount of memory and hurts nobody
 * else (hazards 5 and 11).
 */
import { encodeFrame, encodePage, type DeviceId, LIVE_WINDOW_BYTES, type PageItem } from "@cairn/protocol";
import type { Committed } from "../fan-out/FanOut.ts";

/** Bytes of commits that one connection keeps for sending. The bytes themselves are shared with other connections. */
const MAX_KEPT_BYTES = 1024 * 1024;

const sizeOf = (commit: Committed): number => commit.entries.reduce((sum, { bytes }) => sum + bytes.length, 0);

export class PageWindow {
  /** Up to where pages were sent. */
  sent: number;
  #head: number;
  #kept: Array<Committed> = [];
  #keptBytes = 0;
  /** Pages that were sent and not yet confirmed. */
  readonly #underWay: Array<{ readonly until: number; readonly bytes: number; readonly sentAt: number }> = [];
  #underWayBytes = 0;

  constructor(cursor: number, head: number) {
    this.sent = cursor;
    this.#head = head;
  }

  /** Bytes that may be sent now; nothing where there is nothing to send. */
  get room(): number {
    return this.sent < this.#head ? Math.max(0, LIVE_WINDOW_BYTES - this.#underWayBytes) : 0;
  }

  /** Takes note of where the log ends. */
  reach(head: number): void {
    this.#head = Math.max(this.#head, head);
  }

  /** Takes note of a commit. */
  offer(commit: Committed): void {
    if (commit.until <= this.#head) return;
    this.#head = commit.until;
    const bytes = sizeOf(commit);
    const follows = commit.after === (this.#kept.at(-1)?.until ?? this.sent);
    if (follows && this.#keptBytes + bytes <= MAX_KEPT_BYTES) {
      this.#kept.push(commit);
      this.#keptBytes += bytes;
    } else {
      this.#forget();
    }
  }

  /** The kept commits that follow on what was sent, or undefined where a pull has to fill in. */
  take(): ReadonlyArray<Committed> | undefined {
    const [first] = this.#kept;
    if (first === undefined || first.after !== this.sent) {
      this.#forget();
      return undefined;
    }
    const taken = this.#kept;
    this.#kept = [];
    this.#keptBytes = 0;
    return taken;
  }

  #forget(): void {
    this.#kept = [];
    this.#keptBytes = 0;
  }

  /** When the oldest page was sent that is not confirmed yet. */
  get waitingSince(): number | undefined {
    return this.#underWay[0]?.sentAt;
  }

  /** Takes note of a page that goes out, at this time in milliseconds. */
  sending(until: number, bytes: number, sentAt: number): void {
    this.sent = until;
    this.#head = Math.max(this.#head, until);
    this.#underWay.push({ until, bytes, sentAt });
    this.#underWayBytes += bytes;
  }

  /** Takes note of what the client confirmed. False where it confirms what it was never sent. */
  received(cursor: number): boolean {
    if (cursor > this.sent) return false;
    let [first] = this.#underWay;
    while (first !== undefined && first.until <= cursor) {
      this.#underWayBytes -= first.bytes;
      this.#underWay.shift();
      [first] = this.#underWay;
    }
    return true;
  }
}

/** Frames that many connections get alike, while their commit is of interest. */
const sharedFrames = new WeakMap<Committed, Uint8Array<ArrayBuffer>>();

/** The page frame of commits that follow on each other. `reader`'s own entries are only named. */
export const frameOfCommits = (commits: ReadonlyArray<Committed>, reader: DeviceId): Uint8Array<ArrayBuffer> => {
  const [only] = commits;
  const shareable = only !== undefined && commits.length === 1 && only.entries.every(({ device }) => device !== reader);
  if (!shareable) return encodeCommits(commits, reader);
  const known = sharedFrames.get(only);
  if (known !== undefined) return known;
  const frame = encodeCommits(commits, reader);
  sharedFrames.set(only, frame);
  return frame;
};

const encodeCommits = (commits: ReadonlyArray<Committed>, reader: DeviceId): Uint8Array<ArrayBuffer> => {
  const [first, last] = [commits[0], commits.at(-1)];
  if (first === undefined || last === undefined) throw new RangeError("a page of no commits");
  const items = commits.flatMap(({ entries }) =>
    entries.map(({ seq, device, counter, hash, bytes }): PageItem =>
      device === reader ? { type: "own", seq, device, counter, hash } : { type: "entry", seq, entry: bytes },
    ),
  );
  const { until, chain } = last;
  return encodeFrame({ type: "page", page: encodePage({ after: first.after, until, head: until, chain, items }) });
};
