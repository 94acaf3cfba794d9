import { useEffect } from "react";

const apple = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** Every shortcut of the app, for the help dialog. Those of one key alone are avoided: speech input would trip over them. */
export const shortcutGroups: ReadonlyArray<{
  readonly title: string;
  readonly keys: ReadonlyArray<readonly [keys: string, does: string]>;
}> = [
  {
    title: "Anywhere",
    keys: [
      ["Mod+Alt+N", "New note"],
      ["Mod+K", "Search"],
      ["Mod+/", "This help"],
    ],
  },
  {
    title: "In the list",
    keys: [
      ["↑ ↓", "Move between notes"],
      ["Enter", "Open the note"],
    ],
  },
  {
    title: "In a note",
    keys: [
      ["Mod+B", "Bold"],
      ["Mod+I", "Italic"],
      ["Mod+E", "Code"],
      ["Mod+Shift+X", "Strikethrough"],
      ["Mod+Shift+K", "Link"],
      ["Mod+Shift+8", "List"],
      ["Mod+Shift+7", "Numbered list"],
      ["Mod+Enter", "Make a task, tick it or an item"],
      ["Tab, Shift+Tab", "Indent a list item"],
      ["Esc, then Tab", "Leave the text"],
      ["Alt+↑ Alt+↓", "Move a checklist item"],
      ["Mod+Z", "Undo your own last edit"],
      [apple ? "Mod+Shift+Z" : "Mod+Y", "Redo"],
    ],
  },
];

/** Shows a shortcut the way the person's keyboard is labelled. */
export const keysLabel = (keys: string): string =>
  apple
    ? keys.replaceAll("Mod+", "⌘").replaceAll("Alt+", "⌥").replaceAll("Shift+", "⇧")
    : keys.replaceAll("Mod", "Ctrl");

export interface ShortcutActions {
  readonly newNote: () => void;
  readonly search: () => void;
  readonly help: () => void;
}

export const useShortcuts = ({ newNote, search, help }: ShortcutActions): void => {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const mod = apple ? event.metaKey : event.ctrlKey;
      if (!mod || event.defaultPrevented || event.isComposing) return;
      const run =
        event.altKey && event.code === "KeyN"
          ? newNote
          : !event.altKey && !event.shiftKey && event.code === "KeyK"
            ? search
            : !event.altKey && event.key === "/"
              ? help
              : undefined;
      if (!run) return;
      event.preventDefault();
      run();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [newNote, search, help]);
};
