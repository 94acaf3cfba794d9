/**
 * The port to where Loro imports run.
 *
 * One import can take minutes and WebAssembly cannot be interrupted (rule 15), so in browsers, and in Node where the app names
 * a module for it, the importer is a worker of its own with a time budget, which is killed when a document exceeds it
 * (`WorkerImporter.ts`). Without such a module, and in tests, it runs in process (`InProcessImporter.ts`). Behind both is the same
 * core (`import-core.ts`).
 *
 * The importer is a cache and nothing else: it may forget any document at any moment, and then answers `missing-base`.
 */
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import { Context, Data, type Effect } from "effect";
import type { StateMark } from "../engine/entry-content.ts";
import type { DocumentView } from "../store/store-changes.ts";
import type { Extracted, ExtractionRequest } from "./extract-documents.ts";
import type { Reauthored, ReauthorRequest } from "./own-edits.ts";
import type { Rebased, RebaseRequest } from "./rebase-document.ts";

/**
 * The import was given up: it exceeded the budget. Nothing of the request happened. Mark the document as merging, and ask
 * again with `patient` and the base.
 */
export class ImportTooSlow extends Data.TaggedError("ImportTooSlow")<{
  readonly document: DocumentId;
  /** Milliseconds that it was given. */
  readonly budget: number;
}> {}

/** Loro refuses the base, the updates to merge are no part of the document, or importing crashed. Retrying does not help. */
export class ImportRejected extends Data.TaggedError("ImportRejected")<{
  readonly document: DocumentId;
  readonly reason: string;
}> {}

/** Imports cannot run at all: the worker or Loro's WebAssembly does not load, or the importer is closed. Retryable. */
export class ImporterUnavailable extends Data.TaggedError("ImporterUnavailable")<{ readonly cause: unknown }> {}

export type ImporterError = ImportTooSlow | ImportRejected | ImporterUnavailable;

/** A stored update, by the store's id. */
export interface NumberedUpdate {
  readonly id: number;
  readonly update: Uint8Array;
}

export interface ImportRequest {
  readonly workspace: WorkspaceId;
  readonly document: DocumentId;
  /** The declared type; empty or unknown to the app gives a view without fields. */
  readonly type: string;
  /** Everything up to this id is applied already; with `base`, it is in the base or among `updates`. */
  readonly known: number;
  /** Begin anew with this snapshot, or with nothing; `updates` are then all the others. */
  readonly base?: { readonly snapshot: Uint8Array | undefined } | undefined;
  /** In any order; ids that are applied already are passed over. */
  readonly updates: ReadonlyArray<NumberedUpdate>;
  readonly want: {
    /** The document's row. */
    readonly view?: boolean | undefined;
    /** A full snapshot. Only given while nothing is pending, because it would lose what is (hazard L2). */
    readonly snapshot?: boolean | undefined;
    /** What the document comes to (rule 18). Only given while nothing is pending. */
    readonly mark?: boolean | undefined;
    /** Own updates, to be joined to ONE that holds exactly their operations (rule 13). */
    readonly merge?: ReadonlyArray<Uint8Array> | undefined;
    /**
     * The document without some local edits. The request has a base of nothing and only what the server has; the document
     * is not kept afterwards.
     */
    readonly rebase?: RebaseRequest | undefined;
    /** What the document says about others (`extractedFrom`), where its type has extractions. Only while nothing is pending. */
    readonly extracted?: boolean | undefined;
    /** What extractions write into it, as an own update. The document is not kept afterwards. */
    readonly extraction?: ExtractionRequest | undefined;
    /** An own update, to be cut into several of at most so many bytes, where its operations can be. */
    readonly split?: { readonly update: Uint8Array; readonly bytes: number } | undefined;
  };
  /** In a worker of its own with the long budget, so that nothing else waits for it. Needs `base`. */
  readonly patient?: boolean | undefined;
}

/** An update that Loro refuses: damaged, or made to break. The others of the request were applied. */
export interface RejectedUpdate {
  readonly id: number;
  readonly reason: string;
}

export interface Applied {
  readonly type: "applied";
  /** The highest id that is applied, refused or pending. */
  readonly through: number;
  /** Some update waits for another one that it depends on (hazard L2): keep all, fold nothing. */
  readonly pending: boolean;
  readonly rejected: ReadonlyArray<RejectedUpdate>;
  /** Milliseconds that importing took: what the page may expect of the same import. */
  readonly millis: number;
  readonly view?: DocumentView;
  readonly snapshot?: Uint8Array;
  readonly mark?: StateMark;
  readonly merged?: Uint8Array;
  readonly extracted?: Extracted;
  /** Undefined where it says so already. */
  readonly extraction?: Uint8Array | undefined;
  /** In order. A piece of a single operation can be larger than was asked for. */
  readonly pieces?: ReadonlyArray<Uint8Array>;
  readonly rebased?: Rebased;
}

/** `missing-base`: the cache does not hold the document as of `known`; ask again with `base` and all its updates. */
export type ImportAnswer = { readonly type: "missing-base" } | Applied;

/** What a request of several has come to. */
export type TogetherAnswer = ImportAnswer | { readonly type: "rejected"; readonly reason: string };

export interface ImporterShape {
  readonly apply: (request: ImportRequest) => Effect.Effect<ImportAnswer, ImporterError>;
  /**
   * Several small documents in one go, each with its base; none is kept afterwards. Answers the first of them, at least one,
   * as many as a short time allows: ask again for the others.
   */
  readonly applyTogether: (
    requests: ReadonlyArray<ImportRequest>,
  ) => Effect.Effect<ReadonlyArray<TogetherAnswer>, ImporterError>;
  /** Edits that have to be made anew under another peer id (rule 12). Takes its time, and holds up nothing else. */
  readonly reauthor: (document: DocumentId, request: ReauthorRequest) => Effect.Effect<Reauthored, ImporterError>;
  /** Forget a document. */
  readonly evict: (workspace: WorkspaceId, document: DocumentId) => Effect.Effect<void>;
  readonly close: Effect.Effect<void>;
}

/** The service. */
export class Importer extends Context.Service<Importer, ImporterShape>()("cairn/client/Importer") {}
