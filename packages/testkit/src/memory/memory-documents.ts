/** Documents in memory: touched by edits, opened, projected, folded. */
import {
  type DocumentRecord,
  type DocumentView,
  Fenced,
  type LocalStoreShape,
  type NewerUpdates,
  type UpdateRecord,
} from "@cairn/client/effect";
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import type { MemoryStorage, StoredDocument, StoredWorkspace } from "./memory-storage.ts";
import { atomically, type Run } from "./memory-transaction.ts";

/** What readers get is theirs. */
export const copyOfUpdate = (record: UpdateRecord): UpdateRecord => ({ ...record, update: record.update.slice() });

/** A view as JSON keeps it. Throws `TypeError` where it holds what JSON cannot. */
export const plainView = (view: DocumentView): DocumentView => ({
  // oxlint-disable-next-line typescript/no-unsafe-assignment -- JSON of a record is a record.
  fields: JSON.parse(JSON.stringify(view.fields)),
  searchText: view.searchText,
  deleted: view.deleted,
  createdAt: view.createdAt,
});

/** Takes note of a new update, and makes the document's row where there is none. */
export const touch = (
  stored: StoredWorkspace,
  update: UpdateRecord,
  isShown: boolean,
  view: DocumentView | undefined,
): void => {
  let found = stored.documents.get(update.document);
  if (found === undefined) {
    found = {
      record: {
        workspace: update.workspace,
        document: update.document,
        type: update.type,
        fields: {},
        searchText: "",
        deleted: false,
        createdAt: update.time,
        updatedAt: update.time,
        merging: false,
      },
      latest: 0,
      unprojected: undefined,
      snapshot: undefined,
      updates: new Map(),
      pending: [],
    };
    stored.documents.set(update.document, found);
  }
  const { type, updatedAt } = found.record;
  found.record = {
    ...found.record,
    ...view,
    type: type === "" ? update.type : type,
    updatedAt: Math.max(updatedAt, update.time),
  };
  found.latest = update.id;
  if (!isShown) found.unprojected = update.id;
  found.updates.set(update.id, update);
  if (update.state === "pending") found.pending = [...found.pending, update.id];
};

const newer = (found: StoredDocument, afterId: number): NewerUpdates => {
  const { snapshot } = found;
  const updates = [...found.updates.values()].filter(({ id }) => id > afterId).map(copyOfUpdate);
  return {
    snapshot: snapshot === undefined || snapshot.through <= afterId ? undefined : snapshot.snapshot.slice(),
    updates,
    through: Math.max(afterId, snapshot?.through ?? 0, updates.at(-1)?.id ?? 0),
  };
};

/** A snapshot cannot hold what came after it, and what may have to be sent again keeps its row (Promise 7). */
const givesWay = (stored: StoredWorkspace, { state, counter = 0 }: UpdateRecord): boolean =>
  state === "received" || (state === "frozen" && !stored.outgoing.has(counter));

type DocumentOperations = Pick<
  LocalStoreShape,
  | "openDocument"
  | "document"
  | "updatesAfter"
  | "unprojected"
  | "putProjection"
  | "fold"
  | "documentPage"
  | "documentsOfType"
>;

export const documentOperations = (storage: MemoryStorage, run: Run): DocumentOperations => {
  const find = (workspace: WorkspaceId, document: DocumentId): StoredDocument | undefined =>
    storage.workspaces.get(workspace)?.documents.get(document);
  const records = (workspace: WorkspaceId): ReadonlyArray<DocumentRecord> =>
    [...(storage.workspaces.get(workspace)?.documents.values() ?? [])].map(({ record }) => record);

  return {
    openDocument: (workspace, document) =>
      run("openDocument", () => {
        const found = find(workspace, document);
        return found === undefined ? undefined : { record: found.record, ...newer(found, 0) };
      }),

    document: (workspace, document) => run("document", () => find(workspace, document)?.record),

    updatesAfter: (workspace, document, afterId) =>
      run("updatesAfter", () => {
        const found = find(workspace, document);
        return found === undefined ? { snapshot: undefined, updates: [], through: afterId } : newer(found, afterId);
      }),

    unprojected: (workspace) =>
      run("unprojected", () =>
        [...(storage.workspaces.get(workspace)?.documents.values() ?? [])].flatMap(({ record, unprojected }) =>
          unprojected === undefined ? [] : [{ document: record.document, through: unprojected }],
        ),
      ),

    putProjection: (workspace, document, through, view) =>
      run("putProjection", () => {
        const found = find(workspace, document);
        if (found === undefined) return;
        if (view === undefined) {
          found.record = { ...found.record, merging: true };
        } else {
          found.record = { ...found.record, ...plainView(view), merging: false };
          found.unprojected = found.latest > through ? found.latest : undefined;
        }
      }),

    fold: (snapshot, replaced) =>
      atomically(run, "fold", () => {
        const stored = storage.workspaces.get(snapshot.workspace);
        const found = stored?.documents.get(snapshot.document);
        if (stored === undefined || found === undefined) throw new Fenced({ operation: "fold" });
        if (found.snapshot !== undefined && found.snapshot.through > snapshot.through) {
          throw new Fenced({ operation: "fold" });
        }
        found.snapshot = { ...snapshot, snapshot: snapshot.snapshot.slice() };
        for (const id of replaced) {
          const update = found.updates.get(id);
          if (update !== undefined && id <= snapshot.through && givesWay(stored, update)) found.updates.delete(id);
        }
      }),

    documentPage: (workspace, after, limit) =>
      run("documentPage", () =>
        records(workspace)
          .filter(({ document }) => after === undefined || document > after)
          .toSorted((left, right) => (left.document < right.document ? -1 : 1))
          .slice(0, limit),
      ),

    documentsOfType: (workspace, type) =>
      run("documentsOfType", () => records(workspace).filter((record) => record.type === type)),
  };
};
