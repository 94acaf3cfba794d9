/** In place of `src/notebook/note-fields.ts`: notes that are pinned or not, and a checklist that is text. */
import type { ListQuery } from "@cairn/client";
import type { Editor, View } from "@cairn/schema";
import { checklistLines } from "../../../src/notebook/schema/checklist-lines.ts";
import type { TaskCount } from "../../../src/notebook/note-text.ts";
import { previewLength } from "../../../src/notebook/preview.ts";
import type { schema } from "./schema.ts";

type Note = (typeof schema)["documents"]["note"];
type NoteQuery = ListQuery<typeof schema, "note">;

interface ListChoice {
  readonly search: string;
  readonly tag: string | undefined;
}

export const shelves: ReadonlySet<string> = new Set(["pinned", "normal"]);
export const shelfOf = ({ pinned }: { readonly pinned: boolean }): string => (pinned ? "pinned" : "normal");
export const putOn = (edit: Editor<Note>, shelf: string): void => edit.pinned.set(shelf === "pinned");

export const listQueries = (
  { search, tag }: ListChoice,
  limit: number,
): { readonly top: NoteQuery; readonly rest: NoteQuery } => {
  const tagged = tag === undefined ? {} : { tags: { eq: tag } };
  const sort = { by: "$updated", descending: true } as const;
  if (search !== "") return { top: anyArchived, rest: { search, where: tagged, sort, limit } };
  return {
    top: { where: { ...tagged, pinned: { eq: true } }, sort, limit },
    rest: { where: { ...tagged, pinned: { ne: true } }, sort, limit },
  };
};

/** Nothing was ever out of sight. */
export const anyArchived: NoteQuery = { limit: 0 };

export const hasChecklist = true;
export const isChecklistEmpty = (view: View<Note>): boolean => view.checklist === "";

export const checklistCount = ({ checklist }: { readonly checklist: string }): TaskCount | undefined => {
  const lines = checklistLines(checklist);
  return lines.length === 0 || checklist.length >= previewLength
    ? undefined
    : { done: lines.filter(({ ticked }) => ticked).length, all: lines.length };
};

export const checklistExcerpt = ({ checklist }: { readonly checklist: string }): string =>
  checklistLines(checklist)
    .slice(0, 12)
    .map(({ label }) => label)
    .join(" · ");

export const checklistMarkdown = ({ checklist }: View<Note>): string =>
  checklistLines(checklist)
    .map(({ label, ticked }) => `- [${ticked ? "x" : " "}] ${label}`)
    .join("\n");
