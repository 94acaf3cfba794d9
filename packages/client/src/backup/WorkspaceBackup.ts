/** Backups of a workspace at work: where documents and chunks come from, and how they get back in. */
import type { DocumentId } from "@cairn/protocol";
import type { DocumentSchema } from "@cairn/schema";
import { Clock, Effect, Schedule } from "effect";
import { leaseFresh } from "../engine/fresh-lease.ts";
import { LoroDoc } from "loro-crdt";
import type { ImportReport } from "../workspace-api.ts";
import { storableView } from "../documents/document-view.ts";
import type { ImporterShape } from "../documents/Importer.ts";
import { peerIdOf } from "../documents/peer-ids.ts";
import * as Attachments from "../engine/Attachments.ts";
import type { NewEdit } from "../engine/EngineApi.ts";
import { toCairnError } from "../engine/failures.ts";
import { documentTypeOf, singletonName, WORKSPACE_SINGLETON } from "../engine/engine-schema.ts";
import type { WorkspaceRuntime } from "../engine/WorkspaceRuntime.ts";
import { CairnError } from "../errors.ts";
import type { PeerLeasesShape } from "../platform/PeerLeases.ts";
import type { DocumentView } from "../store/store-changes.ts";
import type { LocalStoreShape } from "../store/LocalStore.ts";
import type { DocumentRecord } from "../store/records.ts";
import { openBackup, sealBackup } from "./backup-file.ts";
import { copyDocument } from "./copy-document.ts";
import { importItems, type ImportTarget, OWN_TYPE_PREFIX, type RestoredDocument } from "./import-backup.ts";
import { keysOf, type KeyOf } from "./passphrase.ts";
import { readItems } from "./read-backup.ts";
import { spool, toStream } from "./streams.ts";
import { type BackupSource, type DocumentToBackUp, writeRecords } from "./write-backup.ts";

export interface BackupWork {
  readonly schema: DocumentSchema;
  readonly store: LocalStoreShape;
  readonly runtime: WorkspaceRuntime;
  readonly importer: ImporterShape;
  readonly leases: PeerLeasesShape;
  readonly remote: Attachments.Remote | undefined;
  /** Runs an effect; rejects with a `CairnError`. */
  readonly promise: <A, E>(effect: Effect.Effect<A, E>) => Promise<A>;
  /** Rejects with `app-outdated` where this app may make no new edits. */
  readonly requireWritable: () => Promise<void>;
  /**
   * Runs one import after the other, in all tabs of the profile: two that found the same document absent would both write it, and
   * every text would be there twice (promise 2). Rejects with `aborted` where the signal ends the wait.
   */
  readonly inTurn: <A>(run: () => Promise<A>, signal: AbortSignal | undefined) => Promise<A>;
  /** Stores edits as the page's are stored, as long as new ones may be made. */
  readonly append: (edits: ReadonlyArray<NewEdit>) => Promise<void>;
}

export interface BackupOptions {
  /** Protects the file: only who has it can read it. Without it the file is readable by everyone. */
  readonly passphrase?: string | undefined;
  /** Goes on where an attachment cannot be had, and leaves it out. Otherwise that is an error. */
  readonly partial?: boolean | undefined;
}

export interface RestoreOptions {
  readonly passphrase?: string | undefined;
  /** Reads and checks everything, and changes nothing. */
  readonly dryRun: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Bytes that were read, of those that are to be read: a file that brings something new is read twice. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

const PAGE = 200;
/** How long an import waits for what the server has, before it treats absent documents as possibly on their way. */
const CATCH_UP_MILLIS = 15_000;

/** The whole workspace as one file. */
export const exportBackup = async (work: BackupWork, options: BackupOptions): Promise<ReadableStream<Uint8Array>> => {
  const source = await sourceOf(work, options.partial ?? false);
  return toStream(failingTyped(await sealBackup(writeRecords(source), keysFor(options))));
};

/** Whatever documents and platforms throw, as the public error. */
const failingTyped = async function* (pieces: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } catch (error) {
    throw toCairnError(error);
  }
};

/** Brings a backup in. Rejects with `backup-*`, `read-only`, `app-outdated`, `aborted`, or a storage error. */
export const importBackup = async (
  work: BackupWork,
  backup: Blob | ReadableStream<Uint8Array>,
  options: RestoreOptions,
): Promise<ImportReport> => {
  if (work.runtime.context.record.role === "reader" && !options.dryRun) throw new CairnError("read-only");
  if (!options.dryRun) await work.requireWritable();
  // Read twice: only a file that is whole may change anything.
  const file = backup instanceof Blob ? backup : await spool(backup);
  const target = targetOf(work);
  const keys = keysFor(options);
  const onRead = progressOf(file.size * (options.dryRun ? 1 : 2), options.onProgress);
  const open = async () => readItems(await openBackup(file, keys, onRead));
  const look = async () => importItems(await open(), target, { ...options, dryRun: true }).catch(rejectTyped);
  if (options.dryRun) return look();
  return work.inTurn(async () => {
    const looked = await look();
    if (looked.newDocuments === 0) return { ...looked, dryRun: false };
    const lease = await work.promise(leaseFresh(work.leases, work.runtime.context));
    try {
      return await importItems(await open(), restoring(work, target, lease.lease), options).catch(rejectTyped);
    } finally {
      await work.promise(lease.release);
    }
  }, options.signal);
};

/** Steps between two words about how far it is. */
const PROGRESS_STEPS = 200;

const progressOf = (total: number, tell: RestoreOptions["onProgress"]): ((bytes: number) => void) => {
  let done = 0;
  let told = 0;
  return (bytes) => {
    done += bytes;
    if (done < total && done - told < total / PROGRESS_STEPS) return;
    told = done;
    tell?.(done, total);
  };
};

const rejectTyped = (error: unknown): never => {
  throw toCairnError(error);
};

const keysFor = ({ passphrase }: { readonly passphrase?: string | undefined }): KeyOf | undefined =>
  passphrase === undefined ? undefined : keysOf(passphrase);

const isExported = ({ type }: DocumentRecord): boolean => !type.startsWith(OWN_TYPE_PREFIX);

const recordsOf = async function* ({ store, runtime, promise }: BackupWork): AsyncGenerator<DocumentRecord> {
  let after: DocumentId | undefined;
  for (;;) {
    const page = await promise(store.documentPage(runtime.context.workspace, after, PAGE));
    yield* page.filter(isExported);
    after = page.at(-1)?.document;
    if (page.length < PAGE) return;
  }
};

const sourceOf = async (work: BackupWork, partial: boolean): Promise<BackupSource> => {
  const { store, runtime, promise, remote } = work;
  const { context } = runtime;
  let documents = 0;
  for await (const _ of recordsOf(work)) documents += 1;
  const singleton = await context.keyring.singletonDocument(WORKSPACE_SINGLETON);
  const name = (await promise(store.document(context.workspace, singleton)))?.fields["name"];
  return {
    header: {
      workspace: context.workspace,
      name: typeof name === "string" ? name.slice(0, 10_000) : "",
      createdAt: await promise(Clock.currentTimeMillis),
      documents,
    },
    documents: async function* () {
      for await (const record of recordsOf(work)) {
        const doc = await promise(loadDocument(work, record.document));
        if (doc === undefined) continue;
        yield toBackUp(record, doc);
      }
    },
    chunk: async (location) => {
      try {
        return await promise(Attachments.loadChunk(store, context, remote, location));
      } catch (error) {
        const lost = error instanceof CairnError && error.code.startsWith("attachment-");
        if (partial && lost) return undefined;
        throw error;
      }
    },
  };
};

const toBackUp = (record: DocumentRecord, doc: LoroDoc): DocumentToBackUp => ({
  id: record.document,
  type: record.type,
  createdAt: record.createdAt,
  updatedAt: record.updatedAt,
  deleted: record.deleted,
  doc,
});

/** A document with everything that is stored of it; updates that wait for others wait in it too. */
const loadDocument = Effect.fnUntraced(function* (work: BackupWork, document: DocumentId) {
  const { store, runtime } = work;
  const { workspace } = runtime.context;
  if ((yield* store.document(workspace, document)) === undefined) return undefined;
  const imported = yield* runtime.imports.snapshot(workspace, document).pipe(
    // Rule 15: what takes long is imported patiently, and kept imported.
    Effect.catchTag("ImportTooSlow", () =>
      Effect.andThen(runtime.imports.project(workspace, document, 0), runtime.imports.snapshot(workspace, document)),
    ),
  );
  // It may have been given up meanwhile.
  if (imported === undefined) return undefined;
  if (imported.snapshot !== undefined) return documentFrom([imported.snapshot]);
  // Hazard L2: something waits for a dependency, so that there is no snapshot of everything.
  const opened = yield* store.openDocument(workspace, document);
  const updates = opened?.updates.map(({ update }) => update) ?? [];
  return documentFrom(opened?.snapshot === undefined ? updates : [opened.snapshot, ...updates]);
});

const documentFrom = (blobs: ReadonlyArray<Uint8Array>): LoroDoc => {
  const doc = new LoroDoc();
  for (const blob of blobs) {
    try {
      doc.import(blob);
    } catch {
      // What Loro refuses here it refused when it came: it is in no view of the document, and in no backup.
    }
  }
  return doc;
};

const targetOf = (work: BackupWork): ImportTarget => {
  const { store, runtime, promise } = work;
  const { context } = runtime;
  let caughtUp: Promise<boolean> | undefined;
  return {
    has: (document) => promise(Effect.map(store.document(context.workspace, document), (row) => row !== undefined)),
    find: (document) => promise(loadDocument(work, document)),
    singleton: (type, key) => context.keyring.singletonDocument(singletonName(type, key)),
    // Asked once for an import, and only when it matters: out of the server's reach the answer takes its time.
    mayTakeOwnId: (header, isSingleton) =>
      header.workspace === context.workspace || isSingleton
        ? (caughtUp ??= promise(isCaughtUp(work)))
        : Promise.resolve(true),
    storeChunk: (content) => promise(Attachments.storeChunk(store, context, content)),
    restore: () => Promise.resolve(),
  };
};

const restoring = (work: BackupWork, target: ImportTarget, lease: number): ImportTarget => ({
  ...target,
  restore: (document) => restore(work, lease, document),
});

/** Whether everything that the server has of this workspace is here. */
const isCaughtUp = Effect.fnUntraced(function* ({ store, runtime, remote }: BackupWork) {
  const { workspace, record } = runtime.context;
  if (remote === undefined) return true;
  const position = yield* store.position(workspace);
  // Made here and never sent: nobody else can have anything of it.
  if (record.createdHere && position?.server === undefined) return true;
  const arrived = Effect.gen(function* () {
    const { token } = yield* remote.sessions.current;
    const { head } = yield* remote.calls.state(workspace, token);
    const cursor = Effect.map(store.position(workspace), (now) => now?.cursor ?? 0);
    yield* Effect.repeat(cursor, { schedule: Schedule.spaced(50), until: (reached) => reached >= head });
    return true;
  });
  return yield* arrived.pipe(
    Effect.timeout(CATCH_UP_MILLIS),
    Effect.orElseSucceed(() => false),
  );
});

/** Writes the document anew, with its row, durably. */
const restore = async (
  work: BackupWork,
  lease: number,
  { id, isBeside, from, relocate }: RestoredDocument,
): Promise<void> => {
  const { runtime, promise } = work;
  const peer = peerIdOf(runtime.context.device, lease);
  const type = documentTypeOf(work.schema, from.type);
  const { updates, snapshot } = copyDocument(from.doc, { peer, digest: from.digest, relocate, type, isBeside });
  // Where something is said about it here already, its row shows both.
  const isNew = (await promise(work.store.document(runtime.context.workspace, id))) === undefined;
  const row = isNew ? await promise(viewOf(work, id, from.type, snapshot)) : undefined;
  await work.append(
    updates.map(({ update, refs }, index) => ({
      document: id,
      type: from.type,
      update,
      time: from.updatedAt,
      refs,
      row: index === updates.length - 1 && row !== undefined ? storableView(work.schema, from.type, row) : undefined,
    })),
  );
};

/** The row of a document that is not stored yet. */
const viewOf = Effect.fnUntraced(function* (
  { importer, runtime }: BackupWork,
  document: DocumentId,
  type: string,
  snapshot: Uint8Array,
) {
  const { workspace } = runtime.context;
  const answer = yield* importer.apply({
    workspace,
    document,
    type,
    known: 0,
    base: { snapshot },
    updates: [],
    want: { view: true },
  });
  // The importer must not take it for the stored document.
  yield* runtime.imports.forget(workspace, document);
  const view: DocumentView | undefined = answer.type === "applied" ? answer.view : undefined;
  return view;
});
