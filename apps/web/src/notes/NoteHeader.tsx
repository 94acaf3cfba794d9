import { Link } from "@tanstack/react-router";
import {
  ArrowLeft,
  Bold,
  EllipsisVertical,
  Heading,
  Italic,
  Link2,
  List,
  ListTodo,
  Paperclip,
  Quote,
  Redo2,
  Undo2,
} from "lucide-react";
import { useDocumentView, useMerging } from "@cairn/react";
import { lazy, type ReactNode, useRef } from "react";
import type { NoteEditorHandle } from "../editor/create-editor.ts";
import type { FormatName } from "../editor/format-commands.ts";
import type { NoteHandle } from "../notebook/hooks.ts";
import { shelfOf } from "../notebook/note-fields.ts";
import { nameOf } from "../notebook/note-text.ts";
import { keysLabel } from "../shell/shortcuts.ts";
import { SyncIndicator } from "../sync/SyncIndicator.tsx";
import { ActionMenu } from "../ui/ActionMenu.tsx";
import { IconButton, iconButtonClass } from "../ui/Button.tsx";

import { useMoveNote } from "./move-note.ts";
import { shelfChoices } from "./shelf-choices.ts";

const NoteMenuItems = lazy(() => import("./NoteMenuItems.tsx"));

export interface NoteHeaderProps {
  note: NoteHandle;
  editor: NoteEditorHandle | undefined;
  readOnly: boolean;
  onFiles: (files: ReadonlyArray<File>) => void;
  onDelete: () => void;
}

export const NoteHeader = ({ note, editor, readOnly, onFiles, onDelete }: NoteHeaderProps) => {
  const picker = useRef<HTMLInputElement>(null);
  return (
    <header className="safe-top sticky top-0 z-20 border-b border-transparent bg-paper/92 backdrop-blur-sm">
      <div className="flex min-h-14 items-center gap-0.5 px-2 wide:px-4">
        <Link to="/" aria-label="All notes" title="All notes" className={`${iconButtonClass} wide:hidden`}>
          <ArrowLeft className="size-5" aria-hidden="true" />
        </Link>
        <span className="wide:hidden">
          <SyncIndicator compact />
        </span>
        {readOnly ? (
          <span className="rounded-md bg-hover px-2 py-0.5 text-sm text-ink-soft">Read only</span>
        ) : (
          <span className="max-wide:hidden">
            <FormatBar editor={editor} />
          </span>
        )}
        <span className="flex-1" />
        <Merging note={note} />
        {readOnly ? null : (
          <>
            <ShelfButtons note={note} />
            <IconButton label="Undo" shortcut={keysLabel("Mod+Z")} disabled={!editor} onClick={() => editor?.undo()}>
              <Undo2 className="size-[1.15rem]" aria-hidden="true" />
            </IconButton>
            <IconButton
              label="Redo"
              shortcut={keysLabel("Mod+Shift+Z")}
              disabled={!editor}
              onClick={() => editor?.redo()}
            >
              <Redo2 className="size-[1.15rem]" aria-hidden="true" />
            </IconButton>
            <IconButton label="Attach a file (up to 2 GB)" onClick={() => picker.current?.click()}>
              <Paperclip className="size-[1.15rem]" aria-hidden="true" />
            </IconButton>
            <input
              ref={picker}
              type="file"
              multiple
              hidden
              aria-hidden="true"
              tabIndex={-1}
              data-attach=""
              onChange={(event) => {
                onFiles([...(event.target.files ?? [])]);
                event.target.value = "";
              }}
            />
          </>
        )}
        <ActionMenu label="More" trigger={<EllipsisVertical className="size-[1.15rem]" aria-hidden="true" />}>
          <NoteMenuItems note={note} readOnly={readOnly} onDelete={onDelete} />
        </ActionMenu>
      </div>
      {readOnly ? null : (
        <div className="overflow-x-auto px-2 pb-1 [scrollbar-width:none] wide:hidden">
          <FormatBar editor={editor} />
        </div>
      )}
    </header>
  );
};

const Merging = ({ note }: { note: NoteHandle }) =>
  useMerging(note) ? <output className="px-2 text-sm text-ink-soft">Merging what arrived…</output> : null;

const ShelfButtons = ({ note }: { note: NoteHandle }) => {
  const shelf = useDocumentView(note, shelfOf);
  const moveNote = useMoveNote();
  return shelfChoices(shelf).map(({ to, label, icon: Icon }) => (
    <IconButton
      key={label}
      label={label}
      // A phone has room for one of them; the other one is in the menu.
      className={label.includes("rchive") ? "max-wide:hidden" : ""}
      onClick={() => moveNote({ id: note.id, name: nameOf(note.read()), shelf }, to)}
    >
      <Icon className="size-[1.15rem]" aria-hidden="true" />
    </IconButton>
  ));
};

const formats: ReadonlyArray<readonly [FormatName, string, ReactNode, string?]> = [
  ["bold", "Bold", <Bold key="i" aria-hidden="true" />, "Mod+B"],
  ["italic", "Italic", <Italic key="i" aria-hidden="true" />, "Mod+I"],
  ["heading", "Heading", <Heading key="i" aria-hidden="true" />],
  ["task", "Task", <ListTodo key="i" aria-hidden="true" />, "Mod+Enter"],
  ["list", "List", <List key="i" aria-hidden="true" />, "Mod+Shift+8"],
  ["quote", "Quote", <Quote key="i" aria-hidden="true" />],
  ["link", "Link", <Link2 key="i" aria-hidden="true" />, "Mod+Shift+K"],
];

const FormatBar = ({ editor }: { editor: NoteEditorHandle | undefined }) => (
  <fieldset aria-label="Format" className="flex min-w-0 gap-0.5">
    {formats.map(([name, label, icon, keys]) => (
      <IconButton
        key={name}
        label={label}
        disabled={!editor}
        className="[&_svg]:size-[1.1rem]"
        {...(keys ? { shortcut: keysLabel(keys) } : {})}
        // Focus, and with it a phone's keyboard, stays with the text.
        onMouseDown={(event) => event.preventDefault()}
        onClick={() => editor?.format(name)}
      >
        {icon}
      </IconButton>
    ))}
  </fieldset>
);
