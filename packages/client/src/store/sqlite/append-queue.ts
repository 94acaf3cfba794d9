/**
 * Local edits on their way into the database. An edit after a pause is committed at once; those that come within a few
 * milliseconds of a commit, or while the disk is busy with one, whoever hands them over, share the next. Each caller
 * hears of its edits only when their commit is on the disk (promise 4).
 *
 * Callers wait in a plain list and are called back: an edit costs no fiber and no timer of its own.
 */
import type { WorkspaceId } from "@cairn/protocol";
import { Effect, Exit } from "effect";
import type { NewLocalUpdate } from "../store-changes.ts";
import { StoreFailure } from "../LocalStore.ts";
import { type Appendable, appendRefusal } from "../rebuilds.ts";
import { laterView, shownEdits } from "../rows/row-state.ts";
import { type SqliteDatabase, storeFailure } from "./database.ts";
import { type DocumentRows, DocumentTouches } from "./documents.ts";
import { deviceId, rebuilds, type Row } from "./rows.ts";
import { UpdateState } from "./tables.ts";

/** Edits that are committed at once at most, so that a long queue does not hold up everything else. */
const MAX_EDITS_PER_COMMIT = 4_000;

type Ids = ReadonlyArray<number>;
type Outcome = Exit.Exit<Ids, StoreFailure>;

interface Waiting {
  readonly updates: ReadonlyArray<NewLocalUpdate>;
  readonly resume: (outcome: Outcome) => void;
}

export class AppendQueue {
  readonly #database: SqliteDatabase;
  readonly #rows: DocumentRows;
  readonly #gatherMillis: number;
  readonly #insert;
  readonly #workspace;
  #waiting: Array<Waiting> = [];
  #edits = 0;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  /** When the last commit began. */
  #committedAt = -Infinity;
  #isSyncing = false;
  #closed = false;

  constructor(database: SqliteDatabase, rows: DocumentRows, gatherMillis: number) {
    this.#database = database;
    this.#rows = rows;
    this.#gatherMillis = gatherMillis;
    this.#insert = database.prepare(
      `INSERT INTO updates (id, document, type, bytes, state, time, refs) VALUES (?, ?, ?, ?, ${UpdateState.pending}, ?, ?)`,
    );
    this.#workspace = database.prepare("SELECT device, rebuilds FROM workspaces WHERE workspace = ?");
  }

  /** Completes after the commit that holds the edits. */
  append(updates: ReadonlyArray<NewLocalUpdate>): Effect.Effect<Ids, StoreFailure> {
    return Effect.callback<Ids, StoreFailure>((resume) => {
      if (this.#closed) return resume(Effect.fail(storeFailure("appendUpdates", new Error("the store is closed"))));
      this.#waiting.push({ updates, resume });
      this.#edits += updates.length;
      this.#schedule();
    });
  }

  /** Commits what waits; from now on nothing more is taken. */
  close(): void {
    this.#closed = true;
    while (this.#waiting.length > 0) this.#commitSome();
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
  }

  #schedule(): void {
    if (this.#isSyncing || this.#immediate !== undefined) return;
    const rest = this.#committedAt + this.#gatherMillis - performance.now();
    if (rest <= 0 || this.#edits >= MAX_EDITS_PER_COMMIT) {
      // Not at once: the caller is still running, may hand over more, and is to be resumed from outside of it.
      this.#immediate = setImmediate(() => this.#commitSome());
    } else {
      this.#timer ??= setTimeout(() => this.#commitSome(), rest);
    }
  }

  #commitSome(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#timer = undefined;
    this.#immediate = undefined;
    this.#committedAt = performance.now();
    let calls = 0;
    let edits = 0;
    while (calls < this.#waiting.length && edits < MAX_EDITS_PER_COMMIT) {
      edits += this.#waiting[calls]?.updates.length ?? 0;
      calls += 1;
    }
    const batch = this.#waiting.splice(0, calls);
    this.#edits -= edits;
    const outcomes = this.#commit(batch);
    this.#isSyncing = true;
    this.#database.sync((failure) => {
      this.#isSyncing = false;
      if (this.#waiting.length > 0 && !this.#closed) this.#schedule();
      const lost = failure === undefined ? undefined : Exit.fail(storeFailure("appendUpdates", failure));
      for (const [index, { resume }] of batch.entries()) resume(lost ?? outcomes[index] ?? Exit.succeed([]));
    });
  }

  #commit(batch: ReadonlyArray<Waiting>): ReadonlyArray<Outcome> {
    try {
      return this.#database.transaction(() => this.#store(batch));
    } catch (cause) {
      const failure = storeFailure("appendUpdates", cause);
      // Without room all would be refused again.
      if (batch.length === 1 || failure.reason === "full") return batch.map(() => Exit.fail(failure));
      // One caller's bad edit is no reason to refuse the others': look for it by halves.
      const middle = batch.length >> 1;
      return [...this.#commit(batch.slice(0, middle)), ...this.#commit(batch.slice(middle))];
    }
  }

  #store(batch: ReadonlyArray<Waiting>): ReadonlyArray<Outcome> {
    const touches = new DocumentTouches(this.#rows);
    const workspaces = new Map<WorkspaceId, Appendable | undefined>();
    const workspaceOf = ({ workspace }: NewLocalUpdate): Appendable | undefined => {
      if (!workspaces.has(workspace)) workspaces.set(workspace, toAppendable(this.#workspace.get(workspace)));
      return workspaces.get(workspace);
    };
    let id = this.#rows.lastUpdate();
    const outcomes = batch.map(({ updates }): Outcome => {
      const refusal = appendRefusal(updates, workspaceOf);
      if (refusal === "unknown") {
        return Exit.fail(storeFailure("appendUpdates", new Error("the workspace is not on this device")));
      }
      if (refusal !== undefined) {
        return Exit.fail(new StoreFailure({ reason: refusal, operation: "appendUpdates", cause: undefined }));
      }
      const shown = shownEdits(updates);
      return Exit.succeed(
        updates.map(({ workspace, document, type, update, time, refs, row }, index) => {
          id += 1;
          const touch = touches.of(workspace, document, type, time);
          this.#insert.run(id, touch.key, type, update, time, refs.length === 0 ? null : JSON.stringify(refs));
          if (touch.type === "") touch.type = type;
          touch.updatedAt = Math.max(touch.updatedAt, time);
          touch.latest = id;
          touch.pendingUpdates += 1;
          touch.pendingBytes += update.length;
          if (shown[index] !== true) touch.unshown = id;
          if (row !== undefined) touch.view = laterView(touch.view, row);
          return id;
        }),
      );
    });
    touches.write();
    this.#rows.setLastUpdate(id);
    return outcomes;
  }
}

const toAppendable = (row: Row | undefined): Appendable | undefined =>
  row && {
    device: deviceId(row["device"]),
    ...(row["rebuilds"] === null ? {} : { rebuilds: rebuilds(row["rebuilds"]) }),
  };
