import { useEffect, useEffectEvent, useId, useState } from "react";
import { useCairn } from "../notebook/hooks.ts";
import { Button } from "../ui/Button.tsx";
import { keysLabel } from "../shell/shortcuts.ts";
import { useCreateNote } from "./use-create-note.ts";

/** Takes the first words of a note, also while the engine is still starting; nothing typed is lost by that. */
export const Composer = () => {
  const ready = useCairn().status === "ready";
  const createNote = useCreateNote();
  const [text, setText] = useState("");
  const [asked, setAsked] = useState(false);
  const id = useId();

  const keep = useEffectEvent(() => createNote(text).then(() => setAsked(false)));
  useEffect(() => {
    if (asked && ready) void keep();
  }, [asked, ready]);

  return (
    <form
      className="mt-5 rounded-xl border border-line-strong bg-raised focus-within:border-moss"
      onSubmit={(event) => {
        event.preventDefault();
        setAsked(true);
      }}
    >
      <label htmlFor={id} className="sr-only">
        A new note
      </label>
      <textarea
        id={id}
        value={text}
        rows={3}
        placeholder="Buy a map. Call Mara. An idea for the wall."
        className="block max-h-[50vh] min-h-24 w-full resize-none field-sizing-content bg-transparent px-4 pt-3.5 font-serif text-[1.0625rem] leading-relaxed outline-none placeholder:text-ink-faint"
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) {
            event.preventDefault();
            setAsked(true);
          }
        }}
      />
      <div className="flex items-center justify-end gap-3 p-2">
        <span className="text-sm text-ink-faint pointer-coarse:hidden">{keysLabel("Mod+Enter")}</span>
        <Button look="primary" size="small" type="submit" disabled={asked}>
          {asked && !ready ? "Opening…" : text.trim() === "" ? "New note" : "Keep it"}
        </Button>
      </div>
    </form>
  );
};
