import { Share2, SquarePen } from "lucide-react";
import { useCairn } from "../notebook/hooks.ts";
import { NoteList } from "../notes/NoteList.tsx";
import { useCreateNote } from "../notes/use-create-note.ts";
import { SyncIndicator } from "../sync/SyncIndicator.tsx";
import { Button, IconButton } from "../ui/Button.tsx";
import { NotebookMenu } from "./NotebookMenu.tsx";
import { OutdatedBanner } from "./OutdatedBanner.tsx";
import { PreparingLine } from "./PreparingLine.tsx";
import { SearchField } from "./SearchField.tsx";
import { useShellActions } from "./shell-actions.ts";
import { keysLabel } from "./shortcuts.ts";
import { useWide } from "./use-wide.ts";

export const Sidebar = ({ className }: { className: string }) => {
  const wide = useWide();
  // On a phone the list is the page; beside a page it leads to it.
  const Landmark = wide ? "nav" : "main";
  const ready = useCairn().status === "ready";
  const { share } = useShellActions();
  const createNote = useCreateNote();
  return (
    <Landmark
      {...(wide ? { "aria-label": "Notes" } : {})}
      className={`safe-top safe-bottom flex min-h-0 flex-col border-line bg-stone wide:border-r ${className}`}
    >
      {wide ? null : (
        <>
          <h1 className="sr-only">Notes</h1>
          <OutdatedBanner />
        </>
      )}
      <header className="flex items-center gap-1 px-3 pt-3 pb-2">
        <NotebookMenu />
        <span className="flex-1" />
        <IconButton label="Share this notebook" disabled={!ready} onClick={share}>
          <Share2 className="size-[1.15rem]" aria-hidden="true" />
        </IconButton>
        <IconButton
          className="max-wide:hidden"
          label="New note"
          shortcut={keysLabel("Mod+Alt+N")}
          onClick={() => void createNote()}
        >
          <SquarePen className="size-[1.15rem]" aria-hidden="true" />
        </IconButton>
      </header>
      <div className="px-3 pb-2">
        <SearchField />
      </div>
      <PreparingLine />
      <NoteList />
      <footer className="flex items-center gap-1 border-t border-line px-2 py-1.5 max-wide:pr-3">
        <SyncIndicator />
        <Button
          look="primary"
          className="wide:hidden"
          icon={<SquarePen className="size-[1.15rem]" aria-hidden="true" />}
          onClick={() => void createNote()}
        >
          New note
        </Button>
      </footer>
    </Landmark>
  );
};
