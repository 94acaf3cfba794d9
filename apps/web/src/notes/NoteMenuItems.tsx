import { useDocumentView } from "@cairn/react";
import { Copy, Keyboard, Share2, Trash2 } from "lucide-react";
import type { NoteHandle } from "../notebook/hooks.ts";
import { checklistMarkdown, shelfOf } from "../notebook/note-fields.ts";
import { nameOf } from "../notebook/note-text.ts";
import { useShellActions } from "../shell/shell-actions.ts";
import { keysLabel } from "../shell/shortcuts.ts";
import { Action, ActionSeparator } from "../ui/menu-items.tsx";
import { notify } from "../ui/notices.ts";
import { useMoveNote } from "./move-note.ts";
import { shelfChoices } from "./shelf-choices.ts";

export interface NoteMenuItemsProps {
  note: NoteHandle;
  readOnly: boolean;
  onDelete: () => void;
}

const NoteMenuItems = ({ note, readOnly, onDelete }: NoteMenuItemsProps) => {
  const { share, help } = useShellActions();
  const shelf = useDocumentView(note, shelfOf);
  const moveNote = useMoveNote();
  const copy = async (): Promise<void> => {
    const view = note.read();
    const heading = view.title.trim() === "" ? "" : `# ${view.title}`;
    const parts = [heading, checklistMarkdown(view), view.body].filter((part) => part !== "");
    await navigator.clipboard.writeText(parts.join("\n\n"));
    notify({ title: "Copied as Markdown" });
  };
  return (
    <>
      <Action icon={<Share2 />} onSelect={share}>
        Share this notebook
      </Action>
      <Action
        icon={<Copy />}
        onSelect={() =>
          void copy().catch(() => notify({ title: "The browser did not allow copying", tone: "problem" }))
        }
      >
        Copy as Markdown
      </Action>
      <Action icon={<Keyboard />} onSelect={help} hint={keysLabel("Mod+/")}>
        Keyboard shortcuts
      </Action>
      {readOnly ? null : (
        <>
          <ActionSeparator />
          {shelfChoices(shelf).map(({ to, label, icon: Icon }) => (
            <Action
              key={label}
              icon={<Icon />}
              onSelect={() => moveNote({ id: note.id, name: nameOf(note.read()), shelf }, to)}
            >
              {label}
            </Action>
          ))}
          <Action icon={<Trash2 />} tone="danger" onSelect={onDelete}>
            Delete note
          </Action>
        </>
      )}
    </>
  );
};

export default NoteMenuItems;
