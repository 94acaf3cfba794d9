import type { Command } from "@codemirror/view";
import { insertLink, toggleLinePrefix, toggleMark } from "./markdown-commands.ts";

/** What the toolbar can ask of the editor, by name, so that the toolbar does not load the editor. */
export type FormatName = "bold" | "italic" | "heading" | "list" | "task" | "quote" | "link";

export const formatCommands: Readonly<Record<FormatName, Command>> = {
  bold: toggleMark("**"),
  italic: toggleMark("*"),
  heading: toggleLinePrefix("## "),
  list: toggleLinePrefix("- "),
  task: toggleLinePrefix("- [ ] "),
  quote: toggleLinePrefix("> "),
  link: insertLink,
};
