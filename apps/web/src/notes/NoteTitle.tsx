import { useEffect, useRef } from "react";
import type { NoteHandle } from "../notebook/hooks.ts";

export interface NoteTitleProps {
  note: NoteHandle;
  title: string;
  readOnly: boolean;
  /** The note was just made: its title is where the person goes on. */
  focusFirst: boolean;
  /** The person is done with the title and wants to write. */
  onLeave: () => void;
}

/** The title: one logical line that may wrap. */
export const NoteTitle = ({ note, title, readOnly, focusFirst, onLeave }: NoteTitleProps) => {
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (focusFirst) field.current?.focus();
  }, [focusFirst]);
  return (
    <>
      <label htmlFor="note-title" className="sr-only">
        Title
      </label>
      <textarea
        ref={field}
        id="note-title"
        rows={1}
        value={title}
        readOnly={readOnly}
        placeholder="Untitled"
        maxLength={300}
        enterKeyHint="next"
        autoCapitalize="sentences"
        className="block w-full resize-none field-sizing-content overflow-hidden bg-transparent font-serif text-[1.75rem] leading-tight font-semibold tracking-tight outline-none placeholder:text-ink-faint pointer-coarse:py-1.5 wide:text-[2.125rem]"
        onChange={(event) => {
          const next = event.target.value.replaceAll(/\s*\n\s*/g, " ");
          note.edit((edit) => edit.title.set(next));
        }}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.nativeEvent.isComposing) return;
          event.preventDefault();
          onLeave();
        }}
      />
    </>
  );
};
