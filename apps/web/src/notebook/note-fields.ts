/**
 * What notes have in this version of the app beside title, text, tags and files, as far as the rest of the app asks: where
 * they stand in the list, and a checklist. Builds of older versions have a file of their own in this one's place (`older/`).
 */
import type { ListQuery } from "@cairn/client";
import type { Editor, View } from "@cairn/schema";
import type { NoteRow } from "./hooks.ts";
import type { TaskCount } from "./note-text.ts";
import type { NotebookSchema } from "./schema.ts";
import type { ChecklistItem, Shelf } from "./schema/version-3.ts";

type Note = NotebookSchema["documents"]["note"];
export type NoteEditor = Editor<Note>;
export type NoteQuery = ListQuery<NotebookSchema, "note">;

/** Where a note can be put. */
export const shelves: ReadonlySet<Shelf> = new Set<Shelf>(["pinned", "normal", "archived"]);

export const shelfOf = (fields: { readonly shelf: Shelf }): Shelf => fields.shelf;

export const putOn = (edit: NoteEditor, shelf: Shelf): void => edit.shelf.set(shelf);

export interface ListChoice {
  readonly search: string;
  readonly tag: string | undefined;
  readonly archive: boolean;
}

/** The questions of the list: what stands on top, and what follows, the newest first. */
export const listQueries = (
  { search, tag, archive }: ListChoice,
  limit: number,
): { readonly top: NoteQuery; readonly rest: NoteQuery } => {
  const tagged = tag === undefined ? {} : { tags: { eq: tag } };
  const sort = { by: "$updated", descending: true } as const;
  if (archive) {
    const words = search === "" ? {} : { search };
    return { top: nothing, rest: { ...words, where: { ...tagged, shelf: { eq: "archived" } }, sort, limit } };
  }
  // Who looks for words finds them wherever the note stands.
  if (search !== "") return { top: nothing, rest: { search, where: tagged, sort, limit } };
  return {
    top: { where: { ...tagged, shelf: { eq: "pinned" } }, sort, limit },
    // Not by what it is: rows that an older app made, or that are still arriving, belong into the list.
    rest: { where: { ...tagged, not: { shelf: { in: ["pinned", "archived"] } } }, sort, limit },
  };
};

const nothing: NoteQuery = { limit: 0 };

/** Any note out of sight. */
export const anyArchived: NoteQuery = { where: { shelf: { eq: "archived" } }, limit: 1 };

export const hasChecklist = true;

export const isChecklistEmpty = (view: View<Note>): boolean => view.checklist.length === 0;

/** Items that a row holds at most: of more, counting would be a guess. */
const maxInRow = 100;

/** The items of a row's checklist; undefined where it has none, or more than the row holds. */
export const checklistCount = ({ checklist, ticked }: NoteRow["fields"]): TaskCount | undefined =>
  checklist.length === 0 || checklist.length >= maxInRow
    ? undefined
    : { done: checklist.filter((item) => isTicked(item, ticked)).length, all: checklist.length };

export const isTicked = ({ id }: ChecklistItem, ticked: ReadonlyArray<string>): boolean => ticked.includes(String(id));

/** What a list shows of a note that has nothing but its checklist. */
export const checklistExcerpt = ({ checklist }: NoteRow["fields"]): string =>
  checklist
    .slice(0, 12)
    .map(({ label }) => label)
    .join(" · ");

export const checklistMarkdown = ({ checklist, ticked }: View<Note>): string =>
  checklist.map((item) => `- [${isTicked(item, ticked) ? "x" : " "}] ${item.label}`).join("\n");
