/**
 * What a local store means, in the simplest form: lists in memory, searched from end to end. The contract suite compares
 * real stores with it after random sequences of operations.
 */
import { type StreamChange, type StreamRecord, isRemarkable, nextStream, storedState } from "@cairn/client/effect";
import type {
  DocumentRecord,
  DocumentView,
  LogRecord,
  NewLocalUpdate,
  NewOutgoing,
  OutgoingMove,
  OutgoingRecord,
  PositionRecord,
  Receipt,
  SnapshotRecord,
  UpdateRecord,
  WorkspaceRecord,
} from "@cairn/client/effect";
import type { DeviceId, DocumentId, WorkspaceId } from "@cairn/protocol";

/** What a write did. */
export type Outcome = "done" | "fenced" | "unavailable";

interface ModelDocument {
  record: DocumentRecord;
  latest: number;
  unprojected: number | undefined;
  snapshot: SnapshotRecord | undefined;
}

/** What the view knows takes the place of what the row shows. */
const show = (found: ModelDocument, { deleted, createdAt, projection }: DocumentView): void => {
  found.record = { ...found.record, deleted, createdAt };
  if (projection === undefined) return;
  found.record = { ...found.record, fields: projection.fields, projection: projection.fingerprint };
};

export class LocalStoreModel {
  epoch = 0;
  lastUpdate = 0;
  readonly workspaces: Array<WorkspaceRecord> = [];
  readonly positions = new Map<WorkspaceId, PositionRecord>();
  readonly documents: Array<ModelDocument> = [];
  updates: Array<UpdateRecord> = [];
  outgoing: Array<OutgoingRecord & { readonly device: DeviceId }> = [];
  streams: Array<StreamRecord> = [];
  log: Array<LogRecord> = [];

  find(workspace: WorkspaceId, document: DocumentId): ModelDocument | undefined {
    return this.documents.find(({ record }) => record.workspace === workspace && record.document === document);
  }

  pending(workspace: WorkspaceId, document?: DocumentId): Array<UpdateRecord> {
    return this.updates.filter(
      (update) =>
        update.workspace === workspace &&
        update.state === "pending" &&
        (document === undefined || update.document === document),
    );
  }

  #touch(
    workspace: WorkspaceId,
    update: Pick<NewLocalUpdate, "document" | "type" | "time">,
    id: number,
    shown: boolean,
    view: DocumentView | undefined,
  ): void {
    let found = this.find(workspace, update.document);
    if (found === undefined) {
      found = {
        record: {
          workspace,
          document: update.document,
          type: update.type,
          fields: {},
          projection: "",
          deleted: false,
          createdAt: update.time,
          updatedAt: update.time,
          merging: false,
        },
        latest: 0,
        unprojected: undefined,
        snapshot: undefined,
      };
      this.documents.push(found);
    }
    if (view !== undefined) show(found, view);
    found.record = {
      ...found.record,
      type: found.record.type === "" ? update.type : found.record.type,
      updatedAt: Math.max(found.record.updatedAt, update.time),
    };
    found.latest = id;
    if (!shown) found.unprojected = id;
  }

  appendUpdates(updates: ReadonlyArray<NewLocalUpdate>): ReadonlyArray<number> {
    return updates.map(({ row, ...update }, index) => {
      const id = ++this.lastUpdate;
      // The last edit of a document in one call speaks for all of them.
      const last = updates.findLast(
        ({ workspace, document }, at) => at >= index && workspace === update.workspace && document === update.document,
      );
      this.updates.push({ ...update, id, state: "pending", device: undefined, counter: undefined });
      this.#touch(update.workspace, update, id, last?.row?.projection?.searchText !== undefined, row);
      return id;
    });
  }

  freeze(workspace: WorkspaceId, fence: number, entries: ReadonlyArray<NewOutgoing>): Outcome {
    const position = this.positions.get(workspace);
    if (fence !== this.epoch || position === undefined) return "fenced";
    const fits = entries.every(
      (entry, index) =>
        entry.counter === position.nextCounter + index &&
        entry.updates.every((id) => this.pending(workspace, entry.document).some((update) => update.id === id)),
    );
    if (!fits) return "fenced";
    for (const { device, updates, frozen, ...entry } of entries) {
      this.outgoing.push({ ...entry, workspace, device, state: storedState(frozen), attempts: frozen.attempts });
      const { counter, kind, document, hash, entry: bytes } = entry;
      this.log.push({ workspace, device, counter, seq: undefined, kind, document, hash, entry: bytes });
      this.updates = this.updates.map((update) =>
        updates.includes(update.id) ? { ...update, state: "frozen", device, counter } : update,
      );
    }
    this.positions.set(workspace, { ...position, nextCounter: position.nextCounter + entries.length });
    return "done";
  }

  settle(
    workspace: WorkspaceId,
    fence: number,
    settled: ReadonlyArray<{ readonly counter: number; readonly seq: number | undefined }>,
    at: number,
  ): Outcome {
    const position = this.positions.get(workspace);
    const device = this.workspaces.find((known) => known.workspace === workspace)?.device;
    if (fence !== this.epoch || position === undefined) return "fenced";
    for (const { counter, seq } of settled) {
      const known = this.outgoing.find((entry) => entry.workspace === workspace && entry.counter === counter);
      this.streams = this.streams.filter(
        (stream) =>
          stream.workspace !== workspace || stream.document !== known?.document || stream.state === "DEAD_LETTER",
      );
      this.outgoing = this.outgoing.filter((entry) => entry.workspace !== workspace || entry.counter !== counter);
      if (seq === undefined) continue;
      this.log = this.log.map((entry) =>
        entry.workspace === workspace && entry.device === device && entry.counter === counter
          ? { ...entry, seq }
          : entry,
      );
    }
    this.positions.set(workspace, { ...position, lastSyncedAt: at });
    return "done";
  }

  stream(workspace: WorkspaceId, document: DocumentId): StreamRecord | undefined {
    return this.streams.find((stream) => stream.workspace === workspace && stream.document === document);
  }

  #changeStream(workspace: WorkspaceId, document: DocumentId, change: StreamChange): void {
    const known = this.stream(workspace, document);
    const next = nextStream(workspace, document, known, change);
    this.streams = [...this.streams.filter((stream) => stream !== known), next];
  }

  moveOutgoing(workspace: WorkspaceId, fence: number, moves: ReadonlyArray<OutgoingMove>): Outcome {
    if (fence !== this.epoch || !this.positions.has(workspace)) return "fenced";
    for (const change of moves) {
      const { counter, transition } = change;
      const index = this.outgoing.findIndex((entry) => entry.workspace === workspace && entry.counter === counter);
      const known = this.outgoing[index];
      if (known?.state !== transition.from) continue;
      this.outgoing[index] = { ...known, state: storedState(transition), attempts: transition.attempts };
      if (isRemarkable(transition)) this.#changeStream(workspace, known.document, change);
    }
    return "done";
  }

  moveStream(workspace: WorkspaceId, document: DocumentId, change: StreamChange): Outcome {
    if (this.pending(workspace, document).length === 0) return "fenced";
    if ((this.stream(workspace, document)?.state ?? "PENDING") !== change.transition.from) return "fenced";
    this.#changeStream(workspace, document, change);
    return "done";
  }

  splitPending(
    workspace: WorkspaceId,
    fence: number,
    document: DocumentId,
    id: number,
    pieces: ReadonlyArray<Uint8Array>,
  ): Outcome {
    if (fence !== this.epoch) return "fenced";
    const [split, ...later] = this.pending(workspace, document).filter((update) => update.id >= id);
    const found = this.find(workspace, document);
    if (split?.id !== id || found === undefined) return "fenced";
    this.updates = this.updates.filter((update) => update !== split && !later.includes(update));
    const moved = [
      ...pieces.map((update, index) => ({ ...split, update, refs: index === 0 ? split.refs : [] })),
      ...later,
    ];
    for (const update of moved) this.updates.push({ ...update, id: ++this.lastUpdate });
    found.latest = this.lastUpdate;
    return "done";
  }

  replaceOutgoing(
    workspace: WorkspaceId,
    fence: number,
    replacement: Omit<NewOutgoing, "updates">,
    change: StreamChange,
  ): Outcome {
    const { counter, kind, document, hash, entry: bytes } = replacement;
    const refused = this.outgoing.find((entry) => entry.workspace === workspace && entry.counter === counter);
    if (fence !== this.epoch || refused?.state !== change.transition.from) return "fenced";
    const index = this.outgoing.indexOf(refused);
    const { frozen, ...kept } = replacement;
    this.outgoing[index] = { ...kept, workspace, state: storedState(frozen), attempts: frozen.attempts };
    this.log = this.log.map((entry) =>
      entry.workspace === workspace && entry.device === refused.device && entry.counter === counter
        ? { ...entry, kind, document, hash, entry: bytes }
        : entry,
    );
    const requeued = this.updates.filter(
      (update) =>
        update.workspace === workspace &&
        update.document === refused.document &&
        update.state === "frozen" &&
        update.device === refused.device &&
        update.counter === counter,
    );
    this.updates = this.updates.map((update) =>
      requeued.includes(update) ? { ...update, state: "pending", device: undefined, counter: undefined } : update,
    );
    if (this.find(workspace, refused.document) === undefined) return "done";
    const through = Math.max(0, ...requeued.map(({ id }) => id));
    this.#changeStream(workspace, refused.document, { ...change, counter, through });
    return "done";
  }

  receive(receipt: Receipt): Outcome {
    const { workspace, fence, from, cursor, chain, entries, updates, settled, at } = receipt;
    const position = this.positions.get(workspace);
    if (fence !== this.epoch || position === undefined || position.cursor !== from) return "fenced";
    const known = new Set<string>();
    for (const entry of entries) {
      const index = this.log.findIndex(
        (stored) =>
          stored.workspace === workspace && stored.device === entry.device && stored.counter === entry.counter,
      );
      const stored = this.log[index];
      if (stored === undefined) {
        this.log.push({ ...entry, workspace });
      } else {
        this.log[index] = { ...stored, seq: entry.seq ?? stored.seq };
        known.add(`${entry.device}/${entry.counter}`);
      }
    }
    for (const update of updates) {
      if (known.has(`${update.device}/${update.counter}`)) continue;
      const id = ++this.lastUpdate;
      this.updates.push({ ...update, id, workspace, state: "received", refs: [] });
      this.#touch(workspace, update, id, false, undefined);
    }
    this.settle(workspace, fence, settled, at);
    this.positions.set(workspace, { ...position, cursor, chain, lastSyncedAt: at });
    return "done";
  }

  putProjection(
    workspace: WorkspaceId,
    document: DocumentId,
    through: number,
    view: DocumentView | undefined,
  ): Outcome {
    const found = this.find(workspace, document);
    if (found === undefined) return "done";
    if (view === undefined) {
      found.record = { ...found.record, merging: true };
    } else {
      show(found, view);
      found.record = { ...found.record, merging: false };
      const behind = found.latest > through || view.projection === undefined;
      found.unprojected = behind ? found.latest : undefined;
    }
    return "done";
  }

  fold(snapshot: SnapshotRecord, replaced: ReadonlyArray<number>): Outcome {
    const { workspace, document, through } = snapshot;
    const found = this.find(workspace, document);
    if (found === undefined || (found.snapshot !== undefined && found.snapshot.through > through)) return "fenced";
    const within = replaced.filter((id) => id <= through);
    const ids = this.updates.flatMap((update) =>
      update.workspace === workspace && update.document === document ? [update.id] : [],
    );
    if (within.length === 0 ? found.snapshot === undefined : !within.every((id) => ids.includes(id))) return "fenced";
    found.snapshot = snapshot;
    const mayBeSentAgain = (counter: number | undefined) =>
      this.outgoing.some((entry) => entry.workspace === workspace && entry.counter === counter);
    this.updates = this.updates.filter(
      (update) =>
        update.workspace !== workspace ||
        update.document !== document ||
        update.id > through ||
        !replaced.includes(update.id) ||
        update.state === "pending" ||
        (update.state === "frozen" && mayBeSentAgain(update.counter)),
    );
    return "done";
  }

  removeWorkspace(workspace: WorkspaceId): Outcome {
    const elsewhere = (record: { readonly workspace: WorkspaceId }) => record.workspace !== workspace;
    this.workspaces.splice(0, Infinity, ...this.workspaces.filter(elsewhere));
    this.documents.splice(0, Infinity, ...this.documents.filter(({ record }) => elsewhere(record)));
    this.streams = this.streams.filter(elsewhere);
    this.updates = this.updates.filter(elsewhere);
    this.outgoing = this.outgoing.filter(elsewhere);
    this.log = this.log.filter(elsewhere);
    this.positions.delete(workspace);
    return "done";
  }
}
