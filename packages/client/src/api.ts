/**
 * The public types of `@cairn/client`: promises, plain callbacks and plain data, for the page and for Node alike.
 */
import type { DeviceId, DocumentId, ErrorAction, LinkId, RoleName, WorkspaceId } from "@cairn/protocol";
import type {
  AnyPatch,
  AskedAt,
  DocumentSchema,
  Editor,
  Fields,
  FieldsOf,
  FilterPath,
  Inspection,
  ListedFields,
  Page,
  Patch,
  Query,
  Scalar,
  ValueCount,
  Version,
  ViewOf,
} from "@cairn/schema";
import type { LoroDoc, PeerID } from "loro-crdt";
import type { CairnError, CairnErrorCode } from "./errors.ts";
import type { SyncControl, SyncOptions, Unsynced } from "./sync-api.ts";

/** Ends a subscription. Calling it again does nothing. */
export type Unsubscribe = () => void;

/** The names of a schema's document types. */
export type TypeName<S extends DocumentSchema> = Extract<keyof S["documents"], string>;
/** The names of those types of which new documents are made: all that are not deprecated. */
export type CreatableTypeName<S extends DocumentSchema> = {
  [T in TypeName<S>]: S["documents"][T] extends { readonly deprecated: true } ? never : T;
}[TypeName<S>];
/** A schema's document type by name. */
export type TypeOf<S extends DocumentSchema, T extends TypeName<S>> = S["documents"][T];

export interface OpenOptions<S extends DocumentSchema> {
  readonly schema: S;
  /** Origin of the server, such as `https://notes.example`. Without it nothing ever leaves the device. */
  readonly server?: string | undefined;
  /**
   * The invitation that a server with `CAIRN_REGISTRATION=invite` asks of those who bring it a workspace. It is kept on the
   * device, and sent to that server alone.
   */
  readonly invite?: string | undefined;
  /** How other devices see this one; sealed. */
  readonly deviceName?: string | undefined;
  /** Browsers: name of the local database. Default `cairn`. */
  readonly name?: string | undefined;
  /** Browsers: starts the app's worker module, which calls `runCairnWorker`. */
  readonly worker?: (() => Worker) | undefined;
  /** Node: the folder that holds the local store, made with mode 0700. */
  readonly directory?: string | undefined;
  /**
   * Node: starts the app's import thread, a `Worker` of `node:worker_threads` whose module calls `runImportThread`. Without it
   * imports run in the thread that opened the profile, which can do nothing else meanwhile; one can take minutes (rule 15).
   */
  readonly importThread?: (() => ImportThread) | undefined;
  /**
   * Node, with `importThread`: how long one import may take, in milliseconds, before it is given up with its thread, its
   * document is shown as merging, and it is begun again where nothing waits for it. Default 3,000. Browsers: see
   * `runCairnWorker`.
   */
  readonly importBudgetMillis?: number | undefined;
  /** How patiently the outbox tries. */
  readonly sync?: SyncOptions | undefined;
  /**
   * Browsers: the app's version, a number that grows with every release. Of two tabs with different ones the newer talks to
   * the server; `onUpdate` tells the other. Default 0.
   */
  readonly appVersion?: number | undefined;
  /**
   * Browsers: what to do where the browser has deleted the profile's data. `refuse` (the default) rejects with
   * `storage-lost` and makes nothing in its place; `start-anew` begins with an empty profile, as a person decided.
   */
  readonly afterLoss?: "refuse" | "start-anew" | undefined;
  /**
   * The lists that the app shows first, of the workspace used last: they are read before anything else, and the first query
   * (or live query) that asks the same has its answer at once.
   */
  readonly firstLists?: ReadonlyArray<FirstList<S>> | undefined;
}

/** What Cairn uses of a `Worker` of `node:worker_threads`, in words of its own: apps in browsers have no types of Node. */
export interface ImportThread {
  postMessage(message: unknown, transfer?: ReadonlyArray<unknown>): void;
  on(event: "message" | "messageerror" | "error" | "exit", listener: (value: unknown) => void): unknown;
  ref(): void;
  unref(): void;
  terminate(): Promise<unknown>;
}

/** A type's name and a query to its rows. */
export type FirstList<S extends DocumentSchema> = {
  readonly [T in TypeName<S>]: { readonly type: T; readonly query: ListQuery<S, T> };
}[TypeName<S>];

export interface WorkspaceInfo {
  readonly id: WorkspaceId;
  /** Sealed; empty until it is known here. */
  readonly name: string;
  readonly role: RoleName;
  readonly createdHere: boolean;
  readonly server: string | undefined;
  /** The lowest version of the app's schema that may write here, as far as this device knows; 1 until an owner raises it. */
  readonly minimumVersion: number;
}

/** An app that is older than a workspace's owner asks for. */
export interface AppOutdated {
  /** Of the app's schema. */
  readonly version: number;
  /** The lowest that may write. */
  readonly minimum: number;
}

/** What a link says before anything is joined. */
export interface LinkPreview {
  readonly workspace: WorkspaceId;
  readonly server: string;
  /** What the link lets a device do. */
  readonly role: RoleName;
  readonly alreadyJoined: boolean;
}

/** What a link's server and its maker say of it, before anything is joined. */
export interface LinkDetails {
  /** What the workspace was called when the link was made; empty where it had no name. */
  readonly name: string;
  readonly status: "live" | "revoked" | "expired" | "used-up";
  readonly expiresAt: number | undefined;
}

/**
 * The way out of a storage problem.
 * - `keep`: ask the browser to keep the data (`keepStorage()`, best on a click), or install the app.
 * - `free-space`: make room on the device; what waits is stored then.
 * - `close-tabs`: close the other tabs of this app, then reload.
 * - `reload`: load the page again; in Node, open the profile again.
 * - `restart`: restart the browser.
 * - `start-anew`: open with `afterLoss: "start-anew"`, then join again by a link, or restore a backup.
 * - `wait`: it is tried again by itself.
 */
export type StorageRemedy = "keep" | "free-space" | "close-tabs" | "reload" | "restart" | "start-anew" | "wait";

/** What is wrong with the device's storage, and what helps. Never passed over in silence. */
export interface StorageProblem {
  readonly code: CairnErrorCode & `storage-${string}`;
  readonly message: string;
  readonly action: ErrorAction;
  readonly remedy: StorageRemedy;
  /** Milliseconds since 1970. */
  readonly since: number;
}

export interface StorageState {
  /** The browser promised not to evict it. Always true in Node. */
  readonly persisted: boolean;
  /**
   * Whether the platform keeps the data until the person removes it: `kept`; `not-asked`, until there is something to lose;
   * or `refused`, as always in private windows.
   */
  readonly keeping: "kept" | "not-asked" | "refused";
  /** Bytes; undefined where the platform does not tell. */
  readonly usage: number | undefined;
  readonly quota: number | undefined;
  /** The worst thing that is wrong now. */
  readonly problem: StorageProblem | undefined;
}

/**
 * How the version of the app in this tab stands to the other tabs of the profile.
 * - `current`: no tab runs a newer one.
 * - `outdated`: another tab does. This one goes on storing edits, and leaves the network to the newer; show "reload to
 *   update". Nothing is forced.
 */
export interface UpdateState {
  readonly status: "current" | "outdated";
  /** Tabs of the profile that run an older version than this one, as far as they said so lately. */
  readonly olderTabs: number;
}

/** One profile on one device. */
export interface Cairn<S extends DocumentSchema> {
  readonly schema: S;
  workspaces(): ReadonlyArray<WorkspaceInfo>;
  /** Calls back at once, and on every change. */
  onWorkspaces(callback: (workspaces: ReadonlyArray<WorkspaceInfo>) => void): Unsubscribe;
  /** The given workspace, else the one used last, else the home workspace, which is made here without any server. */
  workspace(id?: WorkspaceId): Promise<Workspace<S>>;
  createWorkspace(options: { readonly name: string }): Promise<Workspace<S>>;
  /** Reads a link without joining and without the network. Rejects with `link-malformed`. */
  inspectLink(url: string): Promise<LinkPreview>;
  /**
   * Asks the link's server for what its maker sealed for those who have not joined, and whether it works. Nothing is
   * joined. Rejects with `offline` where the server cannot be reached or is too old to tell, and with `link-unknown`.
   */
  describeLink(url: string): Promise<LinkDetails>;
  /** Joins through a link; needs the network. Safe to repeat. Rejects with `link-*`, `offline`. */
  join(url: string): Promise<Workspace<S>>;
  /**
   * Gives the server the invitation that it asks for (`invite-invalid` in `SyncState.problem`), and tries at once. Rejects
   * with `invite-invalid` where the server does not take it, with `registration-closed`, with `invalid-argument`, and with
   * `offline` where it cannot be asked now: then the invitation is kept and tried later.
   */
  setInvite(invite: string): Promise<void>;
  /** What is only on this device, in all workspaces: to be shown before signing out. */
  unsynced(): Promise<Unsynced>;
  /** Deletes the local copy. Rejects with `pending-edits`, which carries `unsynced`, unless forced. */
  removeWorkspace(id: WorkspaceId, options?: { readonly force?: boolean }): Promise<void>;
  /**
   * Deletes all that this device has of this person: every workspace, their keys, and what the 24 words stand for. Rejects
   * with `pending-edits`, which carries `unsynced`, unless forced; nothing is deleted then. What is on servers stays there;
   * links of other devices bring it back. Safe to repeat where it was cut short. Afterwards the profile is as new.
   */
  signOut(options?: { readonly force?: boolean }): Promise<void>;
  /** The 24 words that open this person's home workspace again. */
  recoveryWords(): Promise<ReadonlyArray<string>>;
  storage(): Promise<StorageState>;
  /** Calls back with how storage is, and on every change. Asks nobody for anything. */
  onStorage(callback: (state: StorageState) => void): Unsubscribe;
  /**
   * Asks the browser to keep the data. The first stored edit and the first join do so by themselves; some browsers agree
   * only on a click. Resolves with what came of it.
   */
  keepStorage(): Promise<StorageState>;
  /** Calls back at once, and on every change. Never changes in Node, where one process has the profile. */
  onUpdate(callback: (state: UpdateState) => void): Unsubscribe;
  /** Whether this tab, or process, is the one that talks to servers for all of the profile. */
  leads(): Promise<boolean>;
  close(): Promise<void>;
}

/** How safe the edits are, and what stands in the way. */
export interface SyncState {
  readonly status:
    | "local-only"
    | "paused"
    | "offline"
    | "connecting"
    | "syncing"
    | "stalled"
    | "up-to-date"
    | "problem";
  readonly server: string | undefined;
  /** Documents with edits that the server has not acknowledged. */
  readonly pendingDocuments: number;
  /** Their size in bytes. */
  readonly pendingBytes: number;
  /** Entries of the log that are known to be on the server and not here yet. */
  readonly incoming: number;
  /** Milliseconds since 1970. */
  readonly offlineSince: number | undefined;
  readonly lastSyncedAt: number | undefined;
  readonly problem: SyncProblem | undefined;
  /** Documents with edits that were refused for good and are kept aside: see `deadLetters`. */
  readonly parked: number;
  /**
   * Set while many rows are made in the background, by one tab for all: of documents that have just come, and of those whose
   * rows another version of the app made. Lists can be read all the time: such a row shows what fits, and the defaults of what
   * does not, and one that has just come is `arriving`.
   */
  readonly preparing: Preparation | undefined;
  /** The lowest version of the app's schema that may write here; 1 until an owner raises it. It never falls. */
  readonly minimumVersion: number;
  /**
   * Set where this app is older than that: nothing new can be written (`app-outdated`) until the app is updated. What was
   * written before is still sent, and everything else goes on.
   */
  readonly appOutdated: AppOutdated | undefined;
}

/** How far the rows are. What comes meanwhile is added to `total`; `done` does not fall. */
export interface Preparation {
  readonly done: number;
  readonly total: number;
}

export interface SyncProblem {
  readonly code: CairnErrorCode;
  readonly message: string;
  readonly action: ErrorAction;
}

/**
 * Which rows of a type are wanted, in which order and how many: JSON, typed from the schema. Everything runs over
 * projections and their indexes; no document is opened.
 */
export type ListQuery<S extends DocumentSchema, T extends TypeName<S>> = Query<TypeOf<S, T>>;

/** What can be counted, by one path: the different values of a filterable field. */
export type CountQuery<S extends DocumentSchema, T extends TypeName<S>> = Pick<
  ListQuery<S, T>,
  "where" | "search" | "deleted"
>;

/** What `countBy` counts at a path. */
export type CountedValue<S extends DocumentSchema, T extends TypeName<S>, P extends string> = Extract<
  AskedAt<FieldsOf<TypeOf<S, T>>, P>,
  Scalar
>;

/** One line of a list. */
export interface Row<S extends DocumentSchema, T extends TypeName<S>> {
  readonly id: DocumentId;
  readonly type: T;
  readonly fields: ListedFields<FieldsOf<TypeOf<S, T>>>;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly deleted: boolean;
  /**
   * Where values of these fields, or of those that are searched, do not fit the schema and read as defaults: JSON Pointers
   * (RFC 6901), 20 at most. Absent where all fit. `inspect` says more.
   */
  readonly invalid?: ReadonlyArray<string>;
  /** It was received a moment ago and is not opened yet: `fields` are the type's defaults. */
  readonly arriving: boolean;
}

export interface LinkInfo {
  readonly link: LinkId;
  readonly label: string;
  readonly role: RoleName;
  readonly uses: number;
  /** 0: any number. */
  readonly maxUses: number;
  readonly expiresAt: number | undefined;
  readonly status: "live" | "revoked" | "expired" | "used-up";
}

export interface DeviceInfo {
  readonly device: DeviceId;
  readonly name: string;
  readonly role: RoleName;
  readonly self: boolean;
  readonly active: boolean;
}

export interface AttachmentInfo {
  readonly id: string;
  readonly name: string;
  readonly mediaType: string;
  /** Bytes. */
  readonly size: number;
  /** `local`: only here. `stored`: on the server. `remote`: not fetched yet. */
  readonly state: "local" | "stored" | "remote";
}

/** A file to attach. `data` is read once. */
export interface AttachmentSource {
  readonly name: string;
  readonly mediaType: string;
  /** Bytes. */
  readonly size: number;
  readonly data: Blob | Uint8Array | AsyncIterable<Uint8Array>;
}

export interface TransferOptions {
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface BackupOptions {
  /** Only who has it can read the file. Without it the file can be read by everyone. Not empty. */
  readonly passphrase?: string | undefined;
  /** Leaves out attachments that cannot be had now, and says so in the file. Otherwise the stream fails. */
  readonly partial?: boolean | undefined;
}

/** What an import did, or would do. `new…` is what was not here, in any form. */
export interface ImportReport {
  readonly dryRun: boolean;
  readonly documents: number;
  readonly newDocuments: number;
  /** Those of the new documents that are put beside one of the same origin that is here in another state. */
  readonly copies: number;
  /** Edits that made the documents. */
  readonly updates: number;
  readonly newUpdates: number;
  readonly attachments: number;
  readonly newAttachments: number;
}

/** A document of any type, also of one that the app does not declare. */
export interface AnyRow {
  readonly id: DocumentId;
  readonly type: string;
  /** The fields for lists, where the type is declared. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly deleted: boolean;
  /** As a `Row` has it, where the type is declared. */
  readonly invalid?: ReadonlyArray<string>;
}

/** Documents of a type that the app does not declare. */
export interface UnknownDocuments {
  readonly type: string;
  /** Those in the bin included. */
  readonly documents: number;
}

/** What an app cannot make sense of in a document; all of it stays in the document as it is. */
export interface DocumentInspection extends Pick<Inspection<Fields>, "invalid" | "unknown"> {
  readonly type: string;
  /** Whether the schema declares the type. */
  readonly declared: boolean;
}

/** A workspace as an app uses it. */
export interface Workspace<S extends DocumentSchema> extends SyncControl {
  readonly id: WorkspaceId;
  info(): WorkspaceInfo;
  rename(name: string): Promise<void>;
  /** The lowest version of the app's schema that may write here, as far as this device knows; 1 until an owner raises it. */
  minimumVersion(): number;
  /**
   * Makes every device whose app is older read-only until it is updated; what such a device has written is still sent and
   * taken. It cannot be taken back. `version` is that of this app's schema unless told. Resolves with the minimum from now
   * on, which another owner may have raised further. Needs the network and an owner's device; rejects with `owner-required`,
   * `invalid-argument` (above this app's own version, so that nobody locks themselves out), `no-server`, `offline`.
   */
  raiseMinimumVersion(version?: number): Promise<number>;
  /** Rejects with `type-deprecated` for a type of which this version of the app makes no new documents. */
  create<T extends CreatableTypeName<S>>(
    type: T,
    init?: (document: Editor<TypeOf<S, T>>) => void,
  ): Promise<DocumentHandle<S, T>>;
  open<T extends TypeName<S>>(type: T, id: DocumentId): Promise<DocumentHandle<S, T>>;
  /**
   * The one document of a type in this workspace, its settings for instance; with a `key`, text of at most 200 UTF-16 units,
   * the one under that key. Its id follows from both and from the workspace, on every device the same: devices that write
   * to it before they have heard of each other write to the same document, and what they wrote is merged. Opening it writes
   * nothing; its first edit makes it. Once deleted it is deleted until it is restored: there is no other one. Rejects with
   * `type-unknown` and `invalid-argument`.
   */
  singleton<T extends TypeName<S>>(type: T, key?: string): Promise<DocumentHandle<S, T>>;
  /** Rejects with `query-invalid`, whose `cause` is a `QueryInvalid` that names the place in the query. */
  query<T extends TypeName<S>>(type: T, query?: ListQuery<S, T>): Promise<ReadonlyArray<Row<S, T>>>;
  /** Rows with where the next page begins: hand `next` back as `after`, with the same sorting. */
  page<T extends TypeName<S>>(type: T, query: ListQuery<S, T>): Promise<Page<Row<S, T>>>;
  /** How many rows there are. */
  count<T extends TypeName<S>>(type: T, query?: CountQuery<S, T>): Promise<number>;
  /** The different values at a path with how many rows have each, the most frequent first. */
  countBy<T extends TypeName<S>, P extends string>(
    type: T,
    path: P & FilterPath<FieldsOf<TypeOf<S, T>>>,
    query?: CountQuery<S, T>,
  ): Promise<ReadonlyArray<ValueCount<CountedValue<S, T, P>>>>;
  /**
   * Calls back with what is here, and again whenever that has changed: rows that did not change are the same objects.
   * `onFailure` hears why there is no answer; the next change asks again.
   */
  liveQuery<T extends TypeName<S>>(
    type: T,
    query: ListQuery<S, T>,
    callback: (rows: ReadonlyArray<Row<S, T>>) => void,
    onFailure?: (failure: CairnError) => void,
  ): Unsubscribe;
  liveCount<T extends TypeName<S>>(
    type: T,
    query: CountQuery<S, T>,
    callback: (count: number) => void,
    onFailure?: (failure: CairnError) => void,
  ): Unsubscribe;
  liveCountBy<T extends TypeName<S>, P extends string>(
    type: T,
    path: P & FilterPath<FieldsOf<TypeOf<S, T>>>,
    query: CountQuery<S, T>,
    callback: (counts: ReadonlyArray<ValueCount<CountedValue<S, T, P>>>) => void,
    onFailure?: (failure: CairnError) => void,
  ): Unsubscribe;
  /** An edit, which `restore` takes back. */
  delete(id: DocumentId): Promise<void>;
  restore(id: DocumentId): Promise<void>;
  sync(): SyncState;
  /** Calls back at once, and on every change. */
  onSync(callback: (state: SyncState) => void): Unsubscribe;
  /**
   * Resolves when everything handed over so far is durable on this device (`device`, the default), or acknowledged by the
   * server (`server`). Rejects with `timeout`, `no-server`, or the problem that stands in the way.
   */
  flush(options?: { readonly tier?: "device" | "server"; readonly timeout?: number }): Promise<void>;
  /** Makes a link that lets devices in. Needs the network and an owner's device. */
  createLink(options: {
    readonly role: "writer" | "reader";
    readonly label?: string;
    readonly maxUses?: number;
    readonly expiresInMillis?: number;
  }): Promise<{ readonly url: string; readonly link: LinkId }>;
  links(): Promise<ReadonlyArray<LinkInfo>>;
  revokeLink(link: LinkId): Promise<void>;
  devices(): Promise<ReadonlyArray<DeviceInfo>>;
  /** When the server last heard of each device. Needs the network; rejects with `owner-required` on others' devices. */
  lastSeen(): Promise<ReadonlyArray<{ readonly device: DeviceId; readonly at: number }>>;
  attach(document: DocumentId, source: AttachmentSource, options?: TransferOptions): Promise<AttachmentInfo>;
  removeAttachment(document: DocumentId, attachment: string): Promise<void>;
  /** Calls back at once, and on every change. */
  onAttachments(document: DocumentId, callback: (attachments: ReadonlyArray<AttachmentInfo>) => void): Unsubscribe;
  readAttachment(
    document: DocumentId,
    attachment: string,
    options?: TransferOptions,
  ): Promise<ReadableStream<Uint8Array>>;
  /** All documents, also those of types that the schema does not declare, in the order of ids. */
  documents(): AsyncIterable<AnyRow>;
  /**
   * How many documents there are of types that this version of the app does not declare, the most frequent first: a newer
   * app made them, or an older one whose types were removed. They are kept and synced as they are.
   */
  unknownDocuments(): Promise<ReadonlyArray<UnknownDocuments>>;
  /** What this version of the app cannot make sense of in a document. Rejects with `document-unknown`. */
  inspect(id: DocumentId): Promise<DocumentInspection>;
  /** What a document says, as plain JSON and without its schema. Rejects with `document-unknown`. */
  contentOf(id: DocumentId): Promise<{ readonly type: string; readonly content: unknown }>;
  /**
   * Everything as one file (`docs/backup.md`), streamed. The stream fails with `attachment-unavailable` where bytes of an
   * attachment are only on a server out of reach. Progress is in bytes; the total is not known and given as 0.
   */
  exportBackup(options?: TransferOptions & BackupOptions): Promise<ReadableStream<Uint8Array>>;
  /**
   * Brings back what is not here; repeating it changes nothing. Rejects with `backup-malformed`, `backup-protected`
   * (it needs its passphrase) or `backup-wrong-key` (it is another one), and then nothing was changed; with `aborted`, after
   * which importing it again goes on. Give a `Blob` where there is one (a `File`; in Node `openAsBlob`): it is read twice
   * without being held in memory. Progress is in bytes over both readings; what is here already is read once.
   */
  importBackup(
    backup: Blob | ReadableStream<Uint8Array>,
    options?: TransferOptions & { readonly dryRun?: boolean; readonly passphrase?: string | undefined },
  ): Promise<ImportReport>;
  /** Low level: hands over the bytes of local Loro operations, made under a leased peer. Resolves when they are durable. */
  append(document: DocumentId, type: TypeName<S>, update: Uint8Array): Promise<void>;
  /** Low level: a Loro peer id that nobody else writes with until it is released (rule 13). */
  leasePeer(): Promise<PeerLease>;
}

export interface PeerLease {
  readonly peer: PeerID;
  release(): Promise<void>;
}

/** An open document. */
export interface DocumentHandle<S extends DocumentSchema, T extends TypeName<S>> {
  readonly id: DocumentId;
  readonly type: T;
  /** Whether it is in the bin: what `delete` and `restore` of the workspace change, here or elsewhere. */
  deleted(): boolean;
  /** For editor bindings. Its commits travel by themselves; what others wrote is imported into it. */
  readonly loro: LoroDoc;
  read(): ViewOf<FieldsOf<TypeOf<S, T>>>;
  /** What `read` gives, with what does not fit the type and what the type does not declare. */
  inspect(): Inspection<FieldsOf<TypeOf<S, T>>>;
  /** One commit; the first edit of a field that an earlier version stores in another form brings one more. */
  edit(change: (document: Editor<TypeOf<S, T>>) => void): void;
  /** One commit, of all operations or none. Throws `patch-invalid`, whose `cause` is a `PatchInvalid`. */
  patch(patch: Patch<TypeOf<S, T>>): void;
  /** What happened since a version (`loro.frontiers()` of then), as a patch. */
  patchSince(version: Version): AnyPatch;
  /**
   * `replaced`: `loro` is another document from now on, because merging what was received would have taken too long here
   * (rule 15); bind editors anew.
   */
  onChange(callback: (event: { readonly origin: "local" | "remote" | "replaced" }) => void): Unsubscribe;
  /** All commits so far are durable on this device. */
  saved(): boolean;
  /** Calls back at once, and on every change; `failure` says why edits cannot be stored right now. They are kept and tried again. */
  onSaved(callback: (saved: boolean, failure: CairnError | undefined) => void): Unsubscribe;
  /** An import takes long and goes on elsewhere; the content here is older (rule 15). */
  merging(): boolean;
  /**
   * Why nothing new can be written here, as `edit` and `patch` throw it (`app-outdated`); undefined where it can. Commits that
   * a binding makes in `loro` all the same are not stored, which `onSaved` says.
   */
  readOnly(): CairnError | undefined;
  /** Calls back at once, and when it changes. What was committed in `loro` before is stored. */
  onReadOnly(callback: (reason: CairnError | undefined) => void): Unsubscribe;
  close(): Promise<void>;
}
