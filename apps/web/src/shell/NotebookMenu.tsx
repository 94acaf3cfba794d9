import { useNavigate } from "@tanstack/react-router";
import { BookPlus, ChevronDown, Keyboard, Link2, Monitor, Moon, Settings, Sun, Trash2 } from "lucide-react";
import { useCairn, useWorkspaces } from "../notebook/hooks.ts";
import { explain } from "../notebook/explain.ts";
import { Action, ActionHeading, ActionMenu, ActionSeparator, Choice } from "../ui/ActionMenu.tsx";
import { CairnMark } from "../ui/CairnMark.tsx";
import { notify } from "../ui/notices.ts";
import { useShellActions } from "./shell-actions.ts";
import { keysLabel } from "./shortcuts.ts";
import { setTheme, type ThemeChoice, useTheme } from "./theme.ts";

/** A notebook without a name of its own yet is the person's first one. */
export const notebookName = (name: string | undefined): string => name?.trim() || "My notes";

export const NotebookMenu = () => {
  const state = useCairn();
  const workspaces = useWorkspaces();
  const navigate = useNavigate();
  const theme = useTheme();
  const { help, newNotebook } = useShellActions();
  const current = state.status === "ready" ? state.workspace.id : undefined;
  const shown = workspaces.find((workspace) => workspace.id === current);
  const name = notebookName(shown?.name);

  const select = async (id: string): Promise<void> => {
    const target = workspaces.find((workspace) => workspace.id === id);
    if (state.status !== "ready" || !target) return;
    try {
      await state.select(target.id);
      await navigate({ to: "/" });
    } catch (error) {
      notify({ ...explain(error), tone: "problem" });
    }
  };

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
      {workspaces.length > 1 && current ? (
        <>
          <ActionHeading>Notebooks</ActionHeading>
          <Choice
            label="Notebook"
            value={current}
            onChange={(id) => void select(id)}
            options={workspaces.map((workspace) => ({
              value: workspace.id,
              label: notebookName(workspace.name) + (workspace.role === "reader" ? " (read only)" : ""),
            }))}
          />
          <ActionSeparator />
        </>
      ) : null}
      <Action icon={<BookPlus />} onSelect={newNotebook} disabled={state.status !== "ready"}>
        New notebook
      </Action>
      <Action icon={<Link2 />} onSelect={() => void navigate({ to: "/join" })}>
        Join with a link
      </Action>
      <ActionSeparator />
      <Action icon={<Trash2 />} onSelect={() => void navigate({ to: "/deleted" })}>
        Deleted notes
      </Action>
      <Action icon={<Settings />} onSelect={() => void navigate({ to: "/settings" })}>
        Settings
      </Action>
      <Action icon={<Keyboard />} onSelect={help} hint={keysLabel("Mod+/")}>
        Keyboard shortcuts
      </Action>
      <ActionSeparator />
      <Choice
        label="Theme"
        value={theme}
        onChange={(value) => setTheme(themes.find((known) => known === value) ?? "system")}
        options={[
          { value: "system", label: "Like the system", icon: <Monitor /> },
          { value: "light", label: "Light", icon: <Sun /> },
          { value: "dark", label: "Dark", icon: <Moon /> },
        ]}
      />
    </ActionMenu>
  );
};

const themes: ReadonlyArray<ThemeChoice> = ["system", "light", "dark"];
