/** A workspace on the page: documents, lists, sync state, links, attachments. */
import { generateDocumentId, systemRandom } from "@cairn/crypto";
import type { DocumentId, LinkId, WorkspaceId } from "@cairn/protocol";
import { describeDocument, type DocumentSchema, editDocument, type Editor, setDeleted } from "@cairn/schema";
import type { AnyRow, DocumentInspection, UnknownDocuments } from "../rows-api.ts";
import type { CreatableTypeName, TypeName, TypeOf } from "../type-names.ts";
import type { DocumentHandle, PeerLease } from "../document-api.ts";
import type {
  BackupOptions,
  ImportReport,
  SyncState,
  TransferOptions,
  Workspace,
  WorkspaceInfo,
} from "../workspace-api.ts";
import type { Unsubscribe } from "../subscription.ts";
import { appOutdatedBy, appOutdatedError } from "../app-version.ts";
import type { EngineApi, EngineEvent, OpenedForPage, PlainSyncState } from "../engine/EngineApi.ts";
import { documentTypeOf, WORKSPACE_TYPE, workspaceType } from "../engine/engine-schema.ts";
import { CairnError } from "../errors.ts";
import type { OutboxState } from "../sync-api.ts";
import { watched } from "../backup/streams.ts";
import {
  checkDocumentId,
  checkSingletonKey,
  checkLinkId,
  checkLinkOptions,
  checkMinimumVersion,
  checkPassphrase,
  checkTimeout,
  checkWorkspaceName,
} from "./check-arguments.ts";
import { GatheredAppends } from "./GatheredAppends.ts";
import { OpenDocument } from "./OpenDocument.ts";
import type { PlainDocument } from "./PlainDocument.ts";
import { WorkspaceAttachments } from "./WorkspaceAttachments.ts";
import { type FirstAnswer, WorkspaceRows } from "./WorkspaceRows.ts";
import { WorkspaceSync } from "./WorkspaceSync.ts";

/** Rows that cross from the engine in one go. */
const ROWS_AT_ONCE = 500;

export class OpenWorkspace<S extends DocumentSchema> extends WorkspaceSync implements Workspace<S> {
  readonly id: WorkspaceId;
  readonly #engine: EngineApi;
  readonly #schema: S;
  readonly #appends: GatheredAppends;
  #info: WorkspaceInfo;
  #plainSync: PlainSyncState;
  #sync: SyncState;
  readonly #open = new Set<PlainDocument>();
  readonly #syncListeners = new Set<(state: SyncState) => void>();
  readonly #rows: WorkspaceRows<S>;
  readonly #attachments: WorkspaceAttachments;

  constructor(engine: EngineApi, schema: S, info: WorkspaceInfo, sync: PlainSyncState, outbox: OutboxState) {
    super(engine, info.id, outbox);
    this.id = info.id;
    this.#engine = engine;
    this.#appends = new GatheredAppends((edits) =>
      engine.append(
        this.id,
        edits.map((edit) => ({ ...edit, row: undefined })),
      ),
    );
    this.#schema = schema;
    this.#rows = new WorkspaceRows(engine, info.id, schema);
    this.#attachments = new WorkspaceAttachments({
      engine,
      schema,
      workspace: info.id,
      withDocument: (id, use) => this.#withDocument(id, use),
      requireWritable: () => this.#requireWritable(),
    });
    this.#info = info;
    this.#plainSync = sync;
    this.#sync = this.#judged();
  }

  /** The engine says that something changed. */
  handle(event: EngineEvent): void {
    switch (event.type) {
      case "documents": {
        const documents = new Set(event.documents);
        for (const document of this.#open) {
          const index = event.documents.indexOf(document.id);
          if (index >= 0) document.refresh(event.writers?.[index]);
        }
        this.#attachments.changed(documents);
        this.#rows.changed(event.types === undefined ? undefined : new Set(event.types));
        break;
      }
      case "sync":
        this.#plainSync = event.state;
        this.#tellSync();
        break;
      case "identity":
        for (const document of this.#open) document.reopen();
        break;
      case "attachments":
        this.#attachments.transferred();
        break;
      case "rebuilt":
        for (const document of this.#open) if (document.id === event.document) document.reopen();
        this.#attachments.changed(new Set([event.document]));
        break;
      case "outbox-state":
      case "outbox-event":
      case "dead-letters":
      case "connections":
        this.handleSync(event);
        break;
      // Of the profile, not of one workspace.
      case "workspaces":
      case "storage":
      case "transfer":
      case "update":
        break;
    }
  }

  protected override async handOver(id: DocumentId): Promise<void> {
    const open = [...this.#open].filter((document) => document.id === id);
    await Promise.all([...open.map((document) => document.durable()), this.#appends.settled()]);
  }

  setInfo(info: WorkspaceInfo): void {
    // An answer that was overtaken by another one: a minimum never falls.
    const minimumVersion = Math.max(info.minimumVersion, this.#info.minimumVersion);
    const isRaised = minimumVersion > this.#info.minimumVersion;
    this.#info = { ...info, minimumVersion };
    if (!isRaised) return;
    const refusal = this.#refusal();
    if (refusal !== undefined) for (const document of this.#open) document.endEditing(refusal);
    this.#tellSync();
  }

  /** The engine's state with what the workspace's minimum means for this app. */
  #judged(): SyncState {
    const { minimumVersion } = this.#info;
    return {
      ...this.#plainSync,
      minimumVersion,
      appOutdated: appOutdatedBy(this.#schema.version, minimumVersion),
    };
  }

  #tellSync(): void {
    this.#sync = this.#judged();
    for (const listener of this.#syncListeners) listener(this.#sync);
  }

  /** Why this app may write nothing new here. */
  #refusal(): CairnError | undefined {
    const outdated = appOutdatedBy(this.#schema.version, this.#info.minimumVersion);
    return outdated === undefined ? undefined : appOutdatedError(outdated);
  }

  #requireWritable(): void {
    const refusal = this.#refusal();
    if (refusal !== undefined) throw refusal;
  }

  minimumVersion(): number {
    return this.#info.minimumVersion;
  }

  async raiseMinimumVersion(version = this.#schema.version): Promise<number> {
    checkMinimumVersion(version, this.#schema.version);
    const minimumVersion = await this.#engine.raiseMinimumVersion(this.id, version);
    this.setInfo({ ...this.#info, minimumVersion });
    return this.#info.minimumVersion;
  }

  info(): WorkspaceInfo {
    return this.#info;
  }

  async rename(name: string): Promise<void> {
    checkWorkspaceName(name);
    this.#requireWritable();
    const id = await this.#engine.workspaceDocument(this.id);
    const document = await this.#openPlain(id, WORKSPACE_TYPE);
    try {
      document.editLoro((loro) => editDocument(workspaceType, loro).name.set(name));
    } finally {
      await document.close();
    }
  }

  async #openPlain(id: DocumentId, type?: string): Promise<PlainDocument> {
    checkDocumentId(id);
    // What is about to be written here shows in what is asked after it.
    this.#rows.forgetAnswers();
    const { openPlainDocument } = await loadDocuments();
    const document: PlainDocument = await openPlainDocument({
      engine: this.#engine,
      schema: this.#schema,
      workspace: this.id,
      id,
      type,
      readOnly: this.#refusal(),
      onClosed: () => void this.#open.delete(document),
    });
    this.#open.add(document);
    // The minimum may have risen while it was being opened.
    const refusal = this.#refusal();
    if (refusal !== undefined) document.endEditing(refusal);
    return document;
  }

  async open<T extends TypeName<S>>(type: T, id: DocumentId): Promise<DocumentHandle<S, T>> {
    if (!Object.hasOwn(this.#schema.documents, type)) throw new CairnError("type-unknown");
    return new OpenDocument(this.#schema, type, await this.#openPlain(id, type));
  }

  async singleton<T extends TypeName<S>>(type: T, key = ""): Promise<DocumentHandle<S, T>> {
    if (!Object.hasOwn(this.#schema.documents, type)) throw new CairnError("type-unknown");
    checkSingletonKey(key);
    const id = await this.#engine.singletonDocument(this.id, type, key);
    return new OpenDocument(this.#schema, type, await this.#openPlain(id, type), key);
  }

  async create<T extends CreatableTypeName<S>>(
    type: T,
    init?: (document: Editor<TypeOf<S, T>>) => void,
  ): Promise<DocumentHandle<S, T>> {
    this.#requireWritable();
    if (documentTypeOf(this.#schema, type)?.deprecated === true) throw new CairnError("type-deprecated");
    const document = await this.open(type, generateDocumentId(systemRandom));
    const refusal = document.readOnly();
    if (refusal !== undefined) {
      await document.close();
      throw refusal;
    }
    describeDocument(document.loro, { type, createdAt: Date.now() });
    document.edit((editor) => init?.(editor));
    return document;
  }

  // Properties of the interface's types: the compiler does not compare two declarations of so deep a type parameter.
  readonly query: Workspace<S>["query"] = (type, query) => this.#rows.query(type, query);
  readonly page: Workspace<S>["page"] = (type, query) => this.#rows.page(type, query);
  readonly count: Workspace<S>["count"] = (type, query) => this.#rows.count(type, query);
  readonly countBy: Workspace<S>["countBy"] = (type, path, query) => this.#rows.countBy(type, path, query);
  readonly liveQuery: Workspace<S>["liveQuery"] = (type, query, callback, onFailure) =>
    this.#rows.liveQuery(type, query, callback, onFailure);
  readonly liveCount: Workspace<S>["liveCount"] = (type, query, callback, onFailure) =>
    this.#rows.liveCount(type, query, callback, onFailure);
  readonly liveCountBy: Workspace<S>["liveCountBy"] = (type, path, query, callback, onFailure) =>
    this.#rows.liveCountBy(type, path, query, callback, onFailure);

  /** Takes questions that will be asked, with their answers. */
  expect(first: ReadonlyArray<FirstAnswer>): void {
    this.#rows.expect(first);
  }

  async #setDeleted(id: DocumentId, deleted: boolean): Promise<void> {
    this.#requireWritable();
    await this.#withDocument(id, async (document) => {
      document.editLoro((loro) => setDeleted(loro, deleted));
      await document.durable();
    });
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
    checkTimeout(options.timeout);
    await Promise.all([...[...this.#open].map((document) => document.durable()), this.#appends.settled()]);
    await this.#engine.flush(this.id, options.tier ?? "device", options.timeout);
  }

  async createLink(options: Parameters<Workspace<S>["createLink"]>[0]): ReturnType<Workspace<S>["createLink"]> {
    checkLinkOptions(options);
    return this.#engine.createLink(this.id, {
      role: options.role,
      label: options.label ?? "",
      name: this.#info.name,
      maxUses: options.maxUses ?? 0,
      expiresInMillis: options.expiresInMillis,
    });
  }

  links(): ReturnType<Workspace<S>["links"]> {
    return this.#engine.links(this.id);
  }

  async revokeLink(link: LinkId): Promise<void> {
    checkLinkId(link);
    await this.#engine.revokeLink(this.id, link);
  }

  lastSeen(): ReturnType<Workspace<S>["lastSeen"]> {
    return this.#engine.lastSeen(this.id);
  }

  devices(): ReturnType<Workspace<S>["devices"]> {
    return this.#engine.devices(this.id);
  }

  /** The open document, or one that is open as long as `use` runs. */
  async #withDocument<A>(id: DocumentId, use: (document: PlainDocument) => Promise<A> | A): Promise<A> {
    for (const document of this.#open) {
      if (document.id !== id) continue;
      // A list may show what was stored a moment ago before the open document has taken it in.
      document.refresh();
      await document.refreshed();
      return use(document);
    }
    const document = await this.#openPlain(id);
    try {
      return await use(document);
    } finally {
      await document.close();
    }
  }

  readonly attach: Workspace<S>["attach"] = (id, source, options) => this.#attachments.attach(id, source, options);
  readonly removeAttachment: Workspace<S>["removeAttachment"] = (id, attachment) =>
    this.#attachments.removeAttachment(id, attachment);
  readonly onAttachments: Workspace<S>["onAttachments"] = (id, callback) =>
    this.#attachments.onAttachments(id, callback);
  readonly readAttachment: Workspace<S>["readAttachment"] = (id, attachment, options) =>
    this.#attachments.readAttachment(id, attachment, options);

  async *documents(): AsyncGenerator<AnyRow> {
    let after: DocumentId | undefined;
    do {
      const page = await this.#engine.documentPage(this.id, after, ROWS_AT_ONCE);
      yield* page.filter(({ type }) => type !== WORKSPACE_TYPE);
      after = page.at(-1)?.id;
    } while (after !== undefined);
  }

  async contentOf(id: DocumentId): Promise<{ readonly type: string; readonly content: unknown }> {
    checkDocumentId(id);
    const opened = await this.#stored(id);
    const { readStored } = await loadStored();
    return { type: opened.type, content: readStored(opened, (loro): unknown => loro.toJSON()) };
  }

  async inspect(id: DocumentId): Promise<DocumentInspection> {
    checkDocumentId(id);
    const opened = await this.#stored(id);
    const declared = documentTypeOf(this.#schema, opened.type);
    const { inspectStored } = await loadStored();
    return { type: opened.type, declared: declared !== undefined, ...inspectStored(opened, this.#schema, id) };
  }

  async #stored(id: DocumentId): Promise<OpenedForPage> {
    const opened = await this.#engine.openDocument(this.id, id);
    if (opened.snapshot === undefined && opened.updates.length === 0) throw new CairnError("document-unknown");
    return opened;
  }

  unknownDocuments(): Promise<ReadonlyArray<UnknownDocuments>> {
    return this.#engine.unknownDocuments(this.id);
  }

  async exportBackup(options: TransferOptions & BackupOptions = {}): Promise<ReadableStream<Uint8Array>> {
    const { onProgress, signal, passphrase, partial } = options;
    checkPassphrase(options);
    const backup = await this.#engine.exportBackup(this.id, { passphrase, partial });
    return watched(backup, { onProgress, signal });
  }

  async importBackup(
    backup: Blob | ReadableStream<Uint8Array>,
    options: TransferOptions & { readonly dryRun?: boolean; readonly passphrase?: string | undefined } = {},
  ): Promise<ImportReport> {
    const { dryRun = false, passphrase, signal, onProgress } = options;
    checkPassphrase(options);
    this.#rows.forgetAnswers();
    const transfer = onProgress === undefined ? undefined : crypto.randomUUID();
    const stop = this.#engine.subscribe((event) => {
      if (event.type === "transfer" && event.transfer === transfer) onProgress?.(event.done, event.total);
    });
    try {
      return await this.#engine.importBackup(this.id, backup, { dryRun, passphrase, transfer }, signal);
    } finally {
      stop();
    }
  }

  async append(document: DocumentId, type: TypeName<S>, update: Uint8Array): Promise<void> {
    checkDocumentId(document);
    this.#requireWritable();
    this.#rows.forgetAnswers();
    await this.#appends.add(document, type, update);
  }

  async leasePeer(): Promise<PeerLease> {
    const { lease, peer } = await this.#engine.leasePeer(this.id);
    return { peer, release: () => this.#engine.releasePeer(this.id, lease) };
  }

  /** Closes every open document, once its edits are durable, or once it is clear that they will not be. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#open].map((document) => document.close()));
  }
}

/** Documents bring Loro's WebAssembly, which takes a while to start: lists and everything else do without. */
const loadDocuments = () => import("./PlainDocument.ts");
const loadStored = () => import("./stored-documents.ts");
