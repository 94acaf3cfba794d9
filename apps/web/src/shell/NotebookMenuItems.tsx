import { useNavigate } from "@tanstack/react-router";
import { BookPlus, Keyboard, Link2, Monitor, Moon, RefreshCw, Settings, Sun, Trash2 } from "lucide-react";
import { useCairn, useWorkspaces } from "../notebook/hooks.ts";
import { notebookName } from "../notebook/notebook-name.ts";
import { explain } from "../notebook/explain.ts";
import { Action, ActionHeading, ActionSeparator, Choice } from "../ui/menu-items.tsx";
import { notify } from "../ui/notices.ts";
import { useShellActions } from "./shell-actions.ts";
import { keysLabel } from "./shortcuts.ts";
import { setTheme, type ThemeChoice, useTheme } from "./theme.ts";

const NotebookMenuItems = () => {
  const state = useCairn();
  const workspaces = useWorkspaces();
  const navigate = useNavigate();
  const theme = useTheme();
  const { help, newNotebook } = useShellActions();
  const current = state.status === "ready" ? state.workspace.id : undefined;

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
    <>
      {workspaces.length > 1 && current ? (
        <>
          <ActionHeading>Notebooks</ActionHeading>
          <Choice
            label="Notebook"
            value={current}
            onChange={(id) => void select(id)}
            options={workspaces.map((workspace) => ({
              value: workspace.id,
              label: notebookName(workspace) + (workspace.role === "reader" ? " (read only)" : ""),
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
      <Action icon={<RefreshCw />} onSelect={() => void navigate({ to: "/sync" })}>
        Sync
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
    </>
  );
};

const themes: ReadonlyArray<ThemeChoice> = ["system", "light", "dark"];

export default NotebookMenuItems;
