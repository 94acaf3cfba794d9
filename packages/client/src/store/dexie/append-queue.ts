/**
 * Local edits on their way into the database. While one transaction is being synced to disk, the edits of all callers
 * gather for the next one. Each caller hears of its edits only after the transaction that holds them (promise 4).
 */
import type { WorkspaceId } from "@cairn/protocol";
import { Effect, Exit } from "effect";
import type { NewLocalUpdate } from "../store-changes.ts";
import { StoreFailure } from "../LocalStore.ts";
import { appendRefusal } from "../rebuilds.ts";
import { shownEdits } from "../rows/row-state.ts";
import { type DexieConnection, readProfile } from "./connection.ts";
import { type DocumentChange, documentTables, touchDocuments } from "./documents.ts";
import type { CairnDatabase, UpdateRow } from "./tables.ts";

/** Edits in one transaction at most, unless a single caller hands over more. */
const MAX_EDITS_PER_COMMIT = 1_000;

type Ids = ReadonlyArray<number>;
type Outcome = Exit.Exit<Ids, StoreFailure>;

interface Waiting {
  readonly updates: ReadonlyArray<NewLocalUpdate>;
  readonly resume: (outcome: Outcome) => void;
}

export class AppendQueue {
  readonly #connection: DexieConnection;
  readonly #waiting: Array<Waiting> = [];
  #committing: Promise<void> | undefined;
  #closed = false;

  constructor(connection: DexieConnection) {
    this.#connection = connection;
  }

  /** Completes after the transaction that holds the edits. */
  append(updates: ReadonlyArray<NewLocalUpdate>): Effect.Effect<Ids, StoreFailure> {
    return Effect.callback<Ids, StoreFailure>((resume) => {
      if (this.#closed) {
        resume(Effect.fail(this.#connection.failure("appendUpdates", new Error("the store is closed"))));
        return;
      }
      this.#waiting.push({ updates, resume });
      this.#committing ??= this.#commitAll();
    });
  }

  /** Takes nothing more, and waits for what it was given before. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#committing;
  }

  async #commitAll(): Promise<void> {
    // Callers of the same turn go together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      let calls = 0;
      let edits = 0;
      while (calls < this.#waiting.length && edits < MAX_EDITS_PER_COMMIT) {
        edits += this.#waiting[calls]?.updates.length ?? 0;
        calls += 1;
      }
      const batch = this.#waiting.splice(0, calls);
      const outcomes = await this.#commit(batch);
      for (const [index, { resume }] of batch.entries()) resume(outcomes[index] ?? Exit.succeed([]));
    }
    this.#committing = undefined;
  }

  async #commit(batch: ReadonlyArray<Waiting>): Promise<ReadonlyArray<Outcome>> {
    const { database } = this.#connection;
    const tables = [database.profile, database.workspaces, database.updates, ...documentTables(database)];
    try {
      return await this.#connection.transaction(tables, () => store(this.#connection, batch));
    } catch (cause) {
      const failure = this.#connection.failure("appendUpdates", cause);
      if (batch.length === 1) return [Exit.fail(failure)];
      // One caller's bad edit, or one that is too large for the room that is left, is no reason to refuse the others':
      // look for it by halves.
      const middle = batch.length >> 1;
      return [...(await this.#commit(batch.slice(0, middle))), ...(await this.#commit(batch.slice(middle)))];
    }
  }
}

/** Those of the named workspaces that are here. */
const workspacesOf = async (database: CairnDatabase, batch: ReadonlyArray<Waiting>) => {
  const named = new Set<WorkspaceId>();
  for (const { updates } of batch) for (const { workspace } of updates) named.add(workspace);
  const found = await database.workspaces.bulkGet([...named]);
  return new Map(found.flatMap((record) => (record === undefined ? [] : [[record.workspace, record] as const])));
};

const store = async (connection: DexieConnection, batch: ReadonlyArray<Waiting>): Promise<ReadonlyArray<Outcome>> => {
  const { database } = connection;
  const profile = await readProfile(database);
  const workspaces = await workspacesOf(database, batch);
  let id = profile.lastUpdate;
  const rows: Array<UpdateRow> = [];
  const changes: Array<DocumentChange> = [];
  const outcomes = batch.map(({ updates }): Outcome => {
    const refusal = appendRefusal(updates, ({ workspace }) => workspaces.get(workspace));
    if (refusal === "unknown") {
      return Exit.fail(connection.failure("appendUpdates", new Error("the workspace is not on this device")));
    }
    if (refusal !== undefined) {
      return Exit.fail(new StoreFailure({ reason: refusal, operation: "appendUpdates", cause: undefined }));
    }
    const shown = shownEdits(updates);
    return Exit.succeed(
      updates.map(({ row: view, device: _, rebuilds: __, ...edit }, index) => {
        id += 1;
        rows.push({ ...edit, id, state: "pending", device: undefined, counter: undefined, waits: 1 });
        changes.push({
          workspace: edit.workspace,
          document: edit.document,
          type: edit.type,
          time: edit.time,
          id,
          pendingBytes: edit.update.length,
          shown: shown[index] === true,
          view,
        });
        return id;
      }),
    );
  });
  await database.updates.bulkAdd(rows);
  await touchDocuments(database, changes);
  await database.profile.put({ ...profile, lastUpdate: id });
  return outcomes;
};
