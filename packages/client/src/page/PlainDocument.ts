/**
 * An open document of whatever type: a Loro document on the page, whose local commits go to the engine and which takes in
 * what the engine stores from elsewhere. `OpenDocument` gives it its type.
 */
import type { DocumentId, Hash, WorkspaceId } from "@cairn/protocol";
import { type DocumentSchema, type DocumentType, inspectExtracted, type InvalidValue } from "@cairn/schema";
import type { LoroDoc, PeerID } from "loro-crdt";
import type { Unsubscribe } from "../subscription.ts";
import { documentView } from "../documents/document-view.ts";
import { joinUpdates } from "../documents/join-updates.ts";
import { applyUnsaved } from "../documents/apply-unsaved.ts";
import { documentTypeOf } from "../engine/engine-schema.ts";
import type { EngineApi, NewEdit, OpenedForPage } from "../engine/EngineApi.ts";
import { CairnError } from "../errors.ts";
import { fewestEdits, type QueuedEdit } from "./queued-edits.ts";
import { loadLoro } from "./stored-documents.ts";
import { RETRY_MILLIS, type SavedListener, UnsavedEdits } from "./UnsavedEdits.ts";

/** A row of more letters than these is made by the engine, at a rate that its cost allows, and not with each edit. */
const SMALL_ROW = 4_096;
/** Of what the engine says of this document's own edits, only every so manieth is looked at. */
const OWN_NEWS = 16;

/** What changed: `replaced` means that `loro` is another document from now on (rule 15). */
export type Change = { readonly origin: "local" | "remote" | "replaced" };

/** What an open document asks of the engine. */
export type DocumentEngine = Pick<EngineApi, "append" | "leasePeer" | "openDocument" | "releasePeer" | "updatesAfter">;

export interface PlainDocumentOptions {
  readonly engine: DocumentEngine;
  readonly schema: DocumentSchema;
  readonly workspace: WorkspaceId;
  readonly id: DocumentId;
  /** Its declared type; undefined takes the document as what it is. */
  readonly type: string | undefined;
  /** Why nothing new may be written, when it is opened; `endEditing` says so later. */
  readonly readOnly: CairnError | undefined;
  readonly onClosed: () => void;
}

type Lease = Awaited<ReturnType<EngineApi["leasePeer"]>>;

/**
 * Opens a document: loads it and leases a peer id for its writer. Rejects with `document-type` where it is of another
 * type, and with `document-unknown` where it is to be taken as it is and is not here.
 */
export const openPlainDocument = async (options: PlainDocumentOptions): Promise<PlainDocument> => {
  const { engine, workspace, id } = options;
  const lease = await engine.leasePeer(workspace);
  try {
    const opened = await engine.openDocument(workspace, id);
    const type = options.type ?? opened.type;
    if (type === "") throw new CairnError("document-unknown");
    if (opened.type !== "" && opened.type !== type) throw new CairnError("document-type");
    return new PlainDocument(options, type, opened, lease);
  } catch (error) {
    await engine.releasePeer(workspace, lease.lease);
    throw error;
  }
};

const nothing = (): undefined => undefined;

export class PlainDocument {
  readonly id: DocumentId;
  readonly type: string;
  readonly #options: PlainDocumentOptions;
  #lease: Lease;
  #loro: LoroDoc;
  #stopListening: Unsubscribe = () => undefined;
  #through: number;
  #merging: boolean;
  /** Of `loro`, as it was opened: what is made in it later depends on that. */
  #rebuilds: number;
  #closed = false;
  readonly #unsaved: UnsavedEdits;
  #refs: ReadonlyArray<Hash> = [];
  #refreshing: Promise<void> | undefined;
  #stale = false;
  /** To be opened anew, under another peer. */
  #retired = false;
  #hasSmallRow = true;
  #ownNews = 0;
  /** Why nothing new is taken any more. */
  #readOnly: CairnError | undefined;
  /** Edits from before are being made anew. */
  #isReauthoring = false;
  readonly #readOnlyListeners = new Set<(reason: CairnError | undefined) => void>();
  readonly #changeListeners = new Set<(change: Change) => void>();

  constructor(options: PlainDocumentOptions, type: string, opened: OpenedForPage, lease: Lease) {
    this.#options = options;
    this.id = options.id;
    this.type = type;
    this.#lease = lease;
    this.#through = opened.through;
    this.#merging = opened.merging;
    this.#rebuilds = opened.rebuilds;
    this.#readOnly = options.readOnly;
    this.#unsaved = new UnsavedEdits({
      append: (queue) => this.#append(queue),
      outdated: () => this.reopen(),
      readOnly: () => this.#readOnly,
      isClosed: () => this.#closed,
    });
    this.#loro = loadLoro(this.#declared, opened, lease.peer);
    this.#stopListening = this.#listen();
  }

  get #declared(): DocumentType | undefined {
    return documentTypeOf(this.#options.schema, this.type);
  }

  get loro(): LoroDoc {
    return this.#loro;
  }

  /** Not to Loro's events: they say what changed in detail, which costs more than the change (nobody here asks for it). */
  #listen(): Unsubscribe {
    return this.#loro.subscribeLocalUpdates((update) => {
      this.#commit(update);
      this.#tell({ origin: "local" });
    });
  }

  #tell(change: Change): void {
    for (const listener of this.#changeListeners) listener(change);
  }

  #commit(update: Uint8Array): void {
    if (this.#readOnly !== undefined && !this.#isReauthoring) {
      this.#unsaved.refuse();
      return;
    }
    const refs = this.#refs;
    this.#refs = [];
    this.#unsaved.add({
      document: this.id,
      type: this.type,
      update,
      time: Date.now(),
      refs,
      device: this.#lease.device,
      rebuilds: this.#rebuilds,
    });
  }

  async #append(queue: ReadonlyArray<QueuedEdit>): Promise<void> {
    await this.#options.engine.append(this.#options.workspace, this.#edits(queue), this.#lease.peer);
  }

  #edits(queue: ReadonlyArray<QueuedEdit>): ReadonlyArray<NewEdit> {
    const edits = fewestEdits(queue, this.#loro);
    // A row of what was refused would say more than the edits do.
    const row = this.#unsaved.hasRefused ? undefined : this.#row();
    return edits.map((edit, index) => ({ ...edit, row: index === edits.length - 1 ? row : undefined }));
  }

  #row(): NewEdit["row"] {
    // Whoever makes its row writes first what it says about others, which the engine does.
    if (this.#declared?.extractions !== undefined) return undefined;
    const row = documentView(this.#options.schema, this.type, this.#loro, this.#hasSmallRow);
    // The cost of an edit does not grow with the text that it is made in (hazard 12).
    this.#hasSmallRow &&= (row.projection?.searchText?.length ?? 0) <= SMALL_ROW;
    return row;
  }

  /** Everything committed so far is durable. Rejects with what stands in the way. */
  durable(): Promise<void> {
    return this.#unsaved.durable(() => this.#refreshing);
  }

  /** This device has taken a new identity: the document is loaded again, under a peer of that one (rule 12). */
  reopen(): void {
    this.#retired = true;
    this.refresh();
  }

  /** The engine stored something for this document; `writer`: nothing but what this peer wrote. */
  refresh(writer?: PeerID): void {
    if (writer === this.#lease.peer) {
      // It is here already; but who never looks falls behind what is folded into a snapshot.
      this.#ownNews += 1;
      if (this.#ownNews % OWN_NEWS !== 0) return;
    }
    this.#stale = true;
    this.#refreshing ??= this.#takeNewer()
      // The engine was closed meanwhile, or its store does not answer: the next change asks again.
      .catch((error: unknown) => {
        if (!this.#retired || this.#closed) return;
        // Edits wait for the document that they are to be made in.
        this.#unsaved.delay(error);
        setTimeout(() => this.refresh(), RETRY_MILLIS);
      })
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
      if (this.#retired) await this.#reopen();
      const newer = await this.#options.engine.updatesAfter(this.#options.workspace, this.id, this.#through);
      if (this.#closed) return;
      let isChanged = this.#merging !== newer.merging;
      if (this.#merging && !newer.merging) await this.#replace();
      // One by one: a batch goes through a checkout, which empties an editor's undo and tells listeners of no import.
      else for (const update of joinUpdates(newer.updates)) isChanged = this.#import(update) || isChanged;
      this.#through = Math.max(this.#through, newer.through);
      this.#merging = newer.merging;
      if (isChanged) this.#tell({ origin: "remote" });
    }
  }

  /** Whether the update brought operations that were not here, even where the content stays the same. */
  #import(update: Uint8Array): boolean {
    return this.#loro.import(update).success.size > 0;
  }

  /** Rule 15: what took long to merge is not merged again here; the page gets the merged state as a new document. */
  async #replace(): Promise<void> {
    for (;;) {
      // What has to be opened anew first is not waited for.
      await this.#unsaved.emptied(nothing, () => this.#retired);
      const opened = await this.#options.engine.openDocument(this.#options.workspace, this.id);
      if (this.#closed || this.#retired) return;
      // What an editor has begun and not committed is in no queue yet.
      this.#loro.commit();
      if (!this.#unsaved.isEmpty) continue;
      this.#stopListening();
      const old = this.#loro;
      this.#loro = loadLoro(this.#declared, opened, this.#lease.peer);
      this.#through = opened.through;
      this.#rebuilds = opened.rebuilds;
      this.#stopListening = this.#listen();
      this.#tell({ origin: "replaced" });
      old.free();
      return;
    }
  }

  /**
   * Loads the document again under another peer. Edits that are not durable yet were made under a peer that others have used
   * too: their difference becomes an edit of the new peer (hazard L4).
   */
  async #reopen(): Promise<void> {
    const { engine, workspace } = this.#options;
    const lease = await engine.leasePeer(workspace);
    let opened: OpenedForPage;
    let fresh: LoroDoc;
    try {
      opened = await engine.openDocument(workspace, this.id);
      while (this.#unsaved.underWay !== undefined && !this.#closed) {
        await this.#unsaved.underWay;
        opened = await engine.openDocument(workspace, this.id);
      }
      if (this.#closed) return await engine.releasePeer(workspace, lease.lease);
      // Before anything of the old one is given up.
      fresh = loadLoro(this.#declared, opened, lease.peer);
    } catch (error) {
      await engine.releasePeer(workspace, lease.lease);
      throw error;
    }
    this.#retired = false;
    const old = this.#loro;
    const oldLease = this.#lease;
    // What an editor has begun and not committed belongs to what is not durable.
    old.commit();
    this.#stopListening();
    const unsaved = this.#unsaved.take();
    this.#lease = lease;
    this.#loro = fresh;
    this.#through = opened.through;
    this.#merging = opened.merging;
    this.#rebuilds = opened.rebuilds;
    this.#stopListening = this.#listen();
    try {
      if (unsaved.length > 0) this.#remake(old, unsaved);
    } catch (cause) {
      this.#unsaved.lose(cause);
    } finally {
      // Whatever became of them: the editor goes on with the document that is listened to.
      this.#tell({ origin: "replaced" });
      this.#unsaved.tell();
      old.free();
      await engine.releasePeer(workspace, oldLease.lease);
    }
  }

  /** Edits that are not durable become edits of the document as it is now. */
  #remake(old: LoroDoc, unsaved: ReadonlyArray<QueuedEdit>): void {
    this.#refs = [...new Set(unsaved.flatMap(({ refs }) => refs))];
    this.#isReauthoring = true;
    try {
      const lost = applyUnsaved(
        old,
        unsaved.map(({ update }) => update),
        this.#loro,
        this.#declared,
      );
      // Paths hold names that people gave: they go into no error, which may end in a log (promise 6).
      if (lost.length > 0) this.#unsaved.lose(new Error("what they were made in is not in the document any more"));
    } finally {
      // Also where only a part of it could be done.
      this.#loro.commit();
      this.#isReauthoring = false;
      this.#refs = [];
    }
  }

  /** Changes the Loro document itself in one commit, which begins to refer to these chunks. */
  editLoro(change: (loro: LoroDoc) => void, refs: ReadonlyArray<Hash> = []): void {
    if (this.#closed) throw new CairnError("closed");
    if (this.#readOnly !== undefined) throw this.#readOnly;
    this.#loro.commit();
    change(this.#loro);
    this.#refs = refs;
    this.#loro.commit();
    this.#refs = [];
  }

  onChange(callback: (change: Change) => void): Unsubscribe {
    this.#changeListeners.add(callback);
    return () => void this.#changeListeners.delete(callback);
  }

  /** Nothing new is taken from here on. What was made before is stored, also what a binding has not committed yet. */
  endEditing(reason: CairnError): void {
    if (this.#readOnly !== undefined || this.#closed) return;
    this.#loro.commit();
    this.#readOnly = reason;
    for (const listener of this.#readOnlyListeners) listener(reason);
  }

  readOnly(): CairnError | undefined {
    return this.#readOnly;
  }

  onReadOnly(callback: (reason: CairnError | undefined) => void): Unsubscribe {
    this.#readOnlyListeners.add(callback);
    callback(this.#readOnly);
    return () => void this.#readOnlyListeners.delete(callback);
  }

  saved(): boolean {
    return this.#unsaved.saved;
  }

  onSaved(callback: SavedListener): Unsubscribe {
    return this.#unsaved.listen(callback);
  }

  merging(): boolean {
    return this.#merging;
  }

  /** What of it is in no other document, though its type is split into others. */
  notExtracted(): ReadonlyArray<InvalidValue> {
    return inspectExtracted(this.#options.schema, this.type, this.#loro, this.id);
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
        this.#stopListening();
        this.#changeListeners.clear();
        this.#unsaved.forgetListeners();
        this.#readOnlyListeners.clear();
        this.#options.onClosed();
        await this.#options.engine.releasePeer(this.#options.workspace, this.#lease.lease);
        this.#loro.free();
      }
    }
  }
}
