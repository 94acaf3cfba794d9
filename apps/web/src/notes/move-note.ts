import { useCallback } from "react";
import { type NoteId, useWorkspace } from "../notebook/hooks.ts";
import { putOn } from "../notebook/note-fields.ts";
import type { Shelf } from "../notebook/schema/version-3.ts";
import { notify } from "../ui/notices.ts";
import { editNote } from "./edit-note.ts";

/** A note, and where it stands. */
export interface ShelvedNote {
  readonly id: NoteId;
  readonly name: string;
  readonly shelf: Shelf;
}

/** Puts a note on top of the list, back into it, or out of sight. Says so where it leaves the list, with a way back. */
export const useMoveNote = (): ((note: ShelvedNote, to: Shelf) => void) => {
  const notebook = useWorkspace();
  return useCallback(
    ({ id, name, shelf }, to) => {
      if (!notebook) return;
      const put = (where: Shelf) => editNote(notebook, id, (edit) => putOn(edit, where));
      void put(to).then((done) => {
        if (!done || to !== "archived") return;
        notify({ title: "Note archived", detail: name, action: { label: "Undo", run: () => void put(shelf) } });
      });
    },
    [notebook],
  );
};
