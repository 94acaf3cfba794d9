import { useNavigate } from "@tanstack/react-router";
import { useCallback, useEffect, useRef } from "react";
import { explain } from "../notebook/explain.ts";
import { useCairn, useWorkspace } from "../notebook/hooks.ts";
import { useListFilterIfAny } from "../notebook/view-state.tsx";
import { notify } from "../ui/notices.ts";
import { expectNewNote } from "./new-note.ts";
import { forgetTypedAhead, nameTypedAhead, NEW_NOTE, typeAhead } from "./typed-ahead.ts";

/** Makes a note and opens it. A list filtered by a tag gives the new note that tag, so that it shows up there; the archive is left for it. */
export const useCreateNote = (): ((text?: string) => Promise<void>) => {
  const workspace = useWorkspace();
  const hasFailed = useCairn().status === "failed";
  const navigate = useNavigate();
  const filter = useListFilterIfAny();
  const tag = filter?.tag;
  const leaveArchive = filter?.setArchive;
  const wanted = useRef<string | undefined>(undefined);
  const create = useCallback(
    async (text = "") => {
      if (!workspace) {
        wanted.current = text;
        if (!hasFailed) typeAhead(NEW_NOTE);
        return;
      }
      if (workspace.info().role === "reader") {
        forgetTypedAhead();
        notify({ title: "This notebook is read-only for you", detail: "Make a note in a notebook of your own." });
        return;
      }
      typeAhead(NEW_NOTE);
      try {
        const handle = await workspace.create("note", (note) => {
          if (text !== "") note.body.insert(0, text);
          if (tag !== undefined) note.tags.add(tag);
        });
        await handle.close();
        nameTypedAhead(handle.id);
        expectNewNote(handle.id);
        leaveArchive?.(false);
        await navigate({ to: "/note/$noteId", params: { noteId: handle.id } });
      } catch (error) {
        forgetTypedAhead();
        notify({ ...explain(error), tone: "problem" });
      }
    },
    [workspace, hasFailed, navigate, tag, leaveArchive],
  );
  // The list may be on screen before the notebook is open: who asks then gets the note as soon as it is.
  useEffect(() => {
    const text = wanted.current;
    if (!workspace || text === undefined) return;
    wanted.current = undefined;
    void create(text);
  }, [workspace, create]);
  useEffect(() => {
    if (hasFailed) forgetTypedAhead();
  }, [hasFailed]);
  return create;
};
