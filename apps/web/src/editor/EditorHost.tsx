import { useEffect, useEffectEvent, useRef } from "react";
import type { NoteHandle } from "../notebook/hooks.ts";
import type { AttachmentSource } from "./attachment-widget.ts";
import { receiveTypedAhead } from "../notes/typed-ahead.ts";
import { createEditor, type NoteEditorHandle } from "./create-editor.ts";

export interface EditorHostProps {
  note: NoteHandle;
  readOnly: boolean;
  /** The person is writing already: the editor goes on there with what was typed before it was on screen. */
  continueTyping: "at the start" | "at the end" | undefined;
  attachments: AttachmentSource;
  onFiles: (files: ReadonlyArray<File>, at: number) => void;
  onReady: (editor: NoteEditorHandle | undefined) => void;
}

/** Holds one CodeMirror view for as long as the note is on screen. This module is the lazy part of the note's page. */
const EditorHost = ({ note, readOnly, continueTyping, attachments, onFiles, onReady }: EditorHostProps) => {
  const parent = useRef<HTMLDivElement>(null);
  const editor = useRef<NoteEditorHandle | undefined>(undefined);
  const takeFiles = useEffectEvent(onFiles);
  const open = useEffectEvent((element: HTMLElement, doc: NoteHandle["loro"], source: AttachmentSource) => {
    const text = doc.getText("body");
    const made = createEditor({
      parent: element,
      doc,
      text,
      label: "Note text",
      readOnly,
      attachments: source,
      onFiles: (files, at) => takeFiles(files, at),
    });
    // As long as there is one of its containers, Loro keeps the whole document in memory.
    return { ...made, destroy: () => (made.destroy(), text.free()) };
  });

  useEffect(() => {
    const element = parent.current;
    if (!element) return undefined;
    const show = (): void => {
      const made = open(element, note.loro, attachments);
      editor.current = made;
      onReady(made);
    };
    const end = (): void => {
      onReady(undefined);
      editor.current?.destroy();
      editor.current = undefined;
    };
    show();
    // Rule 15: after a slow merge the content is in another Loro document, and the one before it is about to be freed.
    const stopListening = note.onChange((event) => {
      if (event.origin !== "replaced") return;
      const cursor = editor.current?.cursor();
      end();
      show();
      if (cursor !== undefined) editor.current?.focus(cursor);
    });
    return () => {
      stopListening();
      end();
    };
  }, [note, attachments, onReady]);

  useEffect(
    () =>
      continueTyping === undefined
        ? undefined
        : receiveTypedAhead(note.id, (typed, mayFocus) =>
            editor.current?.continueWith(typed, continueTyping, mayFocus),
          ),
    [note.id, continueTyping],
  );

  useEffect(() => editor.current?.setReadOnly(readOnly), [readOnly]);

  return <div ref={parent} className="note-editor" />;
};

export default EditorHost;
