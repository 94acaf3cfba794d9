import { Outlet, useMatchRoute, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useState } from "react";
import { useCreateNote } from "../notes/use-create-note.ts";
import { ListFilterProvider } from "../notebook/view-state.tsx";
import { SyncAnnouncer } from "../sync/SyncIndicator.tsx";
import { OutboxRecorder } from "../sync/OutboxRecorder.tsx";
import { HealthBanner } from "./HealthBanner.tsx";
import { OutdatedBanner } from "./OutdatedBanner.tsx";
import { ShellActions } from "./shell-actions.ts";
import { useShortcuts } from "./shortcuts.ts";
import { Sidebar } from "./Sidebar.tsx";
import { focusSearch } from "./SearchField.tsx";
import { useStartOver } from "./start-over.ts";
import { UpdateBanner } from "./UpdateBanner.tsx";

const ShareDialog = lazy(() => import("../share/ShareDialog.tsx"));
const NewNotebookDialog = lazy(() => import("./NewNotebookDialog.tsx"));
const ShortcutsDialog = lazy(() =>
  import("./ShortcutsDialog.tsx").then((module) => ({ default: module.ShortcutsDialog })),
);

type OpenDialog = "share" | "shortcuts" | "new-notebook" | undefined;

/** The frame of the notebook: list and note side by side on a desktop, one at a time on a phone. */
export const AppShell = () => {
  const atList = useMatchRoute()({ to: "/" }) !== false;
  const navigate = useNavigate();
  const createNote = useCreateNote();
  const [dialog, setDialog] = useState<OpenDialog>(undefined);
  const [shown, setShown] = useState<ReadonlySet<OpenDialog>>(new Set());

  const show = useCallback((next: OpenDialog) => {
    setShown((before) => new Set(before).add(next));
    setDialog(next);
  }, []);
  const close = useCallback((open: boolean) => {
    if (!open) setDialog(undefined);
  }, []);

  useStartOver();
  useShortcuts({
    newNote: useCallback(() => void createNote(), [createNote]),
    search: useCallback(() => {
      if (!focusSearch()) void navigate({ to: "/" }).then(() => requestAnimationFrame(() => focusSearch()));
    }, [navigate]),
    help: useCallback(() => show("shortcuts"), [show]),
  });

  return (
    <ListFilterProvider>
      <ShellActions
        value={{
          share: () => show("share"),
          help: () => show("shortcuts"),
          newNotebook: () => show("new-notebook"),
        }}
      >
        <a
          href="#page"
          className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-lg focus:bg-raised focus:px-4 focus:py-2"
          onClick={(event) => {
            event.preventDefault();
            document.getElementById("page")?.focus();
          }}
        >
          Skip to the note
        </a>
        <div className="safe-x grid h-full grid-cols-[minmax(0,1fr)] wide:grid-cols-[20rem_minmax(0,1fr)]">
          <Sidebar className={atList ? "" : "max-wide:hidden"} />
          <main
            id="page"
            tabIndex={-1}
            className={`relative min-h-0 min-w-0 overflow-y-auto bg-paper outline-none ${atList ? "max-wide:hidden" : ""}`}
          >
            <OutdatedBanner />
            <HealthBanner />
            <Outlet />
          </main>
        </div>
        <UpdateBanner />
        <OutboxRecorder />
        <SyncAnnouncer />
        <Suspense fallback={null}>
          {shown.has("share") ? <ShareDialog open={dialog === "share"} onOpenChange={close} /> : null}
          {shown.has("shortcuts") ? <ShortcutsDialog open={dialog === "shortcuts"} onOpenChange={close} /> : null}
          {shown.has("new-notebook") ? (
            <NewNotebookDialog open={dialog === "new-notebook"} onOpenChange={close} />
          ) : null}
        </Suspense>
      </ShellActions>
    </ListFilterProvider>
  );
};
