import { Copy, Keyboard, Share2, Trash2 } from "lucide-react";
import type { NoteHandle } from "../notebook/hooks.ts";
import { useShellActions } from "../shell/shell-actions.ts";
import { keysLabel } from "../shell/shortcuts.ts";
import { Action, ActionSeparator } from "../ui/menu-items.tsx";
import { notify } from "../ui/notices.ts";

export interface NoteMenuItemsProps {
  note: NoteHandle;
  readOnly: boolean;
  onDelete: () => void;
}

const NoteMenuItems = ({ note, readOnly, onDelete }: NoteMenuItemsProps) => {
  const { share, help } = useShellActions();
  const copy = async (): Promise<void> => {
    const { title, body } = note.read();
    await navigator.clipboard.writeText(title.trim() === "" ? body : `# ${title}\n\n${body}`);
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
          <Action icon={<Trash2 />} tone="danger" onSelect={onDelete}>
            Delete note
          </Action>
        </>
      )}
    </>
  );
};

export default NoteMenuItems;
