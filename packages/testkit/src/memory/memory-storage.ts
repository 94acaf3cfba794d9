/**
 * What a local store in memory holds. Records are never changed in place, so that a copy of the storage costs no more
 * than its maps: a disk image, from which a restored or cloned profile is opened.
 */
import type {
  ChunkRecord,
  DocumentRecord,
  LogRecord,
  OutgoingRecord,
  PositionRecord,
  ProfileRecord,
  SnapshotRecord,
  StreamRecord,
  UpdateRecord,
  WorkspaceRecord,
} from "@cairn/client/effect";
import type { DeviceId, DocumentId, Hash, WorkspaceId } from "@cairn/protocol";

/** One document's row, updates and snapshot. */
export interface StoredDocument {
  record: DocumentRecord;
  /** That searches find it by. */
  words: ReadonlySet<string>;
  /** Id of its newest update, folded ones included. */
  latest: number;
  /** Id of the newest update that its row does not show. */
  unprojected: number | undefined;
  snapshot: SnapshotRecord | undefined;
  /** By id, ascending. */
  readonly updates: Map<number, UpdateRecord>;
  /** Ids of those that are pending, ascending. */
  pending: ReadonlyArray<number>;
}

export type StoredOutgoing = OutgoingRecord & { readonly device: DeviceId };

/** Everything of one workspace. */
export interface StoredWorkspace {
  record: WorkspaceRecord;
  position: PositionRecord;
  readonly documents: Map<DocumentId, StoredDocument>;
  /** By counter. */
  readonly outgoing: Map<number, StoredOutgoing>;
  readonly streams: Map<DocumentId, StreamRecord>;
  /** By author and counter. */
  readonly log: Map<DeviceId, Map<number, LogRecord>>;
  readonly heads: Map<DeviceId, number>;
}

const copyWorkspace = (stored: StoredWorkspace): StoredWorkspace => ({
  record: stored.record,
  position: stored.position,
  documents: new Map(
    [...stored.documents].map(([id, document]) => [id, { ...document, updates: new Map(document.updates) }]),
  ),
  outgoing: new Map(stored.outgoing),
  streams: new Map(stored.streams),
  log: new Map([...stored.log].map(([device, entries]) => [device, new Map(entries)])),
  heads: new Map(stored.heads),
});

/** Storage that begins empty. */
export class MemoryStorage {
  profile: ProfileRecord | undefined;
  epoch = 0;
  /** The highest update id ever given. */
  lastUpdate = 0;
  readonly workspaces = new Map<WorkspaceId, StoredWorkspace>();
  readonly chunks = new Map<WorkspaceId, Map<Hash, ChunkRecord>>();
  readonly secrets = new Map<string, unknown>();

  /** All of it as of the last commit. */
  copy(): MemoryStorage {
    const copied = new MemoryStorage();
    copied.profile = this.profile;
    copied.epoch = this.epoch;
    copied.lastUpdate = this.lastUpdate;
    for (const [id, stored] of this.workspaces) copied.workspaces.set(id, copyWorkspace(stored));
    for (const [id, chunks] of this.chunks) copied.chunks.set(id, new Map(chunks));
    for (const [name, value] of this.secrets) copied.secrets.set(name, value);
    return copied;
  }
}
