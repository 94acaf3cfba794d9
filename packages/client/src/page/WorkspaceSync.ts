/** Synchronisation on the page: what is known of the outbox, live, and what a person may do about it. */
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import type { Unsubscribe } from "../subscription.ts";
import type { EngineApi, EngineEvent } from "../engine/EngineApi.ts";
import type {
  ConnectionMoment,
  DeadLetter,
  DeadLetterExport,
  DiscardPreview,
  OutboxEvent,
  OutboxState,
  SyncControl,
  Unsynced,
} from "../sync-api.ts";

type SyncHappening = Extract<
  EngineEvent,
  { readonly type: "outbox-state" | "outbox-event" | "dead-letters" | "connections" }
>;

export class WorkspaceSync implements SyncControl {
  readonly #engine: EngineApi;
  readonly #workspace: WorkspaceId;
  #outbox: OutboxState;
  #connections: ReadonlyArray<ConnectionMoment> = [];
  readonly #outboxListeners = new Set<(outbox: OutboxState) => void>();
  readonly #eventListeners = new Set<(event: OutboxEvent) => void>();
  readonly #letterListeners = new Set<() => void>();

  constructor(engine: EngineApi, workspace: WorkspaceId, outbox: OutboxState) {
    this.#engine = engine;
    this.#workspace = workspace;
    this.#outbox = outbox;
    // What the connection went through before this page was opened.
    engine.connections(workspace).then(
      (connections) => {
        if (this.#connections.length === 0) this.#connections = connections;
      },
      () => undefined,
    );
  }

  /** The engine says that something of the synchronisation changed. */
  protected handleSync(event: SyncHappening): void {
    switch (event.type) {
      case "outbox-state":
        this.#outbox = event.outbox;
        for (const listener of this.#outboxListeners) listener(event.outbox);
        break;
      case "outbox-event":
        for (const listener of this.#eventListeners) listener(event.event);
        break;
      case "dead-letters":
        for (const listener of this.#letterListeners) listener();
        break;
      case "connections":
        this.#connections = event.connections;
        break;
    }
  }

  outbox(): OutboxState {
    return this.#outbox;
  }

  onOutbox(callback: (outbox: OutboxState) => void): Unsubscribe {
    this.#outboxListeners.add(callback);
    callback(this.#outbox);
    return () => void this.#outboxListeners.delete(callback);
  }

  onOutboxEvent(callback: (event: OutboxEvent) => void): Unsubscribe {
    this.#eventListeners.add(callback);
    return () => void this.#eventListeners.delete(callback);
  }

  deadLetters(): Promise<ReadonlyArray<DeadLetter>> {
    return this.#engine.deadLetters(this.#workspace);
  }

  onDeadLetters(callback: (letters: ReadonlyArray<DeadLetter>) => void): Unsubscribe {
    let ended = false;
    const read = async (): Promise<void> => {
      const letters = await this.deadLetters();
      if (!ended) callback(letters);
    };
    const tell = (): void => {
      // A store that does not answer is asked again at the next change.
      read().catch(() => undefined);
    };
    this.#letterListeners.add(tell);
    tell();
    return () => {
      ended = true;
      this.#letterListeners.delete(tell);
    };
  }

  /** Makes durable what the page still holds of a document, so that it is decided upon, too. */
  protected handOver(_document: DocumentId): Promise<void> {
    return Promise.resolve();
  }

  retryDeadLetter(document: DocumentId): Promise<void> {
    return this.#engine.retryDeadLetter(this.#workspace, document);
  }

  async exportDeadLetter(document: DocumentId): Promise<DeadLetterExport> {
    await this.handOver(document);
    return this.#engine.exportDeadLetter(this.#workspace, document);
  }

  async forkDeadLetter(document: DocumentId): Promise<DocumentId> {
    await this.handOver(document);
    return this.#engine.forkDeadLetter(this.#workspace, document);
  }

  async previewDiscard(document: DocumentId): Promise<DiscardPreview> {
    await this.handOver(document);
    return this.#engine.previewDiscard(this.#workspace, document);
  }

  async discardDeadLetter(document: DocumentId): Promise<DiscardPreview> {
    await this.handOver(document);
    return this.#engine.discardDeadLetter(this.#workspace, document);
  }

  pause(): Promise<void> {
    return this.#engine.pauseSync(this.#workspace, true);
  }

  resume(): Promise<void> {
    return this.#engine.pauseSync(this.#workspace, false);
  }

  syncNow(): void {
    void this.#engine.syncNow(this.#workspace);
  }

  simulateOffline(on: boolean): Promise<void> {
    return this.#engine.simulateOffline(this.#workspace, on);
  }

  connections(): ReadonlyArray<ConnectionMoment> {
    return this.#connections;
  }

  unsynced(): Promise<Unsynced> {
    return this.#engine.unsynced(this.#workspace);
  }

  report(): Promise<string> {
    return this.#engine.syncReport(this.#workspace);
  }
}
