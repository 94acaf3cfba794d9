/** A workspace on the page: documents, lists, sync state, links, attachments. */
import { generateDocumentId, systemRandom } from "@cairn/crypto";
import type { DocumentId, LinkId, WorkspaceId } from "@cairn/protocol";
import {
  checkQuery,
  describeDocument,
  type DocumentSchema,
  type DocumentType,
  editDocument,
  type Editor,
  type Page,
  requirePath,
  type Scalar,
  setDeleted,
  type ValueCount,
} from "@cairn/schema";
import type {
  AnyRow,
  AttachmentInfo,
  AttachmentSource,
  CountQuery,
  CreatableTypeName,
  DocumentHandle,
  DocumentInspection,
  BackupOptions,
  ImportReport,
  ListQuery,
  PeerLease,
  Row,
  SyncState,
  TransferOptions,
  TypeName,
  TypeOf,
  UnknownDocuments,
  Unsubscribe,
  Workspace,
  WorkspaceInfo,
} from "../api.ts";
import { appOutdatedBy, appOutdatedError } from "../app-version.ts";
import type {
  EngineApi,
  EngineEvent,
  OpenedForPage,
  PlainRow,
  PlainSyncState,
  RowQuestion,
} from "../engine/EngineApi.ts";
import { documentTypeOf, WORKSPACE_TYPE, workspaceType } from "../engine/engine-schema.ts";
import { CairnError } from "../errors.ts";
import type { OutboxState } from "../sync-api.ts";
import { watched } from "../backup/streams.ts";
import * as Attachments from "./attachments.ts";
import {
  checkDocumentId,
  checkLinkId,
  checkLinkOptions,
  checkMinimumVersion,
  checkPassphrase,
  checkSize,
  checkTimeout,
  checkWorkspaceName,
} from "./check-arguments.ts";
import { GatheredAppends } from "./GatheredAppends.ts";
import { OpenDocument } from "./OpenDocument.ts";
import { keepSame, LiveAnswers, mergeRows, sameJson } from "./LiveAnswers.ts";
import { toPageError } from "./page-errors.ts";
import type { PlainDocument } from "./PlainDocument.ts";
import { WorkspaceSync } from "./WorkspaceSync.ts";

/** A question with its answer of a moment ago. */
interface FirstAnswer extends RowQuestion {
  readonly page: Page<PlainRow>;
}

/** The attachments of a document that changes are looked at no more often. */
const ATTACHMENTS_MILLIS = 100;

/** Rows that cross from the engine in one go. */
const ROWS_AT_ONCE = 500;

export class OpenWorkspace<S extends DocumentSchema> extends WorkspaceSync implements Workspace<S> {
  readonly id: WorkspaceId;
  readonly #engine: EngineApi;
  readonly #schema: S;
  readonly #defaultFields = new Map<string, PlainRow["fields"]>();
  readonly #appends: GatheredAppends;
  #info: WorkspaceInfo;
  #plainSync: PlainSyncState;
  #sync: SyncState;
  readonly #open = new Set<PlainDocument>();
  readonly #live = new LiveAnswers();
  readonly #syncListeners = new Set<(state: SyncState) => void>();
  readonly #changeListeners = new Set<(documents: ReadonlySet<DocumentId>) => void>();
  readonly #attachmentListeners = new Set<() => void>();
  /** For whoever asks them first, as long as nothing has changed since. */
  #first: ReadonlyArray<FirstAnswer> = [];

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
    this.#info = info;
    this.#plainSync = sync;
    this.#sync = this.#judged();
  }

  /** The engine says that something changed. */
  handle(event: EngineEvent): void {
    switch (event.type) {
      case "documents": {
        this.#first = [];
        const documents = new Set(event.documents);
        for (const document of this.#open) {
          const index = event.documents.indexOf(document.id);
          if (index >= 0) document.refresh(event.writers?.[index]);
        }
        for (const listener of this.#changeListeners) listener(documents);
        this.#live.changed(event.types === undefined ? undefined : new Set(event.types));
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
        for (const listener of this.#attachmentListeners) listener();
        break;
      case "rebuilt":
        for (const document of this.#open) if (document.id === event.document) document.reopen();
        for (const listener of this.#changeListeners) listener(new Set([event.document]));
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

  /** Takes questions that will be asked, with their answers. */
  expect(first: ReadonlyArray<FirstAnswer>): void {
    this.#first = first;
  }

  #askRows(type: string, query: unknown): Promise<Page<PlainRow>> {
    const found = this.#first.find((first) => first.type === type && sameJson(first.query, query));
    if (found === undefined) return this.#engine.query(this.id, type, query);
    this.#first = this.#first.filter((first) => first !== found);
    return Promise.resolve(found.page);
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
    this.#first = [];
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

  /** The declared type; a query is checked against it before it goes anywhere. */
  #checked(type: TypeName<S>, check: (declared: DocumentType) => void): void {
    const declared = this.#schema.documents[type];
    if (declared === undefined || !Object.hasOwn(this.#schema.documents, type)) throw new CairnError("type-unknown");
    try {
      check(declared);
    } catch (error) {
      throw toPageError(error);
    }
  }

  async query<T extends TypeName<S>>(type: T, query: ListQuery<S, T> = {}): Promise<ReadonlyArray<Row<S, T>>> {
    return (await this.page(type, query)).rows;
  }

  async page<T extends TypeName<S>>(type: T, query: ListQuery<S, T>): Promise<Page<Row<S, T>>> {
    this.#checked(type, (declared) => void checkQuery(declared, query));
    const { rows, next } = await this.#askRows(type, query);
    if (rows.every(isOpened)) return { rows: rows.map((row) => toRow<S, T>({ ...row, arriving: false })), next };
    const { defaultFields } = await loadDocuments();
    return { rows: rows.map((row) => toRow<S, T>(this.#filled(row, defaultFields))), next };
  }

  async count<T extends TypeName<S>>(type: T, query: CountQuery<S, T> = {}): Promise<number> {
    this.#checked(type, (declared) => void checkQuery(declared, query));
    return this.#engine.count(this.id, type, query);
  }

  // Properties of the interface's types: the compiler does not compare two declarations of so deep a type parameter.
  readonly countBy: Workspace<S>["countBy"] = (type, path, query) => this.#countBy(type, path, query);

  async #countBy<T extends TypeName<S>, V extends Scalar>(
    type: T,
    path: string,
    query: CountQuery<S, T> = {},
  ): Promise<ReadonlyArray<ValueCount<V>>> {
    this.#checked(type, (declared) => {
      checkQuery(declared, query);
      requirePath(declared, path, []);
    });
    const counts = await this.#engine.countBy(this.id, type, path, query);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- values that stand at this path of this type
    return counts as ReadonlyArray<ValueCount<V>>;
  }

  /** What arrived and was not applied yet has no projection: it is listed with its type's defaults, never with less. */
  #filled(row: PlainRow, defaultsOf: (type: DocumentType) => PlainRow["fields"]): ShownRow {
    const declared = isOpened(row) ? undefined : this.#schema.documents[row.type];
    if (declared === undefined) return { ...row, arriving: false };
    let defaults = this.#defaultFields.get(row.type);
    if (defaults === undefined) {
      defaults = defaultsOf(declared);
      this.#defaultFields.set(row.type, defaults);
    }
    return { ...row, fields: defaults, arriving: true };
  }

  liveQuery<T extends TypeName<S>>(
    type: T,
    query: ListQuery<S, T>,
    callback: (rows: ReadonlyArray<Row<S, T>>) => void,
    onFailure?: (failure: CairnError) => void,
  ): Unsubscribe {
    return this.#live.ask(type, () => this.query(type, query), mergeRows, callback, onFailure);
  }

  liveCount<T extends TypeName<S>>(
    type: T,
    query: CountQuery<S, T>,
    callback: (count: number) => void,
    onFailure?: (failure: CairnError) => void,
  ): Unsubscribe {
    return this.#live.ask(type, () => this.count(type, query), keepSame, callback, onFailure);
  }

  readonly liveCountBy: Workspace<S>["liveCountBy"] = (type, path, query, callback, onFailure) =>
    this.#liveCountBy(type, path, query, callback, onFailure);

  #liveCountBy<T extends TypeName<S>, V extends Scalar>(
    type: T,
    path: string,
    query: CountQuery<S, T>,
    callback: (counts: ReadonlyArray<ValueCount<V>>) => void,
    onFailure: ((failure: CairnError) => void) | undefined,
  ): Unsubscribe {
    return this.#live.ask(type, () => this.#countBy<T, V>(type, path, query), keepSame, callback, onFailure);
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

  #attachmentContext(): Attachments.AttachmentContext {
    return { engine: this.#engine, schema: this.#schema, workspace: this.id };
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

  async attach(id: DocumentId, source: AttachmentSource, options: TransferOptions = {}): Promise<AttachmentInfo> {
    checkSize(source.size);
    this.#requireWritable();
    const info = await this.#withDocument(id, (document) =>
      Attachments.attach(this.#attachmentContext(), document, source, options),
    );
    for (const listener of this.#attachmentListeners) listener();
    return info;
  }

  async removeAttachment(id: DocumentId, attachment: string): Promise<void> {
    this.#requireWritable();
    await this.#withDocument(id, (document) =>
      Attachments.removeAttachment(this.#attachmentContext(), document, attachment),
    );
  }

  onAttachments(id: DocumentId, callback: (attachments: ReadonlyArray<AttachmentInfo>) => void): Unsubscribe {
    let ended = false;
    const list = async (): Promise<void> => {
      const attachments = await this.#withDocument(id, (document) =>
        Attachments.listAttachments(this.#attachmentContext(), document),
      );
      if (!ended) callback(attachments);
    };
    const tell = (): void => {
      // A document that cannot be opened has no attachments to show; the next change asks again.
      list().catch(() => undefined);
    };
    // Each key pressed in a document changes it, and hardly ever its attachments.
    let soon: ReturnType<typeof setTimeout> | undefined;
    const onDocuments = (documents: ReadonlySet<DocumentId>): void => {
      if (!documents.has(id)) return;
      soon ??= setTimeout(() => {
        soon = undefined;
        tell();
      }, ATTACHMENTS_MILLIS);
    };
    this.#attachmentListeners.add(tell);
    this.#changeListeners.add(onDocuments);
    tell();
    return () => {
      ended = true;
      clearTimeout(soon);
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
    const { readStored } = await loadDocuments();
    return { type: opened.type, content: readStored(opened, (loro): unknown => loro.toJSON()) };
  }

  async inspect(id: DocumentId): Promise<DocumentInspection> {
    checkDocumentId(id);
    const opened = await this.#stored(id);
    const declared = documentTypeOf(this.#schema, opened.type);
    const { inspectStored } = await loadDocuments();
    return { type: opened.type, declared: declared !== undefined, ...inspectStored(opened, declared) };
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
    this.#first = [];
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
    this.#first = [];
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

const isOpened = (row: PlainRow): boolean => Object.keys(row.fields).length > 0;

type ShownRow = PlainRow & { readonly arriving: boolean };

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the engine's rows are what `project` made of this type
const toRow = <S extends DocumentSchema, T extends TypeName<S>>(row: ShownRow): Row<S, T> => row as Row<S, T>;
