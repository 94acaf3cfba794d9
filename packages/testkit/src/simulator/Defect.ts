/**
 * Deliberate defects. Each wraps a port, or stands in for a pure part of one, the way a bug in it would; the simulator has
 * to find every one of them. None of this can be reached from what ships.
 */
import type { ImporterShape, LocalStoreShape, TransportShape } from "@cairn/client/effect";
import type { EntryLog } from "@cairn/server";
import type { LoroDoc } from "loro-crdt";
import type { MemoryDatabase } from "../memory-server/index.ts";
import type { MemoryStorage } from "../memory/index.ts";
import type { NoteVersion } from "./note-schema.ts";
import type { World } from "./World.ts";

export interface Defect {
  readonly name: string;
  readonly description: string;
  readonly store?: (store: LocalStoreShape, storage: MemoryStorage, world: World) => LocalStoreShape;
  readonly transport?: (transport: TransportShape, world: World) => TransportShape;
  readonly importer?: (importer: ImporterShape, world: World) => ImporterShape;
  /** All tabs write under the first peer id. */
  readonly sharedPeer?: boolean;
  /** What a page does to a note that it has just edited, in the same commit. */
  readonly page?: (note: LoroDoc, version: NoteVersion) => void;
  readonly server?: {
    readonly withoutRowLock?: boolean;
    readonly entryLog?: (log: EntryLog["Service"], world: World, database: MemoryDatabase) => EntryLog["Service"];
  };
}
