import { useEffect, useEffectEvent, useRef } from "react";
import type { NoteHandle } from "../notebook/hooks.ts";
import { receiveTypedAhead } from "./typed-ahead.ts";

export interface NoteTitleProps {
  note: NoteHandle;
  title: string;
  readOnly: boolean;
  /** The note was just made: its title is where the person goes on. */
  focusFirst: boolean;
  /** The person is done with the title and wants to write, or has already written this much of the text. */
  onLeave: (typed: string) => void;
}

const LONGEST = 300;

/** The title: one logical line that may wrap. */
export const NoteTitle = ({ note, title, readOnly, focusFirst, onLeave }: NoteTitleProps) => {
  const field = useRef<HTMLTextAreaElement>(null);
  const hasBegun = useRef(false);
  const begin = useEffectEvent((typed: string) => {
    if (hasBegun.current) return;
    hasBegun.current = true;
    const [line = "", ...more] = typed.split("\n");
    if (line !== "") note.edit((edit) => edit.title.set(line.slice(0, LONGEST)));
    if (more.length > 0) onLeave(more.join("\n"));
    else field.current?.focus();
  });
  useEffect(() => (focusFirst ? receiveTypedAhead(begin) : undefined), [focusFirst]);
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
        maxLength={LONGEST}
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
          onLeave("");
        }}
      />
    </>
  );
};
