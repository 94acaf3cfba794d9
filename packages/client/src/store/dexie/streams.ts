/** The trouble with documents' edits: streams, what they hold back, and documents made anew. */
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import { Fenced, type LocalStoreShape } from "../LocalStore.ts";
import type { UpdateRecord } from "../records.ts";
import { isNothingLeft, withRebuild } from "../rebuilds.ts";
import { shownEdits } from "../rows/row-state.ts";
import { piecesOf } from "../streams.ts";
import { type DexieConnection, readProfile } from "./connection.ts";
import { type DocumentChange, putViews, removeDocument, touchDocuments } from "./documents.ts";
import { changeStream } from "./entries.ts";
import { requireLeader, requireThat, requireWorkspace } from "./guard.ts";
import { changePending, sumOfBytes } from "./outbox.ts";
import { type CairnDatabase, ofWorkspace, toUpdate, updatesOf, type UpdateRow } from "./tables.ts";

type StreamOperations = Pick<LocalStoreShape, "streams" | "moveStream" | "splitPending" | "rebuildDocument">;

const pendingOf = (database: CairnDatabase, workspace: WorkspaceId, document: DocumentId) =>
  database.updates.where("[workspace+document+waits]").equals([workspace, document, 1]);

/** Puts updates behind all others, under new ids. */
const add = async (database: CairnDatabase, updates: ReadonlyArray<Omit<UpdateRecord, "id">>): Promise<number> => {
  const profile = await readProfile(database);
  const rows = updates.map((update, index): UpdateRow => {
    const row = { ...update, id: profile.lastUpdate + index + 1 };
    return update.state === "pending" ? { ...row, waits: 1 } : row;
  });
  await database.updates.bulkAdd(rows);
  const lastUpdate = profile.lastUpdate + rows.length;
  await database.profile.put({ ...profile, lastUpdate });
  return lastUpdate;
};

export const streamOperations = (connection: DexieConnection): StreamOperations => {
  const { profile, workspaces, positions, documents, views, words, updates, snapshots, outgoing, streams } =
    connection.database;

  return {
    streams: (workspace) => connection.read("streams", [streams], () => ofWorkspace(streams, workspace).toArray()),

    moveStream: (workspace, document, change) =>
      connection.guarded("moveStream", [documents, updates, streams], async (database) => {
        requireThat("moveStream", (await pendingOf(database, workspace, document).count()) > 0);
        const known = await database.streams.get([workspace, document]);
        requireThat("moveStream", (known?.state ?? "PENDING") === change.transition.from);
        await changeStream(database, workspace, document, change);
      }),

    splitPending: (workspace, fence, document, id, pieces) =>
      connection.guarded("splitPending", [profile, documents, updates], async (database) => {
        await requireLeader(database, "splitPending", fence);
        const waiting = (await pendingOf(database, workspace, document).toArray()).filter((row) => row.id >= id);
        const [split, ...later] = waiting;
        if (split?.id !== id) throw new Fenced({ operation: "splitPending" });
        await database.updates.bulkDelete(waiting.map((row) => row.id));
        const moved = [...piecesOf(toUpdate(split), pieces), ...later.map(toUpdate)];
        const latest = await add(database, moved);
        const bytes = sumOfBytes(moved) - sumOfBytes(waiting);
        await changePending(database, workspace, document, moved.length - waiting.length, bytes);
        const row = await database.documents.get([workspace, document]);
        if (row !== undefined) await database.documents.put({ ...row, latest });
      }),

    rebuildDocument: ({ workspace, document, device, discarded, pending, through, acknowledged, edits, row, retire }) =>
      connection.guarded(
        "rebuildDocument",
        [profile, workspaces, positions, documents, views, words, updates, snapshots, outgoing, streams],
        async (database) => {
          const { record } = await requireWorkspace(database, "rebuildDocument", workspace);
          requireThat("rebuildDocument", record.device === device);
          const stream = await database.streams.get([workspace, document]);
          const before = await database.documents.get([workspace, document]);
          if (before === undefined || stream?.state !== discarded.from) {
            throw new Fenced({ operation: "rebuildDocument" });
          }
          const entries = await ofWorkspace(database.outgoing, workspace).toArray();
          requireThat("rebuildDocument", !entries.some((entry) => entry.document === document));
          const waiting = await pendingOf(database, workspace, document).primaryKeys();
          requireThat(
            "rebuildDocument",
            waiting.length === pending.length && waiting.every((id, index) => id === pending[index]),
          );
          // What was received since is not among what is put in its place.
          const snapshot = await database.snapshots.get([workspace, document]);
          const ids = await updatesOf(database, workspace, document).primaryKeys();
          requireThat("rebuildDocument", (snapshot?.through ?? 0) <= through && ids.every((id) => id <= through));
          await updatesOf(database, workspace, document).delete();
          await database.snapshots.delete([workspace, document]);
          await database.streams.delete([workspace, document]);
          const latest = await add(
            database,
            acknowledged.map(({ own, ...update }) => ({
              ...update,
              workspace,
              state: own ? "frozen" : "received",
              refs: [],
            })),
          );
          const { pendingUpdates: _, unprojected: __, ...rest } = before;
          const unprojected = row.projection === undefined ? { unprojected: latest } : {};
          if (isNothingLeft({ document, acknowledged, edits })) await removeDocument(database, workspace, document);
          else await putViews(database, [[{ ...rest, pendingBytes: 0, merging: false, latest, ...unprojected }, row]]);
          await addEdits(database, edits);
          const retiredLeases = [...new Set([...(record.retiredLeases ?? []), ...retire])];
          await database.workspaces.put({
            ...record,
            ...(retiredLeases.length === 0 ? {} : { retiredLeases }),
            rebuilds: withRebuild(record.rebuilds, document),
          });
        },
      ),
  };
};

/** As `appendUpdates` does. */
const addEdits = async (
  database: CairnDatabase,
  edits: Parameters<LocalStoreShape["appendUpdates"]>[0],
): Promise<void> => {
  const shown = shownEdits(edits);
  for (const [index, { row: view, rebuilds: _, ...edit }] of edits.entries()) {
    const id = await add(database, [{ ...edit, state: "pending", device: undefined, counter: undefined }]);
    const { workspace, document, type, time, update } = edit;
    const pendingBytes = update.length;
    const isShown = shown[index] === true;
    const change: DocumentChange = { workspace, document, type, time, id, pendingBytes, shown: isShown, view };
    await touchDocuments(database, [change]);
  }
};
