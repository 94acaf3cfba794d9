/** How the contract suite opens stores, and looks at all that they hold. */
import { type Fence, Fenced, LocalStore, type LocalStoreShape, StoreFailure } from "@cairn/client/effect";
import { type DocumentId, EntryKind, type WorkspaceId } from "@cairn/protocol";
import { checkQuery } from "@cairn/schema";
import { Effect, Layer, Result } from "effect";
import { expect, test } from "vitest";
import { FINGERPRINT, positionRecord, workspaceRecord } from "./local-store-samples.ts";

/** Storage that begins empty. */
export interface LocalStoreSubject {
  /** Opens the store over the storage; closing the scope closes the store and leaves the storage. */
  readonly layer: Layer.Layer<LocalStore, unknown>;
  /** Deletes the storage. */
  readonly dispose: () => Promise<void>;
}

export interface LocalStoreContractOptions {
  readonly make: () => Promise<LocalStoreSubject>;
  /** How many random sequences of operations are compared with the model. */
  readonly sequences: number;
}

type Session = <A>(program: (store: LocalStoreShape) => Effect.Effect<A, unknown>) => Effect.Effect<A, unknown>;

export interface ContractSuite {
  readonly sequences: number;
  /** Runs a program over fresh storage, which `session` opens and closes. */
  readonly run: (program: (session: Session) => Effect.Effect<void, unknown>) => Promise<void>;
  /** A test over an empty store. */
  readonly testEmpty: (title: string, program: (store: LocalStoreShape) => Effect.Effect<void, unknown>) => void;
  /** A test over a store with one workspace, by its leader. */
  readonly test: (
    title: string,
    program: (store: LocalStoreShape, fence: Fence) => Effect.Effect<void, unknown>,
  ) => void;
  /** A test that closes the store and opens it again. */
  readonly testSessions: (title: string, program: (session: Session) => Effect.Effect<void, unknown>) => void;
}

/** A store with one workspace. */
export const populated = <A>(program: (store: LocalStoreShape, fence: Fence) => Effect.Effect<A, unknown>) =>
  Effect.fnUntraced(function* (store: LocalStoreShape) {
    yield* store.addWorkspace(workspaceRecord(), positionRecord(), []);
    return yield* program(store, yield* store.claimLeadership);
  });

export const contractSuite = ({ make, sequences }: LocalStoreContractOptions): ContractSuite => {
  const run: ContractSuite["run"] = async (program) => {
    const subject = await make();
    try {
      await Effect.runPromise(
        program((within) => Effect.flatMap(LocalStore, within).pipe(Effect.provide(Layer.fresh(subject.layer)))),
      );
    } finally {
      await subject.dispose();
    }
  };
  const testSessions: ContractSuite["testSessions"] = (title, program) =>
    test(title, async () => {
      expect.hasAssertions();
      await run(program);
    });
  const testEmpty: ContractSuite["testEmpty"] = (title, program) => testSessions(title, (session) => session(program));
  return {
    sequences,
    run,
    testEmpty,
    test: (title, program) => testEmpty(title, populated(program)),
    testSessions,
  };
};

/** What a write did: `done`, or why it did nothing. */
export const outcomeOf = (write: Effect.Effect<unknown, unknown>): Effect.Effect<string> =>
  Effect.map(Effect.result(write), (result) => {
    if (Result.isSuccess(result)) return "done";
    const { failure } = result;
    if (failure instanceof Fenced) return "fenced";
    if (failure instanceof StoreFailure) return failure.reason;
    throw new TypeError("a store fails with nothing else", { cause: failure });
  });

const byJson = (left: unknown, right: unknown): number => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1);

const NOTES = new Map([["note", FINGERPRINT]]);

/** Everything that a store says of a workspace and of some documents; what has no order is sorted. */
export const observe = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  workspace: WorkspaceId,
  documents: ReadonlyArray<DocumentId>,
) {
  const perDocument = yield* Effect.forEach(documents, (document) =>
    Effect.all({
      pending: store.pendingUpdates(workspace, document),
      record: store.document(workspace, document),
      opened: store.openDocument(workspace, document),
      newer: store.updatesAfter(workspace, document, 3),
    }),
  );
  const unacknowledged = yield* store.unacknowledged(workspace);
  return {
    workspaces: [...(yield* store.workspaces)].toSorted(byJson),
    position: yield* store.position(workspace),
    pendingDocuments: [...(yield* store.pendingDocuments(workspace))].toSorted(byJson),
    outgoing: yield* store.outgoing(workspace, 1_000),
    unacknowledged: { ...unacknowledged, pending: [...unacknowledged.pending].toSorted(byJson) },
    outgoingHeaders: yield* store.outgoingHeaders(workspace),
    streams: yield* store.streams(workspace),
    log: yield* store.logPage(workspace, undefined, 1_000),
    updates: yield* store.logOfKind(workspace, EntryKind.update),
    voids: yield* store.logOfKind(workspace, EntryKind.void),
    versions: [...(yield* store.versions(workspace))].toSorted(byJson),
    unprojected: [
      ...(yield* store.unprojected(workspace, NOTES)),
      ...(yield* store.unprojected(workspace, NOTES, { only: yield* store.outdated(workspace, NOTES) })),
    ].toSorted(byJson),
    countUnprojected: yield* store.countUnprojected(workspace, NOTES),
    page: yield* store.documentPage(workspace, undefined, 1_000),
    notes: yield* store.count(
      { workspace, type: "note", fingerprint: FINGERPRINT },
      checkQuery({ fields: {} }, { deleted: "include" }),
    ),
    perDocument,
  };
});

/** The write is refused in this way and leaves everything as it was. */
export const expectNoChange = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  workspace: WorkspaceId,
  documents: ReadonlyArray<DocumentId>,
  write: Effect.Effect<unknown, unknown>,
  expected: string,
) {
  const before = yield* observe(store, workspace, documents);
  expect(yield* outcomeOf(write)).toBe(expected);
  expect(yield* observe(store, workspace, documents)).toEqual(before);
});
