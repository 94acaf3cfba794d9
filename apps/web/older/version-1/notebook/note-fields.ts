/** In place of `src/notebook/note-fields.ts`: notes without a place in the list, and without a checklist. */
import type { ListQuery } from "@cairn/client";
import type { schema } from "./schema.ts";

type NoteQuery = ListQuery<typeof schema, "note">;

interface ListChoice {
  readonly search: string;
  readonly tag: string | undefined;
}

export const shelves: ReadonlySet<string> = new Set(["normal"]);
export const shelfOf = (): string => "normal";
export const putOn = (): void => undefined;

export const listQueries = (
  { search, tag }: ListChoice,
  limit: number,
): { readonly top: NoteQuery; readonly rest: NoteQuery } => ({
  top: anyArchived,
  rest: {
    ...(search === "" ? {} : { search }),
    ...(tag === undefined ? {} : { where: { tags: { eq: tag } } }),
    sort: { by: "$updated", descending: true },
    limit,
  },
});

export const anyArchived: NoteQuery = { limit: 0 };

export const hasChecklist = false;
export const isChecklistEmpty = (): boolean => true;
export const checklistCount = (): undefined => undefined;
export const checklistExcerpt = (): string => "";
export const checklistMarkdown = (): string => "";
