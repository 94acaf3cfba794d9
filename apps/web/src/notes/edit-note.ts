import { explain } from "../notebook/explain.ts";
import type { NoteId, Notebook } from "../notebook/hooks.ts";
import type { NoteEditor } from "../notebook/note-fields.ts";
import { notify } from "../ui/notices.ts";

/** Edits a note that need not be open. Says why where that fails, and whether it was done. */
export const editNote = async (
  notebook: Notebook,
  id: NoteId,
  change: (edit: NoteEditor) => void,
): Promise<boolean> => {
  try {
    const handle = await notebook.open("note", id);
    try {
      handle.edit(change);
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    notify({ ...explain(error), tone: "problem" });
    return false;
  }
};
