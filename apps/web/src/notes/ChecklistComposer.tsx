import { Plus } from "lucide-react";
import { useEffect, useEffectEvent, useState } from "react";
import { type ChecklistLine, checklistLines } from "../notebook/schema/checklist-lines.ts";

export interface ChecklistComposerProps {
  label: string;
  /** `goesOn`: the person wants to add another one. */
  onAdd: (lines: ReadonlyArray<ChecklistLine>, goesOn: boolean) => void;
  /** The person is done with adding here. */
  onLeave: () => void;
  onUp: () => void;
}

/** Takes the next item: Enter adds it and waits for another one; several lines become several items. */
export const ChecklistComposer = ({ label, onAdd, onLeave, onUp }: ChecklistComposerProps) => {
  const [draft, setDraft] = useState("");
  const add = (text: string, goesOn: boolean): void => {
    const lines = checklistLines(text);
    setDraft("");
    if (lines.length > 0) onAdd(lines, goesOn);
  };
  // Whoever leaves by a shortcut finds the words in the list.
  const keep = useEffectEvent(() => add(draft, false));
  useEffect(() => () => keep(), []);
  return (
    <li className="flex items-start pr-2 pl-2">
      <span className="grid size-9 shrink-0 place-items-center text-ink-faint pointer-coarse:size-11">
        <Plus className="size-4" aria-hidden="true" />
      </span>
      <textarea
        data-label="composer"
        rows={1}
        value={draft}
        aria-label={label}
        placeholder={label}
        enterKeyHint="enter"
        autoCapitalize="sentences"
        className="min-h-9 w-full min-w-0 resize-none field-sizing-content overflow-hidden rounded-md bg-transparent outline-none focus:bg-hover px-1.5 py-1.5 leading-6 placeholder:text-ink-faint pointer-coarse:min-h-11 pointer-coarse:py-2.5"
        onChange={(event) => setDraft(event.target.value)}
        onPaste={(event) => {
          const text = event.clipboardData.getData("text/plain");
          if (!text.trim().includes("\n")) return;
          event.preventDefault();
          const { selectionStart, selectionEnd } = event.currentTarget;
          add(draft.slice(0, selectionStart) + text + draft.slice(selectionEnd), true);
        }}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return;
          if (event.key === "Enter") {
            event.preventDefault();
            if (draft.trim() === "") onLeave();
            else add(draft, true);
          } else if (event.key === "Escape" && draft === "") onLeave();
          else if ((event.key === "ArrowUp" || event.key === "Backspace") && draft === "") {
            event.preventDefault();
            onUp();
          }
        }}
        onBlur={() => {
          // Who only looks at another window goes on later.
          if (document.hasFocus()) add(draft, false);
        }}
      />
    </li>
  );
};
