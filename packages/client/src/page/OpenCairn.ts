/** The profile on the page: the public `Cairn` over an engine, wherever that runs. */
import type { WorkspaceId } from "@cairn/protocol";
import type { DocumentSchema } from "@cairn/schema";
import type { Cairn, LinkDetails, LinkPreview, StorageState, UpdateState } from "../api.ts";
import type { Unsubscribe } from "../subscription.ts";
import type { Workspace, WorkspaceInfo } from "../workspace-api.ts";
import { WORKSPACE_TYPE } from "../engine/engine-schema.ts";
import type { EngineApi, EngineEvent, RowQuestion } from "../engine/EngineApi.ts";
import { sumUnsynced } from "../engine/sum-unsynced.ts";
import { CairnError } from "../errors.ts";
import type { StorageConnection } from "../platform/StorageConnection.ts";
import type { Unsynced } from "../sync-api.ts";
import { checkedInvite, checkWorkspaceName } from "./check-arguments.ts";
import { OpenWorkspace } from "./OpenWorkspace.ts";

export interface OpenCairnOptions<S extends DocumentSchema> {
  readonly schema: S;
  readonly engine: EngineApi;
  readonly storage: StorageConnection;
  /** Ends the engine and gives up what the platform lent. */
  readonly close: () => Promise<void>;
}

export class OpenCairn<S extends DocumentSchema> implements Cairn<S> {
  readonly schema: S;
  readonly #options: OpenCairnOptions<S>;
  readonly #open = new Map<WorkspaceId, Promise<OpenWorkspace<S>>>();
  readonly #ready = new Map<WorkspaceId, OpenWorkspace<S>>();
  readonly #listeners = new Set<(workspaces: ReadonlyArray<WorkspaceInfo>) => void>();
  readonly #unsubscribe: Unsubscribe;
  readonly #updateListeners = new Set<(state: UpdateState) => void>();
  readonly #storageStops = new Set<Unsubscribe>();
  #workspaces: ReadonlyArray<WorkspaceInfo> = [];
  #update: UpdateState = { status: "current", olderTabs: 0 };
  /** The workspace used last, until it is asked for or may be another one. */
  #current: OpenWorkspace<S> | undefined;
  /** Something was told that may be missing in what is read at the beginning. */
  #isOvertaken = false;

  constructor(options: OpenCairnOptions<S>) {
    this.schema = options.schema;
    this.#options = options;
    this.#unsubscribe = options.engine.subscribe((event) => this.#handle(event));
  }

  #handle(event: EngineEvent): void {
    if (event.type === "workspaces" || event.type === "documents") this.#isOvertaken = true;
    if (event.type === "workspaces") {
      this.#current = undefined;
      this.#refreshSoon();
      return;
    }
    if (event.type === "storage" || event.type === "transfer") return;
    if (event.type === "update") {
      this.#update = event.state;
      for (const listener of this.#updateListeners) listener(event.state);
      return;
    }
    this.#ready.get(event.workspace)?.handle(event);
    // The workspace's name is a document of its own.
    if (event.type === "documents" && (event.types?.includes(WORKSPACE_TYPE) ?? true)) this.#refreshSoon();
  }

  #refreshSoon(): void {
    // The store was closed meanwhile, or does not answer: the next change asks again.
    this.refresh().catch(() => undefined);
  }

  /** Reads all that the page begins with. */
  async begin(first: ReadonlyArray<RowQuestion> = []): Promise<void> {
    const { current, update, workspaces } = await this.#options.engine.beginning(first);
    this.#update = update;
    this.#workspaces = workspaces;
    if (this.#isOvertaken) return this.refresh();
    if (current === undefined) return;
    const { info, outbox, sync } = current;
    const opened = new OpenWorkspace(this.#options.engine, this.schema, info, sync, outbox);
    opened.expect(
      first.flatMap((question, index) => {
        const page = current.first[index];
        return page === undefined ? [] : [{ ...question, page }];
      }),
    );
    this.#ready.set(info.id, opened);
    this.#open.set(info.id, Promise.resolve(opened));
    this.#current = opened;
  }

  /** Reads the list of workspaces anew. */
  async refresh(): Promise<void> {
    this.#update = await this.#options.engine.updateState();
    const workspaces = await this.#options.engine.workspaces();
    const same = JSON.stringify(workspaces) === JSON.stringify(this.#workspaces);
    this.#workspaces = workspaces;
    for (const info of workspaces) this.#ready.get(info.id)?.setInfo(info);
    if (!same) for (const listener of this.#listeners) listener(workspaces);
  }

  workspaces(): ReadonlyArray<WorkspaceInfo> {
    return this.#workspaces;
  }

  onWorkspaces(callback: (workspaces: ReadonlyArray<WorkspaceInfo>) => void): Unsubscribe {
    this.#listeners.add(callback);
    callback(this.#workspaces);
    return () => void this.#listeners.delete(callback);
  }

  #openWorkspace(info: WorkspaceInfo): Promise<OpenWorkspace<S>> {
    const known = this.#open.get(info.id);
    if (known !== undefined) return known;
    const { engine } = this.#options;
    const opened = Promise.all([engine.syncState(info.id), engine.outbox(info.id)]).then(([sync, outbox]) => {
      const workspace = new OpenWorkspace(engine, this.schema, info, sync, outbox);
      this.#ready.set(info.id, workspace);
      // Asked for meanwhile, and told to nobody.
      const newer = this.#workspaces.find(({ id }) => id === info.id);
      if (newer !== undefined) workspace.setInfo({ ...info, minimumVersion: newer.minimumVersion });
      return workspace;
    });
    this.#open.set(info.id, opened);
    opened.catch(() => this.#open.delete(info.id));
    return opened;
  }

  async workspace(id?: WorkspaceId): Promise<Workspace<S>> {
    const { engine } = this.#options;
    const begun = this.#current;
    this.#current = undefined;
    if (id === undefined && begun !== undefined) return begun;
    const info = id === undefined ? await engine.currentWorkspace() : await engine.selectWorkspace(id);
    // Side by side: an app's first list waits for both.
    const [workspace] = await Promise.all([this.#openWorkspace(info), this.refresh()]);
    return workspace;
  }

  async createWorkspace(options: { readonly name: string }): Promise<Workspace<S>> {
    checkWorkspaceName(options.name);
    this.#current = undefined;
    const workspace = await this.#openWorkspace(await this.#options.engine.createWorkspace());
    if (options.name !== "") await workspace.rename(options.name);
    await this.refresh();
    return workspace;
  }

  inspectLink(url: string): Promise<LinkPreview> {
    return this.#options.engine.inspectLink(url);
  }

  describeLink(url: string): Promise<LinkDetails> {
    return this.#options.engine.describeLink(url);
  }

  async join(url: string): Promise<Workspace<S>> {
    this.#current = undefined;
    const info = await this.#options.engine.join(url);
    await this.refresh();
    return this.#openWorkspace(info);
  }

  async setInvite(invite: string): Promise<void> {
    await this.#options.engine.setInvite(checkedInvite(invite));
  }

  async unsynced(): Promise<Unsynced> {
    const { engine } = this.#options;
    const infos = await engine.workspaces();
    return sumUnsynced(await Promise.all(infos.map(({ id }) => engine.unsynced(id))));
  }

  async removeWorkspace(id: WorkspaceId, options: { readonly force?: boolean } = {}): Promise<void> {
    const force = options.force ?? false;
    this.#current = undefined;
    await this.#giveUp([id], force);
    await this.#options.engine.removeWorkspace(id, force);
    this.#ready.delete(id);
    this.#open.delete(id);
    await this.refresh();
  }

  /** Closes what is open of workspaces that are to be deleted; not where that is refused. */
  async #giveUp(ids: ReadonlyArray<WorkspaceId>, force: boolean): Promise<void> {
    const ready = ids.flatMap((id) => this.#ready.get(id) ?? []);
    if (!force) {
      await Promise.all(ready.map((workspace) => workspace.flush()));
      const unsynced = sumUnsynced(await Promise.all(ids.map((id) => this.#options.engine.unsynced(id))));
      if (unsynced.documents > 0) throw new CairnError("pending-edits", undefined, { unsynced });
    }
    await Promise.all(ready.map((workspace) => workspace.close()));
  }

  async signOut(options: { readonly force?: boolean } = {}): Promise<void> {
    const force = options.force ?? false;
    this.#current = undefined;
    await this.#giveUp(
      this.#workspaces.map(({ id }) => id),
      force,
    );
    await this.#options.engine.signOut(force);
    this.#ready.clear();
    this.#open.clear();
    await this.refresh();
  }

  recoveryWords(): Promise<ReadonlyArray<string>> {
    return this.#options.engine.recoveryWords();
  }

  storage(): Promise<StorageState> {
    return this.#options.storage.current();
  }

  onStorage(callback: (state: StorageState) => void): Unsubscribe {
    const stop = this.#options.storage.subscribe(callback);
    this.#storageStops.add(stop);
    return () => {
      this.#storageStops.delete(stop);
      stop();
    };
  }

  keepStorage(): Promise<StorageState> {
    return this.#options.storage.keep();
  }

  onUpdate(callback: (state: UpdateState) => void): Unsubscribe {
    const listener = (state: UpdateState): void => callback(state);
    this.#updateListeners.add(listener);
    listener(this.#update);
    return () => void this.#updateListeners.delete(listener);
  }

  leads(): Promise<boolean> {
    return this.#options.engine.leads();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#ready.values()].map((workspace) => workspace.close()));
    this.#unsubscribe();
    for (const stop of this.#storageStops) stop();
    this.#storageStops.clear();
    await this.#options.close();
  }
}
