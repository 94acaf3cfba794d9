/**
 * Entries that the server refuses for good. The refusal is the real one: to the server's decision such an entry looks like
 * one that breaks its kind, so that locks, grants, counters, prefixes and repeated pushes are what they always are. What was
 * refused once is refused whenever the same bytes come again.
 */
import { type DeviceId, type DocumentId, type Entry, EntryKind, entryHash, type Hash } from "@cairn/protocol";
import type { EntryLog } from "@cairn/server";
import { Effect } from "effect";
import type { MemoryDatabase } from "../memory-server/index.ts";
import type { World } from "./World.ts";

type EntryLogShape = EntryLog["Service"];
type Pusher = Parameters<EntryLogShape["push"]>[0];

export class Refusals {
  readonly #world: World;
  readonly #database: MemoryDatabase;
  /** How many of a device's next entries are refused. */
  readonly #next = new Map<DeviceId, number>();
  readonly #refused = new Set<Hash>();
  readonly #counted = new Set<string>();
  /** Whether entries of this document may be refused. */
  concerns: (document: DocumentId) => boolean = () => false;

  constructor(world: World, database: MemoryDatabase) {
    this.#world = world;
    this.#database = database;
  }

  /** The next entries of a device with edits are refused. */
  refuseNext(device: DeviceId, entries: number): void {
    this.#next.set(device, entries);
  }

  /** No further entry is refused. */
  end(): void {
    this.#next.clear();
  }

  /** The log, with these refusals. */
  around(log: EntryLogShape): EntryLogShape {
    return {
      ...log,
      push: (pusher, batch) =>
        Effect.suspend(() => {
          if (this.#next.size === 0 && this.#refused.size === 0) return log.push(pusher, batch);
          const seen = batch.map((entry) => (this.#isRefused(pusher, entry) ? breaksItsKind(entry) : entry));
          return Effect.tap(log.push(pusher, seen), ({ results }) =>
            Effect.sync(() => {
              for (const { status, device, counter } of results) {
                const key = `${device}/${counter}`;
                if (status !== "refused" || this.#counted.has(key)) continue;
                if (!batch.some((entry, at) => entry !== seen[at] && entry.header.counter === counter)) continue;
                this.#counted.add(key);
                this.#world.count("fault: refused for good");
              }
            }),
          );
        }),
    };
  }

  #isRefused(pusher: Pusher, { header, bytes }: Entry): boolean {
    const hash = entryHash(bytes);
    if (this.#refused.has(hash)) return true;
    const left = this.#next.get(header.device) ?? 0;
    if (left === 0 || header.device !== pusher.device || header.kind !== EntryKind.update) return false;
    const last = this.#database.logs.get(pusher.workspace)?.devices.get(header.device)?.last ?? 0;
    if (!this.concerns(header.document) || header.counter <= last) return false;
    this.#next.set(header.device, left - 1);
    this.#refused.add(hash);
    return true;
  }
}

/** An update that pretends to cover: only snapshots may. Its bytes are the ones that were sent. */
const breaksItsKind = (entry: Entry): Entry => {
  const { device, counter } = entry.header;
  return { ...entry, header: { ...entry.header, covers: [{ device, counter }] } };
};
