/**
 * The tables of a profile in IndexedDB.
 *
 * As in SQLite, what is written with every edit (`documents`) stands apart from what its content decides (`views`), and a
 * chunk's state apart from its bytes, because IndexedDB replaces whole rows. An index holds only rows that have all of its
 * properties: the optional ones below are present exactly while there is something to do.
 */
import type { DeviceId, DocumentId, Hash, WorkspaceId } from "@cairn/protocol";
import { Dexie, type Table, type Transaction } from "dexie";
import type { RowState } from "../rows/row-state.ts";
import { makeRowsIndexable, makeStatesExplicit } from "./upgrades.ts";
import type {
  DocumentRecord,
  LogRecord,
  OutgoingRecord,
  PositionRecord,
  ProfileRecord,
  SnapshotRecord,
  StreamRecord,
  UpdateRecord,
  WorkspaceRecord,
} from "../records.ts";

/** The one row about the profile. */
export interface ProfileRow {
  readonly one: 1;
  /** Random, from when the database was made: one that was deleted and made anew is not taken for the same. */
  readonly made: string;
  readonly epoch: number;
  /** Highest id ever given to an update, so that none is given twice. */
  readonly lastUpdate: number;
  readonly profile: ProfileRecord | undefined;
}

export interface DocumentRow extends Omit<DocumentRecord, "fields">, RowState {
  /** Id of its newest update, folded ones included. */
  readonly latest: number;
  /** Id of the newest update that its row does not show. */
  readonly unprojected?: number;
  /** How many edits wait; not there when none does. */
  readonly pendingUpdates?: number;
  readonly pendingBytes: number;
}

export interface ViewRow {
  readonly workspace: WorkspaceId;
  readonly document: DocumentId;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Rows of version 2 and before, until they are made anew: what searches look through. */
  readonly searchText?: string;
}

/** Some of a document's words: which, depends on the words alone, so that a changed word rewrites few others. */
export interface WordsRow {
  readonly workspace: WorkspaceId;
  readonly document: DocumentId;
  readonly bucket: number;
  /** In how many buckets the document's words are. */
  readonly buckets: number;
  readonly words: ReadonlyArray<string>;
}

export interface UpdateRow extends UpdateRecord {
  /** Present while the state is `pending`. */
  readonly waits?: 1;
}

/** The entry's bytes are in the log. */
export interface OutgoingRow extends Omit<OutgoingRecord, "entry"> {
  readonly device: DeviceId;
  readonly bytes: number;
}

export interface LogRow extends LogRecord {
  /** Present while there is no `seq`. */
  readonly waits?: 1;
}

export interface HeadRow {
  readonly workspace: WorkspaceId;
  readonly device: DeviceId;
  readonly counter: number;
}

export interface ChunkRow {
  readonly workspace: WorkspaceId;
  readonly hash: Hash;
  readonly bytes: Uint8Array;
}

export interface ChunkStateRow {
  readonly workspace: WorkspaceId;
  readonly hash: Hash;
  readonly uploaded: boolean;
}

export interface SecretRow {
  readonly name: string;
  readonly value: unknown;
}

type DocumentKey = [WorkspaceId, DocumentId];
type CounterKey = [WorkspaceId, number];
type ChunkKey = [WorkspaceId, Hash];

interface TableVersion {
  /** Tables that are new or have other indexes: the primary key, and the indexes. All others stay as they are. */
  readonly stores: Readonly<Record<string, string>>;
  /** Makes what is there what this version has, in the transaction that makes its tables. */
  readonly upgrade?: (transaction: Transaction) => Promise<void>;
}

/** All versions, the first one first. What was released is not edited (decision 25). */
export const TABLE_VERSIONS: ReadonlyArray<TableVersion> = [
  {
    stores: {
      profile: "one",
      workspaces: "workspace",
      positions: "workspace",
      documents: "[workspace+document], [workspace+type], [workspace+unprojected], [workspace+pendingUpdates]",
      views: "[workspace+document]",
      updates: "id, [workspace+document+id], [workspace+document+waits]",
      snapshots: "[workspace+document]",
      outgoing: "[workspace+counter]",
      parked: "[workspace+counter]",
      log: "[workspace+device+counter], [workspace+kind+seq], [workspace+kind+waits]",
      heads: "[workspace+device]",
      chunks: "[workspace+hash]",
      chunkStates: "[workspace+hash]",
      secrets: "name",
    },
  },
  { stores: { streams: "[workspace+document]" }, upgrade: makeStatesExplicit },
  {
    stores: {
      documents:
        "[workspace+document], [workspace+type+projection], [workspace+type+unprojected], [workspace+pendingUpdates], *entries",
      words: "[workspace+document+bucket], *words",
    },
    upgrade: makeRowsIndexable,
  },
];

export class CairnDatabase extends Dexie {
  declare readonly profile: Table<ProfileRow, 1>;
  declare readonly workspaces: Table<WorkspaceRecord, WorkspaceId>;
  declare readonly positions: Table<PositionRecord, WorkspaceId>;
  declare readonly documents: Table<DocumentRow, DocumentKey>;
  declare readonly views: Table<ViewRow, DocumentKey>;
  declare readonly words: Table<WordsRow, [WorkspaceId, DocumentId, number]>;
  declare readonly updates: Table<UpdateRow, number>;
  declare readonly snapshots: Table<SnapshotRecord, DocumentKey>;
  declare readonly outgoing: Table<OutgoingRow, CounterKey>;
  declare readonly streams: Table<StreamRecord, DocumentKey>;
  declare readonly log: Table<LogRow, [WorkspaceId, DeviceId, number]>;
  declare readonly heads: Table<HeadRow, [WorkspaceId, DeviceId]>;
  declare readonly chunks: Table<ChunkRow, ChunkKey>;
  declare readonly chunkStates: Table<ChunkStateRow, ChunkKey>;
  declare readonly secrets: Table<SecretRow, string>;

  constructor(name: string) {
    // A connection that was closed stays closed: opening again by itself could make an empty database.
    super(name, { autoOpen: false, cache: "disabled", chromeTransactionDurability: "strict" });
    for (const [index, { stores, upgrade }] of TABLE_VERSIONS.entries()) {
      const version = this.version(index + 1).stores(stores);
      if (upgrade !== undefined) version.upgrade(upgrade);
    }
    this.on("populate", (transaction) => {
      const row: ProfileRow = { one: 1, made: crypto.randomUUID(), epoch: 0, lastUpdate: 0, profile: undefined };
      return transaction.table("profile").add(row);
    });
  }
}

/** The rows of a workspace, by an index that begins with it; by default the primary key. */
export const ofWorkspace = <Row, Key>(table: Table<Row, Key>, workspace: WorkspaceId, index = ":id") =>
  table.where(index).between([workspace, Dexie.minKey], [workspace, Dexie.maxKey]);

/** The updates of a document with higher ids, ascending. */
export const updatesOf = (database: CairnDatabase, workspace: WorkspaceId, document: DocumentId, afterId = 0) =>
  database.updates
    .where("[workspace+document+id]")
    .between([workspace, document, afterId], [workspace, document, Dexie.maxKey], false);

/** An update as the port shows it. */
export const toUpdate = ({ waits: _, ...update }: UpdateRow): UpdateRecord => update;
