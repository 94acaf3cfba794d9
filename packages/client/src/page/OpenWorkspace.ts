/** A workspace on the page: documents, lists, sync state, links, attachments. */
import { generateDocumentId, systemRandom } from "@cairn/crypto";
import type { DocumentId, LinkId, WorkspaceId } from "@cairn/protocol";
import { describeDocument, type DocumentSchema, editDocument, setDeleted } from "@cairn/schema";
import type { PeerID } from "loro-crdt";
import type {
  AttachmentInfo,
  AttachmentSource,
  ListQuery,
  PeerLease,
  Row,
  SyncState,
  TransferOptions,
  TypeName,
  Unsubscribe,
  Workspace,
  WorkspaceInfo,
} from "../api.ts";
import type { EngineApi, EngineEvent, PlainRow } from "../engine/EngineApi.ts";
import { WORKSPACE_TYPE, workspaceType } from "../engine/engine-schema.ts";
import { CairnError } from "../errors.ts";
import * as Attachments from "./attachments.ts";
import { openDocument, type OpenDocument } from "./OpenDocument.ts";

/** Changes that come in quick succession are shown together. */
const LIST_MILLIS = 25;

// A document of whatever type: what the workspace does with open documents does not depend on it.
type AnyDocument<S extends DocumentSchema> = OpenDocument<S, TypeName<S>>;

export class OpenWorkspace<S extends DocumentSchema> implements Workspace<S> {
  readonly id: WorkspaceId;
  readonly #engine: EngineApi;
  readonly #schema: S;
  #info: WorkspaceInfo;
  #sync: SyncState;
  readonly #open = new Set<AnyDocument<S>>();
  readonly #syncListeners = new Set<(state: SyncState) => void>();
  readonly #changeListeners = new Set<(documents: ReadonlySet<DocumentId>) => void>();
  readonly #attachmentListeners = new Set<() => void>();

  constructor(engine: EngineApi, schema: S, info: WorkspaceInfo, sync: SyncState) {
    this.id = info.id;
    this.#engine = engine;
    this.#schema = schema;
    this.#info = info;
    this.#sync = sync;
  }

  /** The engine says that something changed. */
  handle(event: EngineEvent): void {
    switch (event.type) {
      case "documents": {
        const documents = new Set(event.documents);
        for (const document of this.#open) if (documents.has(document.id)) document.refresh();
        for (const listener of this.#changeListeners) listener(documents);
        break;
      }
      case "sync":
        this.#sync = event.state;
        for (const listener of this.#syncListeners) listener(event.state);
        break;
      case "attachments":
        for (const listener of this.#attachmentListeners) listener();
        break;
      case "workspaces":
        break;
    }
  }

  setInfo(info: WorkspaceInfo): void {
    this.#info = info;
  }

  info(): WorkspaceInfo {
    return this.#info;
  }

  async rename(name: string): Promise<void> {
    const id = await this.#engine.workspaceDocument(this.id);
    // The engine's own type is not one of the app's schema; the handle only needs its name.
    const document = await this.#openAs(WORKSPACE_TYPE as TypeName<S>, id);
    try {
      document.editLoro((loro) => editDocument(workspaceType, loro).name.set(name));
    } finally {
      await document.close();
    }
  }

  async #openAs<T extends TypeName<S>>(type: T, id: DocumentId): Promise<OpenDocument<S, T>> {
    const document: OpenDocument<S, T> = await openDocument({
      engine: this.#engine,
      schema: this.#schema,
      workspace: this.id,
      id,
      type,
      onClosed: () => void this.#open.delete(document as unknown as AnyDocument<S>),
    });
    // The set only refreshes and identifies its members, whatever their type is.
    this.#open.add(document as unknown as AnyDocument<S>);
    return document;
  }

  async open<T extends TypeName<S>>(type: T, id: DocumentId): Promise<OpenDocument<S, T>> {
    if (!Object.hasOwn(this.#schema.documents, type)) throw new CairnError("type-unknown");
    return this.#openAs(type, id);
  }

  async create<T extends TypeName<S>>(
    type: T,
    init?: Parameters<Workspace<S>["create"]>[1] & ((document: never) => void),
  ): Promise<OpenDocument<S, T>> {
    const document = await this.open(type, generateDocumentId(systemRandom));
    describeDocument(document.loro, { type, createdAt: Date.now() });
    if (init === undefined) document.loro.commit();
    else document.edit(init as Parameters<OpenDocument<S, T>["edit"]>[0]);
    return document;
  }

  async query<T extends TypeName<S>>(type: T, query: ListQuery = {}): Promise<ReadonlyArray<Row<S, T>>> {
    const rows = await this.#engine.query(this.id, type, query);
    return rows.map(toRow<S, T>);
  }

  liveQuery<T extends TypeName<S>>(
    type: T,
    query: ListQuery,
    callback: (rows: ReadonlyArray<Row<S, T>>) => void,
  ): Unsubscribe {
    let ended = false;
    let running = false;
    let stale = false;
    const run = async (): Promise<void> => {
      stale = true;
      if (running) return;
      running = true;
      try {
        while (stale && !ended) {
          stale = false;
          const rows = await this.query(type, query);
          if (!ended) callback(rows);
          await new Promise((resolve) => setTimeout(resolve, LIST_MILLIS));
        }
      } catch {
        // The store does not answer; the next change asks again, and the sync state says what is wrong.
      } finally {
        running = false;
      }
    };
    const listener = () => void run();
    this.#changeListeners.add(listener);
    void run();
    return () => {
      ended = true;
      this.#changeListeners.delete(listener);
    };
  }

  async #setDeleted(id: DocumentId, deleted: boolean): Promise<void> {
    const opened = await this.#engine.openDocument(this.id, id);
    if (opened.type === "") throw new CairnError("document-unknown");
    const document = await this.#openAs(opened.type as TypeName<S>, id);
    try {
      document.editLoro((loro) => setDeleted(loro, deleted));
    } finally {
      await document.close();
    }
  }

  delete(id: DocumentId): Promise<void> {
    return this.#setDeleted(id, true);
  }

  restore(id: DocumentId): Promise<void> {
    return this.#setDeleted(id, false);
  }

  sync(): SyncState {
    return this.#sync;
  }

  onSync(callback: (state: SyncState) => void): Unsubscribe {
    this.#syncListeners.add(callback);
    callback(this.#sync);
    return () => void this.#syncListeners.delete(callback);
  }

  async flush(options: { readonly tier?: "device" | "server"; readonly timeout?: number } = {}): Promise<void> {
    await Promise.all([...this.#open].map((document) => document.durable()));
    await this.#engine.flush(this.id, options.tier ?? "device", options.timeout);
  }

  syncNow(): void {
    void this.#engine.syncNow(this.id);
  }

  createLink(options: Parameters<Workspace<S>["createLink"]>[0]): ReturnType<Workspace<S>["createLink"]> {
    return this.#engine.createLink(this.id, {
      role: options.role,
      label: options.label ?? "",
      maxUses: options.maxUses ?? 0,
      expiresInMillis: options.expiresInMillis,
    });
  }

  links(): ReturnType<Workspace<S>["links"]> {
    return this.#engine.links(this.id);
  }

  revokeLink(link: LinkId): Promise<void> {
    return this.#engine.revokeLink(this.id, link);
  }

  devices(): ReturnType<Workspace<S>["devices"]> {
    return this.#engine.devices(this.id);
  }

  #attachmentContext(): Attachments.AttachmentContext {
    return { engine: this.#engine, schema: this.#schema, workspace: this.id };
  }

  /** The open document, or one that is open as long as `use` runs. */
  async #withDocument<A>(id: DocumentId, use: (document: AnyDocument<S>) => Promise<A> | A): Promise<A> {
    for (const document of this.#open) if (document.id === id) return use(document);
    const { type } = await this.#engine.openDocument(this.id, id);
    if (type === "") throw new CairnError("document-unknown");
    const document = await this.#openAs(type as TypeName<S>, id);
    try {
      return await use(document as unknown as AnyDocument<S>);
    } finally {
      await document.close();
    }
  }

  async attach(id: DocumentId, source: AttachmentSource, options: TransferOptions = {}): Promise<AttachmentInfo> {
    const info = await this.#withDocument(id, (document) =>
      Attachments.attach(this.#attachmentContext(), document, source, options),
    );
    for (const listener of this.#attachmentListeners) listener();
    return info;
  }

  removeAttachment(id: DocumentId, attachment: string): Promise<void> {
    return this.#withDocument(id, (document) =>
      Attachments.removeAttachment(this.#attachmentContext(), document, attachment),
    );
  }

  onAttachments(id: DocumentId, callback: (attachments: ReadonlyArray<AttachmentInfo>) => void): Unsubscribe {
    let ended = false;
    const tell = (): void => {
      void this.#withDocument(id, async (document) => {
        await document.refreshed();
        return Attachments.listAttachments(this.#attachmentContext(), document);
      }).then(
        (attachments) => {
          if (!ended) callback(attachments);
        },
        () => undefined,
      );
    };
    const onDocuments = (documents: ReadonlySet<DocumentId>): void => {
      if (documents.has(id)) tell();
    };
    this.#attachmentListeners.add(tell);
    this.#changeListeners.add(onDocuments);
    tell();
    return () => {
      ended = true;
      this.#attachmentListeners.delete(tell);
      this.#changeListeners.delete(onDocuments);
    };
  }

  readAttachment(
    id: DocumentId,
    attachment: string,
    options: TransferOptions = {},
  ): Promise<ReadableStream<Uint8Array>> {
    return this.#withDocument(id, (document) =>
      Attachments.readAttachment(this.#attachmentContext(), document, attachment, options),
    );
  }

  append(document: DocumentId, type: TypeName<S>, update: Uint8Array): Promise<void> {
    return this.#engine.append(this.id, [{ document, type, update, time: Date.now(), refs: [], row: undefined }]);
  }

  async leasePeer(): Promise<PeerLease> {
    const { lease, peer } = await this.#engine.leasePeer(this.id);
    return { peer: peer as PeerID, release: () => this.#engine.releasePeer(this.id, lease) };
  }

  /** Closes every open document, once its edits are durable, or once it is clear that they will not be. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#open].map((document) => document.close()));
  }
}

// The engine's rows are what `project` made of this very type.
const toRow = <S extends DocumentSchema, T extends TypeName<S>>(row: PlainRow): Row<S, T> => row as Row<S, T>;
