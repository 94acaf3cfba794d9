/** The public types of a profile: opening it, and what one has on a device. Promises, callbacks and plain data alone. */
import type { ErrorAction, RoleName, WorkspaceId } from "@cairn/protocol";
import type { DocumentSchema } from "@cairn/schema";
import type { CairnErrorCode } from "./errors.ts";
import type { ListQuery } from "./rows-api.ts";
import type { Unsubscribe } from "./subscription.ts";
import type { SyncOptions, Unsynced } from "./sync-api.ts";
import type { TypeName } from "./type-names.ts";
import type { Workspace, WorkspaceInfo } from "./workspace-api.ts";

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
