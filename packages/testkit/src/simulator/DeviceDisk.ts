/**
 * A tab's access to its device's store: each operation is one transaction that commits at one moment, some time after it
 * was asked for and before it is answered. A tab that dies in between leaves what was committed, and nothing else.
 */
import { type Fenced, type LocalStoreShape, type NewLocalUpdate, StoreFailure } from "@cairn/client/effect";
import { Effect, Exit } from "effect";
import { makeMemoryStore, type MemoryStorage } from "../memory/index.ts";
import { watchRebuilding } from "./dead-letters.ts";
import type { Defect } from "./Defect.ts";
import type { Ledger } from "./Ledger.ts";
import type { SimulatedProcess } from "./World.ts";

/** The disk's faults, shared by all tabs of a device. */
export interface DiskState {
  full: boolean;
  /** Counts down with every operation of the device; at zero the tab at work dies there. */
  operationsUntilCrash: number | undefined;
}

/** Milliseconds to a commit, and from it to its answer. */
const COMMIT_MILLIS = 2;
const ANSWER_MILLIS = 1;
/** How often nothing comes between a commit and its answer. */
const ANSWERED_AT_ONCE = 0.75;
/** How often a full disk refuses; what is small may still fit. */
const FULL_REFUSES = 0.8;

/** What a disk without room still does. */
const READS: ReadonlySet<string> = new Set([
  "profile",
  "workspaces",
  "position",
  "pendingDocuments",
  "pendingUpdates",
  "outgoing",
  "unacknowledged",
  "outgoingHeaders",
  "streams",
  "logOf",
  "logOfKind",
  "logPage",
  "versions",
  "openDocument",
  "openDocuments",
  "document",
  "updatesAfter",
  "unprojected",
  "countUnprojected",
  "outdated",
  "documentPage",
  "documentsOfType",
  "chunk",
  "chunkStates",
  "secret",
  "removeSecret",
]);

interface Transaction {
  readonly commit: () => void;
  readonly answer: () => void;
}

type Operation<A> = Effect.Effect<A, StoreFailure | Fenced>;

export const openDisk = (
  process: SimulatedProcess,
  storage: MemoryStorage,
  disk: DiskState,
  ledger: Ledger,
  defect: Defect | undefined,
  device: number,
): LocalStoreShape => {
  const { world } = process;
  const plain = makeMemoryStore(storage);
  const store = defect?.store?.(plain, storage, world) ?? plain;
  const underWay: Array<Transaction> = [];
  let lastCommit = 0;

  process.onDeath(() => {
    // Transactions are committed in their order; how far the disk came nobody knows.
    const committed = world.random.below(underWay.length + 1);
    for (const transaction of underWay.splice(0, committed)) transaction.commit();
    underWay.length = 0;
  });

  const step = (
    operation: string,
    effect: Operation<unknown>,
    committed: (value: unknown) => void,
  ): Operation<unknown> =>
    Effect.callback<unknown, StoreFailure | Fenced>((resume) => {
      let exit: Exit.Exit<unknown, StoreFailure | Fenced> | undefined;
      const refuses = (): boolean => {
        if (!disk.full || READS.has(operation) || !world.random.chance(FULL_REFUSES)) return false;
        world.count("fault: full disk");
        exit = Exit.fail(new StoreFailure({ reason: "full", operation, cause: "simulated" }));
        return true;
      };
      const done = (value: unknown): void => {
        world.note(operation, process.id);
        committed(value);
      };
      const transaction: Transaction = {
        commit: () => {
          if (refuses()) return;
          exit = Effect.runSyncExit(effect);
          if (Exit.isSuccess(exit)) done(exit.value);
          else world.note(operation, -process.id);
        },
        answer: () => resume(exit ?? Effect.never),
      };
      const dies = (): boolean => {
        if (disk.operationsUntilCrash === undefined) return false;
        disk.operationsUntilCrash -= 1;
        if (disk.operationsUntilCrash > 0) return false;
        disk.operationsUntilCrash = undefined;
        world.count("fault: crash between two awaits");
        world.note("crash at", operation);
        process.kill();
        return true;
      };
      underWay.push(transaction);
      lastCommit = Math.max(lastCommit, world.now + world.random.unit() * COMMIT_MILLIS);
      world.after(lastCommit - world.now, () => {
        if (!process.alive || dies()) return;
        underWay.shift();
        if (world.random.chance(ANSWERED_AT_ONCE) && disk.operationsUntilCrash === undefined) {
          // Committed and answered in one step: the caller itself runs it.
          if (refuses()) process.enqueue(transaction.answer);
          else process.enqueue(() => resume(Effect.map(effect, (value) => (done(value), value))));
          return;
        }
        transaction.commit();
        if (dies()) return;
        world.after(world.random.unit() * ANSWER_MILLIS, transaction.answer, process);
      });
    });

  const durable = (updates: ReadonlyArray<NewLocalUpdate>): void => {
    for (const { update } of updates) {
      const edit = ledger.editOf(update);
      if (edit?.state === "asked") edit.state = "durable";
    }
  };
  const acknowledged = (
    workspace: Parameters<LocalStoreShape["position"]>[0],
    settled: ReadonlyArray<{ readonly counter: number; readonly seq: number | undefined }>,
  ): void => {
    const stored = storage.workspaces.get(workspace);
    if (stored === undefined) return;
    const { device } = stored.record;
    for (const { counter, seq } of settled) {
      const record = stored.log.get(device)?.get(counter);
      if (record !== undefined) ledger.acknowledge({ device, counter, hash: record.hash, seq });
    }
  };

  /** What the ledger takes note of when an operation has committed. */
  const noteOf = (operation: string, args: ReadonlyArray<unknown>): ((value: unknown) => void) => {
    switch (operation) {
      case "appendUpdates":
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the arguments of this very operation
        return () => durable(args[0] as ReadonlyArray<NewLocalUpdate>);
      case "settle": {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the arguments of this very operation
        const [workspace, , settled] = args as Parameters<LocalStoreShape["settle"]>;
        return () => acknowledged(workspace, settled);
      }
      case "receive": {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the arguments of this very operation
        const [receipt] = args as Parameters<LocalStoreShape["receive"]>;
        return () => acknowledged(receipt.workspace, receipt.settled);
      }
      case "rebuildDocument": {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the arguments of this very operation
        const [rebuilding] = args as Parameters<LocalStoreShape["rebuildDocument"]>;
        return watchRebuilding(world, ledger, storage, device, rebuilding);
      }
      case "moveStream": {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the arguments of this very operation
        const [, , { transition }] = args as Parameters<LocalStoreShape["moveStream"]>;
        return () => transition.event === "retried" && world.count("dead letter retried");
      }
      default:
        return () => undefined;
    }
  };

  const isOperation = (member: unknown): member is (...args: ReadonlyArray<unknown>) => Operation<unknown> =>
    typeof member === "function";
  const stepped: Record<string, unknown> = { ...store };
  for (const [operation, member] of Object.entries(store)) {
    if (operation === "close") continue;
    if (isOperation(member)) {
      stepped[operation] = (...args: ReadonlyArray<unknown>) =>
        step(operation, member(...args), noteOf(operation, args));
    } else if (Effect.isEffect(member)) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is no function of the store is an effect
      stepped[operation] = step(operation, member as Operation<unknown>, () => undefined);
    }
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the store's own members, each one step later
  return stepped as unknown as LocalStoreShape;
};
