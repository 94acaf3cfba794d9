/**
 * What the server's ports in memory share: the rows of a database, a lock for each workspace's row, and transactions that
 * commit in one step. It outlives the nodes that are connected to it, like a database does; a node that dies lets go of its
 * locks and commits nothing more.
 */
import {
  type DeviceId,
  type DocumentId,
  emptyLogChain,
  type Grant,
  type GrantId,
  type Hash,
  type LinkId,
  NO_MEMBERSHIP,
  type PublicKey,
  type RoleName,
  type ServerId,
  type WorkspaceId,
} from "@cairn/protocol";
import { Context, Effect } from "effect";

export interface StoredEntry {
  readonly seq: number;
  readonly device: DeviceId;
  readonly counter: number;
  readonly hash: Hash;
  readonly chain: Hash;
  readonly bytes: Uint8Array;
}

export interface StoredDevice {
  readonly device: DeviceId;
  readonly signingKey: PublicKey;
  readonly agreementKey: PublicKey | undefined;
  readonly role: RoleName;
  readonly from: number;
  readonly to: number | undefined;
  readonly admitted: boolean;
  readonly revoked: boolean;
  readonly last: number;
  readonly lastHash: Hash | undefined;
}

export interface StoredLink {
  readonly link: LinkId;
  readonly signingKey: PublicKey;
  readonly role: RoleName;
  readonly maxUses: number;
  /** Whether the server was told of it, and not the chain alone. */
  readonly honoured: boolean;
  readonly revoked: boolean;
  readonly chained: boolean;
  readonly chainUses: number;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  /** As the link's maker sent it. */
  readonly sealedName: string | undefined;
  /** The devices that came in by it, as the server counts. */
  readonly usedBy: ReadonlySet<DeviceId>;
}

/** A workspace's row and everything below it. Records are replaced, never changed. */
export interface StoredLog {
  readonly workspace: WorkspaceId;
  rootKey: PublicKey;
  head: number;
  chain: Hash;
  membershipHead: Hash;
  keyEpoch: number;
  minimumVersion: number;
  entriesBytes: number;
  attachmentsBytes: number;
  /** The entry of sequence `n` is at `n - 1`. */
  readonly entries: Array<StoredEntry>;
  readonly seqByIdentity: Map<string, number>;
  readonly devices: Map<DeviceId, StoredDevice>;
  readonly grants: Map<GrantId, Grant>;
  readonly links: Map<LinkId, StoredLink>;
  readonly chunks: Map<Hash, Uint8Array>;
  readonly purged: Set<DocumentId>;
}

export const newLog = (workspace: WorkspaceId, rootKey: PublicKey): StoredLog => ({
  workspace,
  rootKey,
  head: 0,
  chain: emptyLogChain(workspace),
  membershipHead: NO_MEMBERSHIP,
  keyEpoch: 0,
  minimumVersion: 1,
  entriesBytes: 0,
  attachmentsBytes: 0,
  entries: [],
  seqByIdentity: new Map(),
  devices: new Map(),
  grants: new Map(),
  links: new Map(),
  chunks: new Map(),
  purged: new Set(),
});

const copyLog = (log: StoredLog): StoredLog => ({
  ...log,
  entries: [...log.entries],
  seqByIdentity: new Map(log.seqByIdentity),
  devices: new Map(log.devices),
  grants: new Map(log.grants),
  links: new Map(log.links),
  chunks: new Map(log.chunks),
  purged: new Set(log.purged),
});

interface RowLock {
  holder: MemoryConnection;
  readonly waiting: Array<{ readonly connection: MemoryConnection; readonly take: () => void }>;
}

export class MemoryDatabase {
  readonly server: ServerId;
  readonly epoch: number;
  /** Rises with every withdrawal of access. */
  revocationMark = 0n;
  readonly logs = new Map<WorkspaceId, StoredLog>();
  readonly locks = new Map<WorkspaceId, RowLock>();

  constructor(server: ServerId, epoch = 1) {
    this.server = server;
    this.epoch = epoch;
  }

  /** A backup: all rows as of the last commit. */
  copy(): MemoryDatabase {
    const copied = new MemoryDatabase(this.server, this.epoch);
    copied.revocationMark = this.revocationMark;
    for (const [workspace, log] of this.logs) copied.logs.set(workspace, copyLog(log));
    return copied;
  }
}

/** Where a transaction stands when somebody may stop it. */
export type TransactionPoint = "begin" | "locked" | "decided" | "committed";

export interface MemoryConnectionOptions {
  /** Runs at each point of each transaction: what takes its time there lets others in. */
  readonly at?: (point: TransactionPoint) => Effect.Effect<void>;
  /** Whether writers of one workspace wait for each other. Anything else breaks Promise 3. */
  readonly locks?: boolean;
}

/** One node's connection. */
export class MemoryConnection {
  readonly database: MemoryDatabase;
  readonly #options: MemoryConnectionOptions;
  #open = true;

  constructor(database: MemoryDatabase, options: MemoryConnectionOptions = {}) {
    this.database = database;
    this.#options = options;
  }

  log(workspace: WorkspaceId): StoredLog | undefined {
    return this.database.logs.get(workspace);
  }

  /**
   * One transaction under the workspace's row lock. `body` looks at the rows and says what to write; all of it is written in
   * one step, or, where the body fails or the node dies before, nothing.
   */
  transaction<A, E>(
    workspace: WorkspaceId,
    body: (log: StoredLog | undefined) => Effect.Effect<{ readonly value: A; readonly write: () => void }, E>,
  ): Effect.Effect<A, E> {
    const at = (point: TransactionPoint): Effect.Effect<void> => this.#options.at?.(point) ?? Effect.void;
    const locks = this.#options.locks !== false;
    const run = Effect.gen({ self: this }, function* () {
      yield* at("begin");
      if (locks) yield* this.#lock(workspace);
      yield* at("locked");
      const { value, write } = yield* body(this.log(workspace));
      yield* at("decided");
      // A node that died commits nothing.
      if (!this.#open) return yield* Effect.never;
      write();
      if (locks) this.#unlock(workspace);
      yield* at("committed");
      return value;
    });
    return Effect.onError(run, () => Effect.sync(() => (locks ? this.#unlock(workspace) : undefined)));
  }

  /** The node has died: its transactions are rolled back. */
  close(): void {
    this.#open = false;
    for (const [workspace, lock] of this.database.locks) {
      for (let at = lock.waiting.length - 1; at >= 0; at -= 1) {
        if (lock.waiting[at]?.connection === this) lock.waiting.splice(at, 1);
      }
      if (lock.holder === this) this.#unlock(workspace);
    }
  }

  #lock(workspace: WorkspaceId): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      const lock = this.database.locks.get(workspace);
      if (lock === undefined) {
        this.database.locks.set(workspace, { holder: this, waiting: [] });
        resume(Effect.void);
        return;
      }
      const turn = { connection: this, take: () => resume(Effect.void) };
      lock.waiting.push(turn);
      return Effect.sync(() => {
        const at = lock.waiting.indexOf(turn);
        if (at >= 0) lock.waiting.splice(at, 1);
      });
    });
  }

  #unlock(workspace: WorkspaceId): void {
    const lock = this.database.locks.get(workspace);
    if (lock === undefined || lock.holder !== this) return;
    const next = lock.waiting.shift();
    if (next === undefined) {
      this.database.locks.delete(workspace);
      return;
    }
    lock.holder = next.connection;
    next.take();
  }
}

/** The node's connection, as a service of its adapters. */
export class DatabaseConnection extends Context.Service<DatabaseConnection, MemoryConnection>()(
  "cairn/testkit/DatabaseConnection",
) {}
