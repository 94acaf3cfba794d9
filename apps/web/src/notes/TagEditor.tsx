import { useDocumentView } from "@cairn/react";
import { Plus, X } from "lucide-react";
import { type ReactNode, useId, useState } from "react";
import type { NoteHandle } from "../notebook/hooks.ts";
import { cleanTag } from "./clean-tag.ts";
import { useTags } from "./tags.ts";

export interface TagEditorProps {
  note: NoteHandle;
  readOnly: boolean;
  /** What else can be added to the note, behind the tags. */
  children: ReactNode;
}

/** The note's tags: add by typing, take away with a click or Backspace. */
export const TagEditor = ({ note, readOnly, children }: TagEditorProps) => {
  const tags = useDocumentView(note, (view) => view.tags);
  const known = useTags() ?? noTags;
  const [draft, setDraft] = useState("");
  const id = useId();

  const add = (input: string): void => {
    const tag = cleanTag(input);
    setDraft("");
    if (tag !== "" && !tags.includes(tag)) note.edit((edit) => edit.tags.add(tag));
  };
  const remove = (tag: string): void => note.edit((edit) => edit.tags.remove(tag));

  if (readOnly && tags.length === 0) return <div className="h-5" />;
  return (
    <div className="mt-2 mb-6 flex flex-wrap items-center gap-1.5 pointer-coarse:gap-y-3">
      {tags.map((tag) => (
        <span
          key={tag}
          className="inline-flex min-h-7 items-center rounded-full bg-moss-soft pl-2.5 text-[0.8438rem] font-medium text-moss-strong pointer-coarse:min-h-8 pointer-coarse:pl-3"
        >
          #{tag}
          {readOnly ? (
            <span className="w-2.5" />
          ) : (
            <button
              type="button"
              aria-label={`Remove tag ${tag}`}
              // A finger gets 44 px of height while the chip stays small.
              className="relative ml-0.5 grid size-7 place-items-center rounded-full opacity-75 after:absolute after:inset-0 hover:opacity-100 pointer-coarse:size-8 pointer-coarse:after:-inset-1.5"
              onClick={() => remove(tag)}
            >
              <X className="size-3.5" aria-hidden="true" />
            </button>
          )}
        </span>
      ))}
      {readOnly ? null : (
        <span className="relative inline-flex items-center">
          <Plus className="pointer-events-none absolute left-2 size-3.5 text-ink-faint" aria-hidden="true" />
          <label htmlFor={id} className="sr-only">
            Add a tag
          </label>
          <input
            id={id}
            value={draft}
            list={`${id}-known`}
            placeholder="Add tag"
            maxLength={42}
            autoComplete="off"
            autoCapitalize="none"
            enterKeyHint="done"
            className="min-h-7 w-28 rounded-full bg-transparent pr-2 pl-7 text-[0.8438rem] placeholder:text-ink-faint hover:bg-hover focus:bg-hover pointer-coarse:min-h-11 pointer-coarse:w-36 pointer-coarse:text-base pointer-coarse:-my-1.5 [&::-webkit-calendar-picker-indicator]:hidden!"
            onChange={(event) => {
              const { value } = event.target;
              // A comma ends a tag, as does choosing one of the known ones.
              if (value.endsWith(",")) add(value);
              else setDraft(value);
            }}
            onKeyDown={(event) => {
              if (event.nativeEvent.isComposing) return;
              if (event.key === "Enter") {
                event.preventDefault();
                add(draft);
              } else if (event.key === "Backspace" && draft === "") {
                const last = tags.at(-1);
                if (last !== undefined) remove(last);
              }
            }}
            onBlur={() => add(draft)}
          />
          <datalist id={`${id}-known`}>
            {known
              .filter((tag) => !tags.includes(tag))
              .map((tag) => (
                <option key={tag} value={tag}>
                  {tag}
                </option>
              ))}
          </datalist>
        </span>
      )}
      {children}
    </div>
  );
};

const noTags: ReadonlyArray<string> = [];
