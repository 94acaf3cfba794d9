/** Edits that no server has acknowledged: waiting ones and those in the outbox. What a succession makes anew (rule 12). */
import { type DocumentId, type Hash, NO_DOCUMENT, type WorkspaceId } from "@cairn/protocol";
import { Effect } from "effect";
import { isUnacknowledged } from "../store/is-unacknowledged.ts";
import type { LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import type { OpenedDocument } from "../store/store-changes.ts";
import type { OutgoingHeader, UpdateRecord } from "../store/records.ts";
import { type EntryContent, firstFormOf } from "./entry-content.ts";

export interface UnacknowledgedEdits {
  /** Those that have some. */
  readonly documents: ReadonlySet<DocumentId>;
  readonly outbox: ReadonlyArray<OutgoingHeader>;
  /** A document and its edits without those under `settled` counters, ascending by id; undefined where it is not here. */
  readonly of: (
    document: DocumentId,
    settled?: ReadonlySet<number>,
  ) => Effect.Effect<
    { readonly opened: OpenedDocument; readonly edits: ReadonlyArray<UpdateRecord> } | undefined,
    StoreFailure
  >;
}

export const unacknowledgedEdits = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  workspace: WorkspaceId,
): Effect.fn.Return<UnacknowledgedEdits, StoreFailure> {
  const outbox = yield* store.outgoingHeaders(workspace);
  const pending = yield* store.pendingDocuments(workspace);
  const documents = new Set([...pending, ...outbox].map(({ document }) => document));
  documents.delete(NO_DOCUMENT);
  return {
    documents,
    outbox,
    of: (document, settled) =>
      Effect.map(store.openDocument(workspace, document), (opened) => {
        if (opened === undefined) return undefined;
        const waiting = outbox.filter(({ counter }) => settled?.has(counter) !== true);
        const sent = new Map(waiting.map((header) => [header.counter, header]));
        return { opened, edits: opened.updates.filter((update) => isUnacknowledged(update, sent)) };
      }),
  };
});

/** The name by which copies of this store know an edit: the hash of what it was when it was made, and of when that was. */
export const firstFormOfEdit = (edit: Pick<UpdateRecord, "firstForm" | "time" | "update">): Hash =>
  edit.firstForm ?? firstFormOf(edit);

/** The first forms of the edits that an update holds: its own, or those of the edits that it applies again. */
export const firstFormsIn = (
  edit: Pick<UpdateRecord, "firstForm" | "appliedAgain" | "time" | "update">,
): ReadonlyArray<Hash> => edit.appliedAgain ?? [firstFormOfEdit(edit)];

/** Edits that entries name: their contents, in which copies of this store may have sent what waits here. */
export class NamedEdits {
  readonly #madeAnew = new Set<Hash>();
  readonly #appliedAgain = new Set<Hash>();

  constructor(contents: ReadonlyArray<Pick<EntryContent, "madeAnew" | "appliedAgain">>) {
    for (const { madeAnew = [], appliedAgain = [] } of contents) {
      for (const { firstForm } of madeAnew) this.#madeAnew.add(firstForm);
      for (const firstForm of appliedAgain) this.#appliedAgain.add(firstForm);
    }
  }

  has(firstForm: Hash): boolean {
    return this.#madeAnew.has(firstForm) || this.#appliedAgain.has(firstForm);
  }

  /** It was made anew as it is here, and so was all that comes before it. */
  isMadeAnew(edit: UpdateRecord): boolean {
    return this.#madeAnew.has(firstFormOfEdit(edit));
  }

  /** It was applied again, or all that it applies again is there: without what comes before it, or with it. */
  isAppliedAgain(edit: UpdateRecord): boolean {
    const { appliedAgain = [] } = edit;
    return (appliedAgain.length > 0 && this.hasAll(appliedAgain)) || this.#appliedAgain.has(firstFormOfEdit(edit));
  }

  hasAll(firstForms: ReadonlyArray<Hash>): boolean {
    return firstForms.every((each) => this.has(each));
  }

  hasSome(firstForms: ReadonlySet<Hash>): boolean {
    return [...firstForms].some((each) => this.has(each));
  }

  /** The edit is there, or something of what it applies again. */
  hasSomeOf(edit: UpdateRecord): boolean {
    return (
      this.isMadeAnew(edit) || this.isAppliedAgain(edit) || edit.appliedAgain?.some((each) => this.has(each)) === true
    );
  }
}

/** Whether some of them were made anew, or applied again: another copy of this store may have sent the same. */
export const areSomeNamed = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  workspace: WorkspaceId,
): Effect.fn.Return<boolean, StoreFailure> {
  const isNamed = ({ firstForm, appliedAgain }: UpdateRecord): boolean =>
    firstForm !== undefined || appliedAgain !== undefined;
  for (const { document } of yield* store.pendingDocuments(workspace)) {
    if ((yield* store.pendingUpdates(workspace, document)).some(isNamed)) return true;
  }
  const { outbox, of } = yield* unacknowledgedEdits(store, workspace);
  for (const document of new Set(outbox.map(({ document }) => document))) {
    if ((yield* of(document))?.edits.some(isNamed) === true) return true;
  }
  return false;
});
