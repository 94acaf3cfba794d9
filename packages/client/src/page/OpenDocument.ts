/**
 * An open document: a Loro document on the page, whose local commits go to the engine and which takes in what the engine
 * stores from elsewhere.
 */
import type { DocumentId, Hash, WorkspaceId } from "@cairn/protocol";
import { createdAt, type DocumentSchema, editDocument, isDeleted, project, readDocument } from "@cairn/schema";
import { LoroDoc, type PeerID } from "loro-crdt";
import type { DocumentHandle, TypeName, Unsubscribe } from "../api.ts";
import type { EngineApi, NewEdit, OpenedForPage } from "../engine/EngineApi.ts";
import { documentTypeOf } from "../engine/engine-schema.ts";
import { toSearchText } from "../engine/list-query.ts";
import { CairnError } from "../errors.ts";
import type { DocumentView } from "../store/LocalStore.ts";

/** A store that refused an edit is asked again after this long. */
const RETRY_MILLIS = 1_000;

type Change = { readonly origin: "local" | "remote" | "replaced" };

export interface OpenDocumentOptions<S extends DocumentSchema, T extends TypeName<S>> {
  readonly engine: EngineApi;
  readonly schema: S;
  readonly workspace: WorkspaceId;
  readonly id: DocumentId;
  readonly type: T;
  readonly onClosed: () => void;
}

/** The row of a document as its content says. */
export const viewOf = (schema: DocumentSchema, type: string, loro: LoroDoc): DocumentView => {
  const documentType = documentTypeOf(schema, type);
  if (documentType === undefined) {
    return { fields: {}, searchText: "", deleted: isDeleted(loro), createdAt: createdAt(loro) ?? 0 };
  }
  const projection = project(documentType, loro);
  return {
    fields: projection.fields,
    searchText: toSearchText(projection.search),
    deleted: projection.deleted,
    createdAt: projection.createdAt ?? 0,
  };
};

const loadLoro = (opened: OpenedForPage, peer: PeerID): LoroDoc => {
  const loro = new LoroDoc();
  loro.setPeerId(peer);
  const blobs = opened.snapshot === undefined ? opened.updates : [opened.snapshot, ...opened.updates];
  if (blobs.length > 0) loro.importBatch([...blobs]);
  return loro;
};

/** Opens a document: loads it and leases a peer id for its writer. */
export const openDocument = async <S extends DocumentSchema, T extends TypeName<S>>(
  options: OpenDocumentOptions<S, T>,
): Promise<OpenDocument<S, T>> => {
  const { engine, workspace, id } = options;
  const lease = await engine.leasePeer(workspace);
  try {
    const opened = await engine.openDocument(workspace, id);
    if (opened.type !== "" && opened.type !== options.type) throw new CairnError("document-type");
    // Loro's peer ids are 64 bits in decimal digits; its type says "number".
    return new OpenDocument(options, opened, lease.lease, lease.peer as PeerID);
  } catch (error) {
    await engine.releasePeer(workspace, lease.lease);
    throw error;
  }
};

export class OpenDocument<S extends DocumentSchema, T extends TypeName<S>> implements DocumentHandle<S, T> {
  readonly id: DocumentId;
  readonly type: T;
  readonly #options: OpenDocumentOptions<S, T>;
  readonly #lease: number;
  readonly #peer: PeerID;
  #loro: LoroDoc;
  #stopListening: Array<Unsubscribe> = [];
  #through: number;
  #merging: boolean;
  #closed = false;
  /** Edits that the engine has not confirmed, oldest first. */
  #queue: Array<Omit<NewEdit, "row">> = [];
  #handingOver: Promise<void> | undefined;
  #failure: CairnError | undefined;
  #refs: ReadonlyArray<Hash> = [];
  #refreshing: Promise<void> | undefined;
  #stale = false;
  readonly #changeListeners = new Set<(change: Change) => void>();
  readonly #savedListeners = new Set<(saved: boolean, failure: CairnError | undefined) => void>();

  constructor(options: OpenDocumentOptions<S, T>, opened: OpenedForPage, lease: number, peer: PeerID) {
    this.#options = options;
    this.id = options.id;
    this.type = options.type;
    this.#lease = lease;
    this.#peer = peer;
    this.#through = opened.through;
    this.#merging = opened.merging;
    this.#loro = loadLoro(opened, peer);
    this.#listen();
  }

  get loro(): LoroDoc {
    return this.#loro;
  }

  #listen(): void {
    const loro = this.#loro;
    this.#stopListening = [
      loro.subscribeLocalUpdates((update) => this.#commit(update)),
      loro.subscribe((event) => {
        if (event.by === "checkout") return;
        this.#tell({ origin: event.by === "local" ? "local" : "remote" });
      }),
    ];
  }

  #tell(change: Change): void {
    for (const listener of this.#changeListeners) listener(change);
  }

  #tellSaved(): void {
    for (const listener of this.#savedListeners) listener(this.saved(), this.#failure);
  }

  #commit(update: Uint8Array): void {
    const wasSaved = this.saved();
    this.#queue.push({ document: this.id, type: this.type, update, time: Date.now(), refs: this.#refs });
    this.#refs = [];
    if (wasSaved) this.#tellSaved();
    this.#handingOver ??= this.#handOver();
  }

  /** Hands over what is queued, all at once, until nothing is. An edit leaves the queue when it is durable. */
  async #handOver(): Promise<void> {
    // Commits of one turn travel together, and the row is computed once for them.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const edits = [...this.#queue];
      const row = viewOf(this.#options.schema, this.type, this.#loro);
      try {
        await this.#options.engine.append(
          this.#options.workspace,
          edits.map((edit, index) => ({ ...edit, row: index === edits.length - 1 ? row : undefined })),
        );
        this.#queue.splice(0, edits.length);
        this.#failure = undefined;
      } catch (error) {
        this.#failure = error instanceof CairnError ? error : new CairnError("internal", undefined, { cause: error });
        this.#tellSaved();
        // What will never be taken stays unsaved, with the reason; a full or busy store is asked again.
        if (this.#closed || this.#failure.code === "closed" || this.#failure.code === "read-only") break;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MILLIS));
      }
    }
    this.#handingOver = undefined;
    this.#tellSaved();
  }

  /** Everything committed so far is durable. Rejects with what stands in the way. */
  async durable(): Promise<void> {
    while (this.#queue.length > 0) {
      if (this.#failure !== undefined) throw this.#failure;
      await (this.#handingOver ?? Promise.resolve());
    }
  }

  /** The engine stored something for this document. */
  refresh(): void {
    this.#stale = true;
    this.#refreshing ??= this.#takeNewer()
      // The engine was closed meanwhile, or its store does not answer: the next change asks again.
      .catch(() => undefined)
      .finally(() => {
        this.#refreshing = undefined;
      });
  }

  /** Resolves when what the engine has told of so far is taken in. */
  async refreshed(): Promise<void> {
    await this.#refreshing;
  }

  async #takeNewer(): Promise<void> {
    while (this.#stale && !this.#closed) {
      this.#stale = false;
      const newer = await this.#options.engine.updatesAfter(this.#options.workspace, this.id, this.#through);
      if (this.#closed) return;
      if (this.#merging && !newer.merging) await this.#replace();
      else if (newer.updates.length > 0) this.#loro.importBatch([...newer.updates]);
      this.#through = Math.max(this.#through, newer.through);
      if (this.#merging !== newer.merging) {
        this.#merging = newer.merging;
        this.#tell({ origin: "remote" });
      }
    }
  }

  /** Rule 15: what took long to merge is not merged again here; the page gets the merged state as a new document. */
  async #replace(): Promise<void> {
    for (;;) {
      await this.durable();
      const opened = await this.#options.engine.openDocument(this.#options.workspace, this.id);
      if (this.#closed) return;
      if (this.#queue.length > 0) continue;
      for (const stop of this.#stopListening) stop();
      const old = this.#loro;
      this.#loro = loadLoro(opened, this.#peer);
      this.#through = opened.through;
      this.#listen();
      this.#tell({ origin: "replaced" });
      old.free();
      return;
    }
  }

  read(): ReturnType<DocumentHandle<S, T>["read"]> {
    // The view of the type's fields, whose names TypeScript cannot follow through the generic schema.
    return readDocument(this.#documentType(), this.#loro) as ReturnType<DocumentHandle<S, T>["read"]>;
  }

  edit(change: Parameters<DocumentHandle<S, T>["edit"]>[0]): void {
    if (this.#closed) throw new CairnError("closed");
    change(editDocument(this.#documentType(), this.#loro));
    this.#loro.commit();
  }

  /** Changes the Loro document itself in one commit, which begins to refer to these chunks. */
  editLoro(change: (loro: LoroDoc) => void, refs: ReadonlyArray<Hash> = []): void {
    if (this.#closed) throw new CairnError("closed");
    this.#loro.commit();
    change(this.#loro);
    this.#refs = refs;
    this.#loro.commit();
    this.#refs = [];
  }

  #documentType(): S["documents"][T] {
    const type = this.#options.schema.documents[this.type];
    if (type === undefined) throw new CairnError("type-unknown");
    // `documents` is indexed by strings as well as by its own names, and `T` is one of the latter.
    return type as S["documents"][T];
  }

  onChange(callback: (change: Change) => void): Unsubscribe {
    this.#changeListeners.add(callback);
    return () => void this.#changeListeners.delete(callback);
  }

  saved(): boolean {
    return this.#queue.length === 0;
  }

  onSaved(callback: (saved: boolean, failure: CairnError | undefined) => void): Unsubscribe {
    this.#savedListeners.add(callback);
    callback(this.saved(), this.#failure);
    return () => void this.#savedListeners.delete(callback);
  }

  merging(): boolean {
    return this.#merging;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#loro.commit();
    try {
      // The peer id is given back only when everything written under it is durable (rule 13).
      await this.durable();
    } finally {
      if (!this.#closed) {
        this.#closed = true;
        for (const stop of this.#stopListening) stop();
        this.#changeListeners.clear();
        this.#savedListeners.clear();
        this.#options.onClosed();
        await this.#options.engine.releasePeer(this.#options.workspace, this.#lease);
        this.#loro.free();
      }
    }
  }
}
