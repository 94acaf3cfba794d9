import { ChevronDown } from "lucide-react";
import { lazy } from "react";
import { useWorkspace, useWorkspaces } from "../notebook/hooks.ts";
import { notebookName } from "../notebook/notebook-name.ts";
import { ActionMenu } from "../ui/ActionMenu.tsx";
import { CairnMark } from "../ui/CairnMark.tsx";

const NotebookMenuItems = lazy(() => import("./NotebookMenuItems.tsx"));

/** The notebook on screen, and everything that is about the whole app. */
export const NotebookMenu = () => {
  const current = useWorkspace()?.id;
  const name = notebookName(useWorkspaces().find((workspace) => workspace.id === current));
  return (
    <ActionMenu
      label={`Notebook: ${name}`}
      align="start"
      triggerClassName="flex min-h-9 min-w-0 items-center gap-2 rounded-lg px-2 hover:bg-hover aria-expanded:bg-hover pointer-coarse:min-h-11"
      trigger={
        <>
          <CairnMark className="size-6 shrink-0 text-moss" />
          <span className="truncate font-serif text-[1.0625rem] font-semibold">{name}</span>
          <ChevronDown className="size-4 shrink-0 text-ink-faint" aria-hidden="true" />
        </>
      }
    >
      <NotebookMenuItems />
    </ActionMenu>
  );
};
