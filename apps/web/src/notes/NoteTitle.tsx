import { useEffect, useEffectEvent, useRef } from "react";
import type { NoteHandle } from "../notebook/hooks.ts";
import { forgetTypedAhead, receiveTypedAhead } from "./typed-ahead.ts";

export interface NoteTitleProps {
  note: NoteHandle;
  title: string;
  readOnly: boolean;
  /** The note was just made: its title is where the person goes on. */
  focusFirst: boolean;
  /** The person is done with the title and wants to write, or has already written this much of the text. */
  onLeave: (typed: string, mayFocus: boolean) => void;
}

const LONGEST = 300;

/** What of a line a title can hold: no half of a surrogate pair. */
const fitting = (line: string): string => line.slice(0, LONGEST).replace(/[\uD800-\uDBFF]$/, "");

/** The title: one logical line that may wrap. */
export const NoteTitle = ({ note, title, readOnly, focusFirst, onLeave }: NoteTitleProps) => {
  const field = useRef<HTMLTextAreaElement>(null);
  const hasBegun = useRef(false);
  const begin = useEffectEvent((typed: string, mayFocus: boolean) => {
    hasBegun.current = true;
    if (readOnly) return forgetTypedAhead();
    const [line = "", ...more] = typed.split("\n");
    const first = fitting(line);
    if (first !== "") note.edit((edit) => edit.title.set(first));
    if (first !== line) more.unshift(line.slice(first.length));
    if (more.length > 0) onLeave(more.join("\n"), mayFocus);
    else if (mayFocus) field.current?.focus();
  });
  useEffect(
    () => (focusFirst && !hasBegun.current ? receiveTypedAhead(note.id, begin) : undefined),
    [focusFirst, note.id],
  );
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
          onLeave("", true);
        }}
      />
    </>
  );
};
