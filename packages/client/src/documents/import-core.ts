/**
 * What the importer does, wherever it runs: a bounded cache of Loro documents that applies updates, and answers with what
 * was asked for. Synchronous, and it never throws: bytes that Loro refuses become part of the answer.
 */
import type { DocumentSchema } from "@cairn/schema";
import { Result } from "effect";
import { LoroDoc } from "loro-crdt";
import { documentView } from "./document-view.ts";
import type { Applied, ImportAnswer, ImportRequest, NumberedUpdate, RejectedUpdate } from "./Importer.ts";
import { rebaseDocument } from "./rebase-document.ts";
import { splitUpdate } from "./split-update.ts";
import { holdsSeveralChanges } from "./join-updates.ts";
import { importUpdates } from "./import-updates.ts";
import type { Reauthored, ReauthorRequest } from "./own-edits.ts";
import { remakeOwnEdits } from "./remake-own-edits.ts";
import { stateMarkOf } from "./state-mark.ts";
import { extractDocuments, writeExtraction } from "./extract-documents.ts";
import { joinRanges, rangesOfUpdate } from "./update-ranges.ts";

export interface ImportCoreOptions {
  readonly schema: DocumentSchema;
  /** A clock for durations, in milliseconds. */
  readonly now: () => number;
  /** How many documents are kept; 32 unless told. */
  readonly maxDocuments?: number | undefined;
  /** How many bytes of snapshots and updates the kept documents may have been made from; 32 MiB unless told. */
  readonly maxBytes?: number | undefined;
}

/** An answer of the core. `crashed`: Loro's WebAssembly failed, and is not to be trusted with more. */
export type CoreAnswer =
  | ImportAnswer
  | { readonly type: "rejected"; readonly reason: string; readonly crashed: boolean };

/** What came of making edits anew. */
export type ReauthorAnswer =
  | { readonly type: "reauthored"; readonly edits: Reauthored }
  | { readonly type: "rejected"; readonly reason: string; readonly crashed: boolean };

/** Answers to the first of several requests. */
export interface TogetherAnswers {
  readonly type: "together";
  readonly answers: ReadonlyArray<CoreAnswer>;
}

export interface ImportCore {
  readonly apply: (request: ImportRequest) => CoreAnswer;
  readonly applyTogether: (requests: ReadonlyArray<ImportRequest>) => TogetherAnswers;
  readonly reauthor: (request: ReauthorRequest) => ReauthorAnswer;
  readonly evict: (workspace: string, document: string) => void;
  readonly close: () => void;
}

const MAX_REASON = 300;
/** Several documents are worked on for so long in one go, so that a document that a person opens waits no longer. */
const TOGETHER_MILLIS = 100;

interface Cached {
  readonly doc: LoroDoc;
  /** The highest id that was given to it. */
  through: number;
  /** Bytes that it was made from: the only measure there is of what it takes. */
  bytes: number;
}

class Refusal extends Error {}

/** Makes a core with an empty cache. */
export const makeImportCore = (options: ImportCoreOptions): ImportCore => {
  const maxDocuments = options.maxDocuments ?? 32;
  const maxBytes = options.maxBytes ?? 32 * 1024 * 1024;
  // In the order of use: the first one is the one to go.
  const cache = new Map<string, Cached>();
  let cachedBytes = 0;

  const drop = (key: string): void => {
    const cached = cache.get(key);
    if (cached === undefined) return;
    cache.delete(key);
    cachedBytes -= cached.bytes;
    // Hazard L9: WebAssembly memory does not come back by itself.
    cached.doc.free();
  };

  const trim = (keep: string): void => {
    for (const key of cache.keys()) {
      if (cache.size <= maxDocuments && cachedBytes <= maxBytes) return;
      if (key !== keep) drop(key);
    }
  };

  const begin = (key: string, request: ImportRequest): Cached | undefined => {
    const { base } = request;
    if (base === undefined) {
      const cached = cache.get(key);
      if (cached === undefined || cached.through < request.known) return undefined;
      cache.delete(key);
      cache.set(key, cached);
      return cached;
    }
    drop(key);
    const made: Cached = { doc: new LoroDoc(), through: request.known, bytes: base.snapshot?.length ?? 0 };
    // In the cache before Loro sees any bytes, so that a refused base is dropped like any other document.
    cache.set(key, made);
    cachedBytes += made.bytes;
    if (base.snapshot !== undefined) made.doc.import(base.snapshot);
    return made;
  };

  const respond = (key: string, request: ImportRequest): ImportAnswer => {
    const started = options.now();
    const cached = begin(key, request);
    if (cached === undefined) return { type: "missing-base" };
    const fresh = request.updates.filter((update) => request.base !== undefined || update.id > cached.through);
    const rejected = importAll(cached.doc, fresh);
    for (const { id, update } of fresh) {
      cached.through = Math.max(cached.through, id);
      cached.bytes += update.length;
      cachedBytes += update.length;
    }
    const millis = options.now() - started;
    // Hazard L2: what waits for a dependency is in no snapshot.
    const pending = cached.doc.exportPendingUpdates() !== undefined;
    const { mark, view, snapshot, merge, split, rebase, extraction } = request.want;
    const extracted =
      request.want.extracted === true && !pending
        ? extractDocuments(options.schema, request.type, cached.doc, request.document)
        : undefined;
    const answer: Applied = {
      type: "applied",
      through: cached.through,
      pending,
      rejected,
      millis,
      ...(view === true
        ? { view: documentView(options.schema, request.type, cached.doc, true, request.document) }
        : {}),
      ...(snapshot === true && !pending ? { snapshot: cached.doc.export({ mode: "snapshot" }) } : {}),
      ...(mark === true && !pending ? { mark: stateMarkOf(cached.doc) } : {}),
      ...(merge === undefined ? {} : { merged: mergeOwn(cached.doc, merge) }),
      ...(rebase === undefined ? {} : { rebased: rebaseDocument(options.schema, request.type, cached.doc, rebase) }),
      ...(extracted === undefined ? {} : { extracted }),
      ...(extraction === undefined ? {} : { extraction: writeExtraction(cached.doc, extraction) }),
      ...(split === undefined ? {} : { pieces: splitUpdate(cached.doc, split.update, split.bytes) }),
    };
    // It was made for this answer, and is not what the store has.
    if (rebase === undefined && extraction === undefined) trim(key);
    else drop(key);
    return answer;
  };

  const apply = (request: ImportRequest): CoreAnswer => {
    const key = keyOf(request.workspace, request.document);
    try {
      return respond(key, request);
    } catch (error) {
      const crashed = isCrash(error);
      // A refused merge says nothing against the document; after anything else its state is not known.
      if (!(error instanceof Refusal)) {
        try {
          drop(key);
        } catch {
          // It may be what crashed.
        }
      }
      return { type: "rejected", reason: reasonOf(error), crashed };
    }
  };

  return {
    apply,
    applyTogether: (requests) => {
      const started = options.now();
      const answers: Array<CoreAnswer> = [];
      for (const request of requests) {
        const answer = apply(request);
        answers.push(answer);
        if (answer.type === "rejected" && answer.crashed) break;
        drop(keyOf(request.workspace, request.document));
        if (options.now() - started >= TOGETHER_MILLIS) break;
      }
      return { type: "together", answers };
    },
    reauthor: (request) => {
      try {
        return { type: "reauthored", edits: remakeOwnEdits(request, options.schema) };
      } catch (error) {
        return { type: "rejected", reason: reasonOf(error), crashed: isCrash(error) };
      }
    },
    evict: (workspace, document) => drop(keyOf(workspace, document)),
    close: () => [...cache.keys()].forEach(drop),
  };
};

const keyOf = (workspace: string, document: string): string => `${workspace}/${document}`;

/** Imports all that can be imported, at once where nothing is wrong with any of them. */
const importAll = (doc: LoroDoc, updates: ReadonlyArray<NumberedUpdate>): ReadonlyArray<RejectedUpdate> => {
  if (updates.length === 0) return [];
  try {
    importUpdates(
      doc,
      updates.map(({ update }) => update),
    );
    return [];
  } catch (error) {
    if (isCrash(error)) throw error;
  }
  const rejected: Array<RejectedUpdate> = [];
  for (const { id, update } of updates) {
    try {
      doc.import(update);
    } catch (error) {
      if (isCrash(error)) throw error;
      rejected.push({ id, reason: reasonOf(error) });
    }
  }
  // A batch that fails half-way leaves the document detached: importing would go on, showing would not.
  if (doc.isDetached()) doc.attach();
  return rejected;
};

/**
 * Rule 13: one update with exactly the operations of some own ones. Exporting from a version on would take other people's
 * operations along.
 */
const mergeOwn = (doc: LoroDoc, updates: ReadonlyArray<Uint8Array>): Uint8Array => {
  const ranges = joinRanges(
    updates.flatMap((update) => {
      const found = rangesOfUpdate(update);
      if (Result.isFailure(found)) throw new Refusal(`merge: ${found.failure.message}`);
      return found.success;
    }),
  );
  if (ranges.length === 0) throw new Refusal("merge: the updates hold no operations");
  const [only] = updates;
  if (only !== undefined && updates.length === 1 && !holdsSeveralChanges(only)) return only;
  const version = doc.oplogVersion();
  try {
    for (const { peer, end } of ranges) {
      if ((version.get(peer) ?? 0) < end) throw new Refusal(`merge: the document lacks operations of peer ${peer}`);
    }
  } finally {
    version.free();
  }
  return doc.export({
    mode: "updates-in-range",
    spans: ranges.map(({ peer, start, end }) => ({ id: { peer, counter: start }, len: end - start })),
  });
};

/** Whether WebAssembly itself failed (a panic, no memory) instead of refusing. */
const isCrash = (error: unknown): boolean => error instanceof WebAssembly.RuntimeError || error instanceof RangeError;

const reasonOf = (error: unknown): string =>
  // Loro throws strings.
  (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, MAX_REASON);
