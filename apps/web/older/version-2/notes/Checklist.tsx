/** In place of `src/notes/Checklist.tsx`: the checklist of version 2, which is text. */
import type { DocumentHandle } from "@cairn/client";
import { useDocumentView } from "@cairn/react";
import { useEffect, useRef } from "react";
import type { schema } from "../notebook/schema.ts";

export interface ChecklistProps {
  note: DocumentHandle<typeof schema, "note">;
  readOnly: boolean;
  focusFirst: boolean;
}

const Checklist = ({ note, readOnly, focusFirst }: ChecklistProps) => {
  const text = useDocumentView(note, (view) => view.checklist);
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (focusFirst) field.current?.focus();
  }, [focusFirst]);
  return (
    <textarea
      ref={field}
      aria-label="Checklist"
      rows={3}
      value={text}
      readOnly={readOnly}
      placeholder="[ ] milk"
      className="mb-6 block w-full resize-none rounded-xl border border-line bg-raised field-sizing-content px-4 py-3 text-[0.9375rem] leading-relaxed placeholder:text-ink-faint"
      onChange={(event) => {
        const next = event.target.value.toWellFormed();
        note.edit((edit) => edit.checklist.update(next));
      }}
    />
  );
};

export default Checklist;
