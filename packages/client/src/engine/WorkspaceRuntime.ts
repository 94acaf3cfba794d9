/** Everything of one workspace that runs in an engine: its context, status, imports, projections and sync driver. */
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import type { DocumentSchema } from "@cairn/schema";
import { Duration, Effect, Queue, type Scope } from "effect";
import type { PeerID } from "loro-crdt";
import { updateRanges } from "../documents/update-ranges-later.ts";
import { Importer } from "../documents/Importer.ts";
import { Notifier } from "../platform/Notifier.ts";
import { PeerLeases } from "../platform/PeerLeases.ts";
import type { Fence } from "../store/store-changes.ts";
import { type Fenced, LocalStore, type StoreFailure } from "../store/LocalStore.ts";
import { Transport } from "../transport/Transport.ts";
import { type DocumentImportsShape, makeDocumentImports } from "./DocumentImports.ts";
import type { SyncPolicy } from "@cairn/sync";
import type { EngineEvent, LeaderSays } from "./EngineApi.ts";
import { makeProjecting, type Projecting } from "./Projecting.ts";
import { makeSyncDriver, type SyncDriver } from "./SyncDriver.ts";
import type { NewEdit } from "./EngineApi.ts";
import { makeExtracting } from "./Extracting.ts";
import { makeLeaderWord } from "./LeaderWord.ts";
import type { Publisher } from "./Workspaces.ts";
import { makeSyncStatus, type SyncStatus } from "./SyncStatus.ts";
import { makeStateChecks } from "./StateCheck.ts";
import { succeed, type SuccessionWork } from "./Succession.ts";
import { reloadContext, reloadIdentity, type WorkspaceContext } from "./WorkspaceContext.ts";

/** A change is told at once; those that follow within this time are told together. */
const GATHER_MILLIS = 4;
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
  readonly rows: Pick<Projecting, "project" | "isProjecting" | "hurry">;
  /** The work of whoever leads. */
  readonly lead: (fence: Fence) => Effect.Effect<never, StoreFailure | Fenced>;
  readonly fence: () => Fence | undefined;
  /** What another engine says of the conversation with the server; false where that is of one that leads no longer. */
  readonly adopt: (event: LeaderSays) => boolean;
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
    const word = makeLeaderWord();
    const { fence } = word;

    // Only whoever leads knows how the conversation stands; the others repeat what it says.
    const countSignal = yield* Queue.sliding<void>(1);
    const publish = (event: EngineEvent): void => {
      if (fence() === undefined) publisher.here(event);
      else publisher.everywhere(event);
    };
    const { lastSyncedAt } = (yield* store.position(workspace)) ?? {};
    const status = makeSyncStatus(
      store,
      workspace,
      { ...context.record, lastSyncedAt },
      {
        sync: (state) => publish({ type: "sync", workspace, fence: fence(), state }),
        outbox: (outbox) => publish({ type: "outbox-state", workspace, fence: fence(), outbox }),
        event: (event) => publish({ type: "outbox-event", workspace, event }),
        connections: (connections) => publish({ type: "connections", workspace, fence: fence(), connections }),
        deadLetters: () => publish({ type: "dead-letters", workspace }),
        stale: () => countSoon(),
      },
    );
    const countSoon = (): void => {
      status.setStale();
      Queue.offerUnsafe(countSignal, undefined);
    };

    const gatherSignal = yield* Queue.sliding<void>(1);
    let here = nothingGathered();
    let elsewhere = nothingGathered();
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

    const rows = yield* makeProjecting({
      store,
      workspace,
      types,
      imports,
      imported: (document) => (fence() === undefined ? Effect.void : compare(document)),
      tell: (documents, shown) => tell(documents, shown, true),
      progress: status.setPreparing,
    });

    const identityChanged = Effect.fnUntraced(function* (documents: ReadonlyArray<DocumentId>) {
      yield* reloadIdentity(store, context);
      // What the importer has of them is made of operations that are no more.
      for (const document of documents) yield* imports.forget(workspace, document);
      rows.forget();
      countSoon();
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
        rows.arrived(documents);
        if (documents.size > 0) rows.look();
        if (membershipChanged) publisher.everywhere({ type: "workspaces" });
      },
      onOutbox: countSoon,
      onLook: rows.look,
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
        // Whoever leads reads what waits, to send it, and counts it then.
        if (fence() !== undefined) yield* Effect.sleep(Duration.millis(COUNT_MILLIS));
        if (status.isStale()) yield* Effect.ignore(status.read);
        if (fence() === undefined) yield* Effect.sleep(Duration.millis(COUNT_MILLIS));
      }
    });

    const edited: WorkspaceRuntime["edited"] = (edits, writer) => {
      tell(
        edits.map(({ document }) => document),
        edits.map(({ type }) => type),
        true,
        writer,
      );
      countSoon();
      const rowless = edits.some(({ row }) => row?.projection?.searchText === undefined);
      if (fence() === undefined) {
        Effect.runFork(notifier.notify({ type: "outbox", workspace, rowless }));
        return;
      }
      if (rowless) rows.look();
      driver.wake();
    };

    yield* Effect.forkScoped(gather);
    yield* Effect.forkScoped(count);
    yield* status.read;

    return {
      context,
      status,
      imports,
      driver,
      edited,
      changedElsewhere: (documents, types) => {
        tell(documents, types, false);
        rows.lookElsewhere();
      },
      outboxChanged: (rowless) => {
        if (rowless) rows.look();
        rows.lookElsewhere();
        countSoon();
        driver.wake();
      },
      rebuilt: (document, peers) =>
        Effect.suspend(() => {
          retired.set(document, new Set([...(retired.get(document) ?? []), ...peers]));
          rows.forget(document);
          countSoon();
          return imports.forget(workspace, document);
        }),
      hasGivenUp: (document) => retired.has(document),
      isGivenUp,
      rows,
      identityChanged,
      fence,
      adopt: (event) => {
        if (!word.hears(event.fence)) return false;
        if (event.type === "sync") status.adoptSync(event.state);
        else if (event.type === "outbox-state") status.adoptOutbox(event.outbox);
        else status.adoptConnections(event.connections);
        return true;
      },
      lead: (held) => {
        const work = Effect.gen(function* () {
          // What was told while this engine began, or by one that died before it told, was not heard here.
          if (yield* reloadIdentity(store, context)) {
            const remade = yield* store.pendingDocuments(workspace);
            yield* identityChanged(remade.map(({ document }) => document));
          }
          yield* reloadContext(store, context);
          status.setServer(context.record.server);
          yield* status.tell({ type: "connecting" });
          return yield* Effect.raceAllFirst([driver.run(held), rows.keep]);
        });
        // What another one that leads by now has said may not have counted.
        return Effect.ensuring(word.lead(held, work), notifier.notify({ type: "sync-asked", workspace }));
      },
    };
  });
