/** Everything of one workspace that runs in an engine: its context, status, imports, projections and sync driver. */
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import type { DocumentSchema } from "@cairn/schema";
import { Duration, Effect, Fiber, Queue, type Scope } from "effect";
import type { PeerID } from "loro-crdt";
import { updateRanges } from "../documents/update-ranges-later.ts";
import { Importer, type ImporterError } from "../documents/Importer.ts";
import { Notifier } from "../platform/Notifier.ts";
import { PeerLeases } from "../platform/PeerLeases.ts";
import {
  type Fence,
  type Fenced,
  LocalStore,
  type StoreFailure,
  type UnprojectedDocument,
} from "../store/LocalStore.ts";
import { Transport } from "../transport/Transport.ts";
import { type DocumentImportsShape, makeDocumentImports } from "./DocumentImports.ts";
import type { SyncPolicy } from "@cairn/sync";
import type { EngineEvent } from "./EngineApi.ts";
import { elapsedMillis } from "./elapsed.ts";
import { makeSyncDriver, type SyncDriver } from "./SyncDriver.ts";
import type { NewEdit } from "./EngineApi.ts";
import { makeExtracting } from "./Extracting.ts";
import type { Publisher } from "./Workspaces.ts";
import { makeSyncStatus, type SyncStatus } from "./SyncStatus.ts";
import { makeStateChecks } from "./StateCheck.ts";
import { succeed, type SuccessionWork } from "./Succession.ts";
import { reloadContext, reloadIdentity, type WorkspaceContext } from "./WorkspaceContext.ts";

const isImporterError = (error: StoreFailure | ImporterError): error is ImporterError => error._tag !== "StoreFailure";

/** A change is told at once; those that follow within this time are told together. */
const GATHER_MILLIS = 4;
/** A document's row is made anew when it has rested this many times as long as making it took, or the longest rest. */
const ROW_RESTS = 30;
const LONGEST_REST_MILLIS = 1_000;
/** Rows that are made before new ones are looked for: the store looks through all that were made since to find them. */
const ROWS_AT_ONCE = 512;
/** Of these, rows that are made in one step. */
const ROWS_TOGETHER = 64;
/** The rows of other documents wait this long for one that is being made. */
const LONG_PROJECT_MILLIS = Duration.millis(1_000);
/** The outbox is counted at most this often. */
const COUNT_MILLIS = 60;

/** Changes that pages have not heard of yet. */
interface Gathered {
  /** With the writer whose edits are all that is new, where that is so. */
  readonly documents: Map<DocumentId, PeerID | undefined>;
  /** Types whose rows have changed. */
  readonly types: Set<string>;
  /** Rows of a type that is not known have changed. */
  untyped: boolean;
}

const nothingGathered = (): Gathered => ({ documents: new Map(), types: new Set(), untyped: false });

export interface WorkspaceRuntime {
  readonly context: WorkspaceContext;
  readonly status: SyncStatus;
  readonly imports: DocumentImportsShape;
  readonly driver: SyncDriver;
  /**
   * Edits were stored here: tells the other handles and tabs, and wakes the driver; rows that did not come with their edits
   * are made. `writer`: who has the edits already.
   */
  readonly edited: (
    edits: ReadonlyArray<Pick<NewEdit, "document" | "type"> & Partial<Pick<NewEdit, "row">>>,
    writer?: PeerID,
  ) => void;
  /** Documents changed elsewhere: tells the pages of this engine. */
  readonly changedElsewhere: (documents: ReadonlyArray<DocumentId>, types: ReadonlyArray<string> | undefined) => void;
  /** Edits were stored in another tab. */
  readonly outboxChanged: (rowless: boolean) => void;
  /** This device has taken a new identity, here or in another tab, and these documents were made anew for it (rule 12). */
  readonly identityChanged: (documents: ReadonlyArray<DocumentId>) => Effect.Effect<void, StoreFailure>;
  /** A document was made anew: what is kept of it here is of the old one, and edits under these peers are refused. */
  readonly rebuilt: (document: DocumentId, peers: ReadonlyArray<PeerID>) => Effect.Effect<void>;
  /** Whether an edit belongs to what was given up of its document. */
  readonly hasGivenUp: (document: DocumentId) => boolean;
  readonly isGivenUp: (document: DocumentId, update: Uint8Array) => Promise<boolean>;
  /** Brings the rows of documents up to date with what was received. */
  readonly project: (document?: DocumentId) => Effect.Effect<unknown, StoreFailure>;
  /** Received updates of it are being imported: what pages get has to wait (rule 15). */
  readonly isProjecting: (document: DocumentId) => boolean;
  /** The work of whoever leads. */
  readonly lead: (fence: Fence) => Effect.Effect<never, StoreFailure | Fenced>;
  readonly fence: () => Fence | undefined;
}

export const makeWorkspaceRuntime = (
  context: WorkspaceContext,
  publisher: Publisher,
  /** The app's documents, and what a new identity is made with. */
  app: Pick<SuccessionWork, "deviceName" | "deviceKeyForm"> & {
    readonly schema: DocumentSchema;
    /** Milliseconds between two state marks of a document. */
    readonly stateMarkMillis?: number | undefined;
  },
  policy: SyncPolicy,
  /** Whose rows can be made here, with the fingerprints of their declarations. */
  types: ReadonlyMap<string, string>,
): Effect.Effect<
  WorkspaceRuntime,
  StoreFailure,
  LocalStore | Importer | Transport | Notifier | PeerLeases | Scope.Scope
> =>
  Effect.gen(function* () {
    const store = yield* LocalStore;
    const importer = yield* Importer;
    const transport = yield* Transport;
    const notifier = yield* Notifier;
    const leases = yield* PeerLeases;
    const workspace: WorkspaceId = context.workspace;
    const extract = makeExtracting({
      store,
      importer,
      leases,
      context,
      schema: app.schema,
      edited: (edits) => edited(edits),
    });
    const imports = makeDocumentImports(store, importer, (document) => tell([document], [], true), extract);
    const checks = makeStateChecks(store, context, importer, imports, app.stateMarkMillis);
    let fence: Fence | undefined;

    // Only whoever leads knows how the conversation stands; the others repeat what it says.
    const countSignal = yield* Queue.sliding<void>(1);
    const publish = (event: EngineEvent): void => {
      if (fence === undefined) publisher.here(event);
      else publisher.everywhere(event);
    };
    const status = makeSyncStatus(store, workspace, context.record, {
      sync: (state) => publish({ type: "sync", workspace, state }),
      outbox: (outbox) => publish({ type: "outbox-state", workspace, outbox }),
      event: (event) => publish({ type: "outbox-event", workspace, event }),
      connections: (connections) => publish({ type: "connections", workspace, connections }),
      deadLetters: () => publish({ type: "dead-letters", workspace }),
      stale: () => Queue.offerUnsafe(countSignal, undefined),
    });

    const gatherSignal = yield* Queue.sliding<void>(1);
    const projectSignal = yield* Queue.sliding<void>(1);
    let here = nothingGathered();
    let elsewhere = nothingGathered();
    const projecting = new Set<DocumentId>();
    /** Documents whose turn is to come. */
    const taken = new Set<DocumentId>();
    /** Documents whose newest updates cannot be shown, by the update that was tried last: not tried again for nothing. */
    const given = new Map<DocumentId, number>();
    /** Documents of which something came from others that pages shall have. */
    const arrived = new Set<DocumentId>();
    /** When a document's row may be made again, and those that wait for that. */
    const rowDue = new Map<DocumentId, number>();
    const rowWaits = new Map<DocumentId, number>();

    /** `types`: whose rows have changed; undefined where that is not known. */
    const tell = (
      documents: ReadonlyArray<DocumentId>,
      types: ReadonlyArray<string> | undefined,
      others: boolean,
      writer?: PeerID,
    ): void => {
      for (const hearers of others ? [here, elsewhere] : [here]) {
        for (const document of documents) {
          const before = hearers.documents.has(document) ? hearers.documents.get(document) : writer;
          hearers.documents.set(document, before === writer ? writer : undefined);
        }
        for (const type of types ?? []) hearers.types.add(type);
        hearers.untyped ||= types === undefined;
      }
      Queue.offerUnsafe(gatherSignal, undefined);
    };
    const toEvent = ({ documents, types, untyped }: Gathered) => ({
      type: "documents" as const,
      workspace,
      documents: [...documents.keys()],
      types: untyped ? undefined : [...types],
      writers: [...documents.values()],
    });

    /** Peers whose operations were given up, by document. */
    const retired = new Map<DocumentId, ReadonlySet<PeerID>>();

    const isGivenUp = async (document: DocumentId, update: Uint8Array): Promise<boolean> => {
      const peers = retired.get(document);
      if (peers === undefined) return false;
      const { operationsOf } = await updateRanges();
      const operations = operationsOf(context.device, update);
      return operations._tag === "Success" && operations.success.some(({ peer }) => peers.has(peer));
    };

    /** Rule 18: a document that had silently diverged is shown as it was built anew, in every tab. */
    const compare = (document: DocumentId) =>
      checks.compare(document).pipe(
        Effect.tap((isRemade) =>
          Effect.sync(() => {
            if (isRemade) publisher.everywhere({ type: "rebuilt", workspace, document, peers: [] });
          }),
        ),
        // Another tab has folded further: what it has is compared with the next mark.
        Effect.catchTag("Fenced", () => Effect.succeed(false)),
      );

    const projectOne = Effect.fnUntraced(function* ({ document, type, through }: UnprojectedDocument) {
      const started = yield* elapsedMillis;
      const due = rowDue.get(document) ?? 0;
      const row = started >= due;
      // Pages get what is new at once; the row, which costs with the length of the document, catches up.
      if (row) rowWaits.delete(document);
      else rowWaits.set(document, due);
      // What pages wrote themselves they have.
      if (!row && !arrived.has(document)) return;
      projecting.add(document);
      arrived.delete(document);
      yield* imports.project(workspace, document, through, row).pipe(
        Effect.tap(() => Effect.sync(() => given.delete(document))),
        Effect.andThen(fence === undefined ? Effect.void : compare(document)),
        Effect.catch((error) => {
          if (error._tag === "StoreFailure") return Effect.fail(error);
          given.set(document, through);
          rowWaits.delete(document);
          return Effect.logWarning("a document cannot be shown up to date").pipe(
            Effect.annotateLogs({ workspace, document, reason: error._tag }),
          );
        }),
        Effect.ensuring(
          Effect.sync(() => {
            projecting.delete(document);
            // It may have taken longer than its row was to wait.
            if (rowWaits.has(document)) Queue.offerUnsafe(projectSignal, undefined);
          }),
        ),
      );
      const ended = yield* elapsedMillis;
      if (row) rowDue.set(document, ended + Math.min(LONGEST_REST_MILLIS, (ended - started) * ROW_RESTS));
      tell([document], row ? [type] : [], true);
    });

    /** Of some unprojected documents those for which there is something to do now. */
    const workable = (waiting: ReadonlyArray<UnprojectedDocument>, now: number) =>
      waiting.filter(
        ({ document, through }) =>
          !projecting.has(document) &&
          !taken.has(document) &&
          given.get(document) !== through &&
          (arrived.has(document) || !rowWaits.has(document) || (rowDue.get(document) ?? 0) <= now),
      );

    /** Makes the rows of those that are small in one step, and gives the others. */
    const projectTogether = Effect.fnUntraced(function* (waiting: ReadonlyArray<UnprojectedDocument>) {
      const started = yield* elapsedMillis;
      const due = waiting.filter(({ document }) => started >= (rowDue.get(document) ?? 0));
      if (due.length < 2) return waiting;
      for (const { document } of due) projecting.add(document);
      const { projected, later } = yield* imports.projectTogether(workspace, due).pipe(
        Effect.ensuring(
          Effect.sync(() => {
            for (const { document } of due) projecting.delete(document);
          }),
        ),
      );
      const ended = yield* elapsedMillis;
      const rest = Math.min(LONGEST_REST_MILLIS, ((ended - started) / projected.size) * ROW_RESTS);
      for (const document of projected) {
        given.delete(document);
        arrived.delete(document);
        rowWaits.delete(document);
        rowDue.set(document, ended + rest);
        if (fence !== undefined) yield* compare(document).pipe(Effect.catchIf(isImporterError, () => Effect.void));
      }
      const shown = waiting.filter(({ document }) => projected.has(document));
      tell([...projected], [...new Set(shown.map(({ type }) => type))], true);
      return waiting.filter(({ document }) => !projected.has(document) && !later.has(document));
    });

    /** Makes the rows of some documents; whether there are more to be made. */
    const project = Effect.fnUntraced(function* (only?: DocumentId) {
      // Those that are passed over do not hide the others.
      const limit = ROWS_AT_ONCE + 1 + projecting.size + taken.size + given.size + rowWaits.size;
      const before = [...arrived];
      const waiting = yield* store.unprojected(workspace, types, { only, limit });
      if (only === undefined && waiting.length < limit) {
        // Rows that somebody else has made meanwhile, another tab or whoever opened the document, wait no more.
        const documents = new Set(waiting.map(({ document }) => document));
        for (const document of rowWaits.keys()) if (!documents.has(document)) rowWaits.delete(document);
        const made = before.filter((document) => !documents.has(document) && arrived.delete(document));
        if (made.length > 0) tell(made, [], true);
      }
      const work = workable(waiting, yield* elapsedMillis);
      const queue = work.slice(0, ROWS_AT_ONCE);
      for (const { document } of queue) taken.add(document);
      let isMore = work.length > queue.length;
      const inTurn = Effect.gen(function* () {
        while (queue.length > 0) {
          const some = queue.splice(0, ROWS_TOGETHER);
          for (const { document } of some) taken.delete(document);
          const others = yield* projectTogether(some);
          isMore ||= others.length < some.length;
          // Documents are independent: one that takes its time does not hold up the others.
          yield* Effect.forEach(others, projectOne, { concurrency: 8, discard: true });
        }
      });
      yield* Effect.ensuring(
        inTurn,
        Effect.sync(() => {
          for (const { document } of queue) taken.delete(document);
        }),
      );
      return isMore;
    });

    const identityChanged = Effect.fnUntraced(function* (documents: ReadonlyArray<DocumentId>) {
      yield* reloadIdentity(store, context);
      // What the importer has of them is made of operations that are no more.
      for (const document of documents) yield* imports.forget(workspace, document);
      given.clear();
      rowDue.clear();
      Queue.offerUnsafe(projectSignal, undefined);
      Queue.offerUnsafe(countSignal, undefined);
    });

    const driver = yield* makeSyncDriver({
      store,
      context,
      transport,
      imports,
      status,
      policy,
      mark: checks.due,
      onMarks: checks.received,
      onReceived: (documents, membershipChanged) => {
        for (const document of documents) arrived.add(document);
        if (documents.size > 0) Queue.offerUnsafe(projectSignal, undefined);
        if (membershipChanged) publisher.everywhere({ type: "workspaces" });
        Queue.offerUnsafe(countSignal, undefined);
      },
      onOutbox: () => Queue.offerUnsafe(countSignal, undefined),
      onLook: () => Queue.offerUnsafe(projectSignal, undefined),
      onUploaded: () => publisher.everywhere({ type: "attachments", workspace }),
      succeed: Effect.fnUntraced(function* (conversation) {
        const documents = yield* succeed({ ...conversation, ...app, importer });
        yield* conversation.sessions.discard;
        yield* identityChanged(documents);
        publisher.everywhere({ type: "identity", workspace, documents });
        publisher.everywhere({ type: "workspaces" });
      }),
    });

    const gather = Effect.gen(function* () {
      for (;;) {
        yield* Queue.take(gatherSignal);
        const gathered = toEvent(here);
        const told = toEvent(elsewhere);
        here = nothingGathered();
        elsewhere = nothingGathered();
        if (gathered.documents.length > 0) publisher.here(gathered);
        if (told.documents.length > 0) yield* notifier.notify(told);
        yield* Effect.sleep(Duration.millis(GATHER_MILLIS));
      }
    });

    const count = Effect.gen(function* () {
      for (;;) {
        yield* Queue.take(countSignal);
        yield* Effect.ignore(status.refresh);
        yield* Effect.sleep(Duration.millis(COUNT_MILLIS));
      }
    });

    const projectAll = Effect.gen(function* () {
      for (;;) {
        // What came meanwhile goes before what only has to be made anew. Promise 14: the rest is gone on with, also where
        // this was no more waited for.
        const working = yield* Effect.forkChild(
          Effect.map(project(), (isMore) => isMore && Queue.offerUnsafe(projectSignal, undefined)),
        );
        // Rule 15: a document that takes long goes on by itself, and what comes next does not wait for it.
        yield* Effect.raceFirst(Fiber.join(working), Effect.sleep(LONG_PROJECT_MILLIS));
        const now = yield* elapsedMillis;
        for (const [document, due] of rowDue) if (due <= now) rowDue.delete(document);
        const next = Math.min(
          ...[...rowWaits].map(([document, due]) => (projecting.has(document) ? Infinity : due)),
          Infinity,
        );
        const signal = Queue.take(projectSignal);
        yield* next === Infinity
          ? signal
          : Effect.raceFirst(signal, Effect.sleep(Duration.millis(Math.max(0, next - now))));
      }
    });

    const edited: WorkspaceRuntime["edited"] = (edits, writer) => {
      tell(
        edits.map(({ document }) => document),
        edits.map(({ type }) => type),
        true,
        writer,
      );
      Queue.offerUnsafe(countSignal, undefined);
      const rowless = edits.some(({ row }) => row?.projection?.searchText === undefined);
      if (fence === undefined) {
        Effect.runFork(notifier.notify({ type: "outbox", workspace, rowless }));
        return;
      }
      if (rowless) Queue.offerUnsafe(projectSignal, undefined);
      driver.wake();
    };

    yield* Effect.forkScoped(gather);
    yield* Effect.forkScoped(count);
    yield* status.refresh;

    return {
      context,
      status,
      imports,
      driver,
      edited,
      changedElsewhere: (documents, types) => tell(documents, types, false),
      outboxChanged: (rowless) => {
        if (rowless) Queue.offerUnsafe(projectSignal, undefined);
        Queue.offerUnsafe(countSignal, undefined);
        driver.wake();
      },
      rebuilt: (document, peers) =>
        Effect.suspend(() => {
          retired.set(document, new Set([...(retired.get(document) ?? []), ...peers]));
          given.delete(document);
          rowDue.delete(document);
          Queue.offerUnsafe(countSignal, undefined);
          return imports.forget(workspace, document);
        }),
      hasGivenUp: (document) => retired.has(document),
      isGivenUp,
      project,
      identityChanged,
      // From the moment it came: a page that asks in between would import what nobody has tried yet.
      isProjecting: (document) => projecting.has(document) || arrived.has(document),
      fence: () => fence,
      lead: (held) =>
        Effect.gen(function* () {
          fence = held;
          yield* reloadContext(store, context);
          status.setServer(context.record.server);
          yield* status.tell({ type: "connecting" });
          return yield* Effect.raceAllFirst([driver.run(held), Effect.andThen(projectAll, Effect.never)]);
        }).pipe(
          Effect.ensuring(
            Effect.sync(() => {
              fence = undefined;
            }),
          ),
        ),
    };
  });
