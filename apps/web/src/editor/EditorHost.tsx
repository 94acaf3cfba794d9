import { useEffect, useRef } from "react";
import type { NoteHandle } from "../notebook/hooks.ts";
import type { AttachmentSource } from "./attachment-widget.ts";
import { createEditor, type NoteEditorHandle } from "./create-editor.ts";

export interface EditorHostProps {
  note: NoteHandle;
  readOnly: boolean;
  autoFocus: boolean;
  attachments: AttachmentSource;
  onFiles: (files: ReadonlyArray<File>, at: number) => void;
  onReady: (editor: NoteEditorHandle | undefined) => void;
}

/** Holds one CodeMirror view for as long as the note is on screen. This module is the lazy part of the note's page. */
const EditorHost = ({ note, readOnly, autoFocus, attachments, onFiles, onReady }: EditorHostProps) => {
  const parent = useRef<HTMLDivElement>(null);
  const editor = useRef<NoteEditorHandle | undefined>(undefined);
  const latest = useRef({ onFiles, readOnly, autoFocus });
  latest.current = { onFiles, readOnly, autoFocus };

  useEffect(() => {
    if (!parent.current) return undefined;
    const made = createEditor({
      parent: parent.current,
      doc: note.loro,
      text: note.loro.getText("body"),
      label: "Note text",
      readOnly: latest.current.readOnly,
      attachments,
      onFiles: (files, at) => latest.current.onFiles(files, at),
    });
    editor.current = made;
    onReady(made);
    if (latest.current.autoFocus) made.focus();
    return () => {
      onReady(undefined);
      editor.current = undefined;
      made.destroy();
    };
  }, [note, attachments, onReady]);

  useEffect(() => editor.current?.setReadOnly(readOnly), [readOnly]);

  return <div ref={parent} className="note-editor" />;
};

export default EditorHost;
