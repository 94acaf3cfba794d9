/** A device's identity gives way to its successor (rule 12). */
import { Dexie } from "dexie";
import { isUnacknowledged, type SentEntries } from "../is-unacknowledged.ts";
import { Fenced, type LocalStoreShape } from "../LocalStore.ts";
import type { RemadeDocument, Succession } from "../store-changes.ts";
import { isStreamOver } from "../streams.ts";
import { type DexieConnection, readProfile } from "./connection.ts";
import { requireLeader, requireThat, requireWorkspace } from "./guard.ts";
import { freezeEntries } from "./outbox.ts";
import { type CairnDatabase, type DocumentRow, ofWorkspace, updatesOf, type UpdateRow } from "./tables.ts";

const OPERATION = "succeed";

export const successionOperations = (connection: DexieConnection): Pick<LocalStoreShape, "succeed"> => {
  const { profile, workspaces, positions, documents, updates, snapshots, outgoing, log, heads, streams } =
    connection.database;
  const tables = [profile, workspaces, positions, documents, updates, snapshots, outgoing, log, heads, streams];
  return {
    succeed: (succession) =>
      connection.guarded(OPERATION, tables, async (database) => {
        const { workspace, fence, from, to, ahead, admission } = succession;
        await requireLeader(database, OPERATION, fence);
        const { record, position } = await requireWorkspace(database, OPERATION, workspace);
        requireThat(OPERATION, record.device === from);
        await requireAllNamed(database, succession);
        const outbox = await ofWorkspace(database.outgoing, workspace).toArray();
        const sent = new Map(outbox.map((row) => [row.counter, row]));
        for (const remade of succession.documents) await remake(database, succession, remade, sent);
        await ofWorkspace(database.outgoing, workspace).delete();
        await forgetUnacknowledged(database, succession);
        const { retiredLeases: _, ...rest } = record;
        await database.workspaces.put({ ...rest, device: to });
        await database.positions.put({ ...position, nextCounter: 1, ahead });
        await freezeEntries(database, OPERATION, workspace, [admission]);
      }),
  };
};

/** Nothing that no server has acknowledged may be passed over. */
const requireAllNamed = async (database: CairnDatabase, { workspace, documents }: Succession): Promise<void> => {
  const named = new Set(documents.map(({ document }) => document));
  const waiting = await ofWorkspace(database.documents, workspace, "[workspace+pendingUpdates]").toArray();
  requireThat(
    OPERATION,
    waiting.every(({ document }) => named.has(document)),
  );
  const sent = await ofWorkspace(database.outgoing, workspace).toArray();
  for (const { document } of sent) {
    const known = await database.documents.get([workspace, document]);
    requireThat(OPERATION, known === undefined || named.has(document));
  }
};

const remake = async (
  database: CairnDatabase,
  { workspace }: Succession,
  { document, acknowledged, unacknowledged }: RemadeDocument,
  sent: SentEntries,
): Promise<void> => {
  const before = await database.documents.get([workspace, document]);
  if (before === undefined) throw new Fenced({ operation: OPERATION });
  const rows = await updatesOf(database, workspace, document).toArray();
  const open = rows.filter((row) => isUnacknowledged(row, sent));
  const changes = new Map(unacknowledged.map((change) => [change.id, change]));
  requireThat(OPERATION, open.length === changes.size && open.every(({ id }) => changes.has(id)));
  await updatesOf(database, workspace, document).delete();
  await database.snapshots.delete([workspace, document]);

  const profile = await readProfile(database);
  const received = acknowledged.map((update, index): UpdateRow => ({
    ...update,
    id: profile.lastUpdate + index + 1,
    workspace,
    state: "received",
    refs: [],
  }));
  const waiting = open.flatMap((row): ReadonlyArray<UpdateRow> => {
    const { update, refs = [], firstForm, appliedAgain } = changes.get(row.id) ?? {};
    const anew = { state: "pending", device: undefined, counter: undefined, waits: 1 } as const;
    return update === undefined
      ? []
      : [{ ...row, update, refs, firstForm, appliedAgain, formerEdits: undefined, ...anew }];
  });
  await database.updates.bulkAdd([...received, ...waiting]);
  const lastUpdate = profile.lastUpdate + received.length + 1;
  // One more id than there are updates: the row has to be made anew even where nothing was received.
  await database.profile.put({ ...profile, lastUpdate });
  const { pendingUpdates: _, ...rest } = before;
  const row: DocumentRow = {
    ...rest,
    merging: false,
    latest: lastUpdate,
    unprojected: lastUpdate,
    pendingBytes: waiting.reduce((sum, { update }) => sum + update.length, 0),
  };
  await database.documents.put(waiting.length > 0 ? { ...row, pendingUpdates: waiting.length } : row);
  const stream = await database.streams.get([workspace, document]);
  const ids = waiting.map(({ id }) => id);
  if (stream !== undefined && isStreamOver(stream, ids)) await database.streams.delete([workspace, document]);
};

/** Own entries that no server has acknowledged leave the log: under their counters the server has others. */
const forgetUnacknowledged = async (database: CairnDatabase, { workspace, from }: Succession): Promise<void> => {
  const entries = database.log.where(":id").between([workspace, from, Dexie.minKey], [workspace, from, Dexie.maxKey]);
  await entries.filter(({ seq }) => seq === undefined).delete();
  const last = await database.log
    .where(":id")
    .between([workspace, from, Dexie.minKey], [workspace, from, Dexie.maxKey])
    .last();
  if (last === undefined) await database.heads.delete([workspace, from]);
  else await database.heads.put({ workspace, device: from, counter: last.counter });
};
