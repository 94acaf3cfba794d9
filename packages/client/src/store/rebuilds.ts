/** Documents that were made anew without what was given up, and edits that come too late for them. */
import type { DocumentId } from "@cairn/protocol";
import type { NewLocalUpdate, Rebuilding } from "./store-changes.ts";
import type { WorkspaceRecord } from "./records.ts";

/** What a workspace says of who may append to it. */
export type Appendable = Pick<WorkspaceRecord, "device" | "rebuilds">;

/** The same, with this document made anew once more. */
export const withRebuild = (
  rebuilds: WorkspaceRecord["rebuilds"],
  document: DocumentId,
): NonNullable<WorkspaceRecord["rebuilds"]> => ({ ...rebuilds, [document]: rebuildsOf({ rebuilds }, document) + 1 });

/** Whether a document goes altogether: the log has nothing of it that can be opened, and no edit is left. */
export const isNothingLeft = ({
  document,
  acknowledged,
  edits,
}: Pick<Rebuilding, "document" | "acknowledged" | "edits">): boolean =>
  acknowledged.length === 0 && !edits.some((edit) => edit.document === document);

/** How often a document was made anew. */
export const rebuildsOf = (workspace: Pick<WorkspaceRecord, "rebuilds"> | undefined, document: DocumentId): number =>
  workspace?.rebuilds?.[document] ?? 0;

/**
 * Why none of these edits may be stored, which is asked in the transaction that stores them. Rule 12: what was made under a
 * retired identity would reach nobody. Promise 14: for what was made in a document as it was before, everybody would wait.
 */
export const appendRefusal = (
  edits: ReadonlyArray<NewLocalUpdate>,
  workspaceOf: (edit: NewLocalUpdate) => Appendable | undefined,
): "unknown" | "retired" | "rebuilt" | undefined => {
  for (const edit of edits) {
    const workspace = workspaceOf(edit);
    if (workspace === undefined) return "unknown";
    if (edit.device !== undefined && edit.device !== workspace.device) return "retired";
    if (edit.rebuilds !== undefined && edit.rebuilds !== rebuildsOf(workspace, edit.document)) return "rebuilt";
  }
  return undefined;
};
