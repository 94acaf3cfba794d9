import { useCallback, useRef, useState } from "react";
import { attachmentMarkdown } from "../editor/attachment-references.ts";
import { explain } from "../notebook/explain.ts";
import { formatBytes } from "../notebook/format.ts";
import { type NoteHandle, useCairn, useWorkspace } from "../notebook/hooks.ts";
import { notify } from "../ui/notices.ts";
import { maxAttachmentBytes } from "./note-attachments.ts";

/** A file on its way into the note. */
export interface FileBeingAdded {
  readonly key: number;
  readonly name: string;
  /** 0 to 1. */
  readonly progress: number;
  readonly cancel: () => void;
}

/** Adds files to a note: says beforehand what does not fit, shows progress, and puts each one where it was dropped. */
export const useAttachFiles = (note: NoteHandle) => {
  const state = useCairn();
  const workspace = useWorkspace();
  const [adding, setAdding] = useState<ReadonlyArray<FileBeingAdded>>([]);
  const nextKey = useRef(0);

  const attach = useCallback(
    async (files: ReadonlyArray<File>, at?: number) => {
      if (!workspace || state.status !== "ready") return;
      const { usage, quota } = await state.cairn.storage().catch(() => ({ usage: undefined, quota: undefined }));
      const room = usage === undefined || quota === undefined ? Number.POSITIVE_INFINITY : quota - usage;
      const body = note.loro.getText("body");
      // A place in the text that moves with the edits made while the file is being sealed.
      const place = at === undefined ? undefined : body.getCursor(Math.min(at, body.length));
      const show = (markdown: string): void =>
        note.edit((edit) => {
          const end = edit.body.length;
          const offset = place === undefined ? end : (note.loro.getCursorPos(place)?.offset ?? end);
          const before = offset > 0 && edit.body.slice(offset - 1, offset) !== "\n" ? "\n" : "";
          edit.body.insert(offset, `${before}${markdown}\n`);
        });

      for (const file of files) {
        if (file.size > maxAttachmentBytes) {
          const detail = `${file.name} has ${formatBytes(file.size)}; an attachment can have ${formatBytes(maxAttachmentBytes)}.`;
          notify({ title: "This file is too large", detail, tone: "problem" });
          continue;
        }
        if (file.size > room) {
          const detail = `${file.name} has ${formatBytes(file.size)}; this device has room for ${formatBytes(Math.max(0, room))}.`;
          notify({ title: "There is no room for this file", detail, tone: "problem" });
          continue;
        }
        const key = nextKey.current++;
        const abort = new AbortController();
        const entry = { key, name: file.name, progress: 0, cancel: () => abort.abort() };
        setAdding((before) => [...before, entry]);
        try {
          const mediaType = file.type || "application/octet-stream";
          const added = await workspace.attach(
            note.id,
            { name: file.name || "picture.png", mediaType, size: file.size, data: file },
            {
              signal: abort.signal,
              onProgress: (done, total) =>
                setAdding((before) =>
                  before.map((one) => (one.key === key ? { ...one, progress: total === 0 ? 1 : done / total } : one)),
                ),
            },
          );
          show(attachmentMarkdown(added));
        } catch (error) {
          // Whoever left the note meanwhile finds the file beside its text: it is attached, only not shown in it.
          if (!abort.signal.aborted && !isClosed(error)) notify({ ...explain(error), tone: "problem" });
        } finally {
          setAdding((before) => before.filter((one) => one.key !== key));
        }
      }
    },
    [note, state, workspace],
  );

  return { adding, attach };
};

const isClosed = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "closed";
