/** The public types of a workspace: what an app does with it. */
import type { DeviceId, DocumentId, ErrorAction, LinkId, RoleName, WorkspaceId } from "@cairn/protocol";
import type { DocumentSchema, Editor, FieldsOf, FilterPath, Page, ValueCount } from "@cairn/schema";
import type { DocumentHandle, PeerLease } from "./document-api.ts";
import type { CairnError, CairnErrorCode } from "./errors.ts";
import type {
  AnyRow,
  CountedValue,
  CountQuery,
  DocumentInspection,
  ListQuery,
  Row,
  UnknownDocuments,
} from "./rows-api.ts";
import type { Unsubscribe } from "./subscription.ts";
import type { SyncControl } from "./sync-api.ts";
import type { CreatableTypeName, TypeName, TypeOf } from "./type-names.ts";

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
