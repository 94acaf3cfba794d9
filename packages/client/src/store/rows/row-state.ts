/** What a store keeps of a document's row in the place that every edit writes: the same in all stores. */
import { indexEntries, type IndexScope, movedEntries } from "@cairn/schema";
import type { WorkspaceId } from "@cairn/protocol";
import type { DocumentView } from "../store-changes.ts";

export interface RowState {
  readonly type: string;
  readonly updatedAt: number;
  readonly deleted: boolean;
  readonly createdAt: number;
  /** Fingerprint of the declaration that the row was made by; empty until it was. */
  readonly projection: string;
  /** Its entries in the index; those of its times alone until the row was made. */
  readonly entries: ReadonlyArray<string>;
}

/** A row that nobody has made yet. */
export const newRowState = (type: string, time: number): RowState => ({
  type,
  updatedAt: time,
  deleted: false,
  createdAt: time,
  projection: "",
  entries: [],
});

/** A row after something was stored for its document. */
export const changedRowState = (
  workspace: WorkspaceId,
  before: RowState,
  change: { readonly type: string; readonly time: number; readonly view: DocumentView | undefined },
): RowState => {
  const { view } = change;
  const type = before.type === "" ? change.type : before.type;
  const updatedAt = Math.max(before.updatedAt, change.time);
  const deleted = view?.deleted ?? before.deleted;
  const createdAt = view?.createdAt ?? before.createdAt;
  const times = { createdAt, updatedAt };
  const scope: IndexScope = { workspace, type, deleted };
  const made = view?.projection;
  if (made !== undefined) {
    const entries = indexEntries(scope, times, made.indexed);
    return { type, updatedAt, deleted, createdAt, projection: made.fingerprint, entries };
  }
  const from: IndexScope = { workspace, type: before.type, deleted: before.deleted };
  const entries =
    before.projection === ""
      ? indexEntries(scope, times, [])
      : before.entries.length === 0
        ? []
        : movedEntries(from, scope, times, before.entries);
  return { type, updatedAt, deleted, createdAt, projection: before.projection, entries };
};

/**
 * Which edits of one call are shown by a row that came with them: those of a document whose last edit in the call has one,
 * with all that belongs to it. The others leave their documents unprojected.
 */
export const shownEdits = (
  edits: ReadonlyArray<{
    readonly document: string;
    readonly workspace: string;
    readonly row: DocumentView | undefined;
  }>,
): ReadonlyArray<boolean> => {
  const shown = new Map<string, boolean>();
  for (const { workspace, document, row } of edits) {
    shown.set(`${workspace}${document}`, row?.projection?.searchText !== undefined);
  }
  return edits.map(({ workspace, document }) => shown.get(`${workspace}${document}`) === true);
};

/** Two views of one transaction as one: what the later one leaves out, the earlier one shows. */
export const laterView = (before: DocumentView | undefined, view: DocumentView): DocumentView => {
  const known = before?.projection;
  if (known === undefined) return view;
  const { projection = known } = view;
  return { ...view, projection: { ...projection, searchText: projection.searchText ?? known.searchText } };
};
