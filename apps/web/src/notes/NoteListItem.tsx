import { Archive, ListChecks, Paperclip, Pin, SquareCheck } from "lucide-react";
import { type KeyboardEvent, memo, type MouseEvent } from "react";
import { formatWhen } from "../notebook/format.ts";
import type { NoteId, NoteRow } from "../notebook/hooks.ts";
import { checklistCount, checklistExcerpt, shelfOf } from "../notebook/note-fields.ts";
import { excerptOf, nameOf, tasksIn, untitled } from "../notebook/note-text.ts";
import { previewLength } from "../notebook/preview.ts";
import { IconButton } from "../ui/Button.tsx";
import type { ShelvedNote } from "./move-note.ts";
import { shelfChoices } from "./shelf-choices.ts";

export interface NoteListItemProps {
  row: NoteRow;
  now: number;
  selected: boolean;
  /** The one row that Tab reaches. */
  reachable: boolean;
  /** Both are the same functions at every render. */
  onOpen: (id: NoteId) => void;
  /** Undefined where nothing can be written. */
  onMove: ((note: ShelvedNote, to: ShelvedNote["shelf"]) => void) | undefined;
}

export const NoteListItem = memo(({ row, now, selected, reachable, onOpen, onMove }: NoteListItemProps) => {
  const name = row.arriving ? arriving : nameOf(row.fields);
  const excerpt = excerptOf(row.fields) || checklistExcerpt(row.fields);
  const checklist = checklistCount(row.fields);
  const shelf = shelfOf(row.fields);
  const tasks = tasksIn(row.fields.body, previewLength);
  const attachments = row.fields.attachments.length;
  return (
    <li className="group relative [contain-intrinsic-size:auto_4.75rem] [content-visibility:auto]">
      {/* Not the router's link: each of those follows every navigation, and there are many rows. */}
      <a
        href={`/note/${row.id}`}
        data-note-row={row.id}
        onClick={(event) => {
          if (!isPlainClick(event)) return;
          event.preventDefault();
          onOpen(row.id);
        }}
        onKeyDown={moveBetweenRows}
        tabIndex={reachable ? 0 : -1}
        aria-current={selected ? "page" : undefined}
        className={`block rounded-lg px-3 py-2.5 -outline-offset-2 ${selected ? "bg-moss-soft" : "hover:bg-hover"}`}
      >
        <span className="flex items-baseline gap-2">
          <span
            className={`min-w-0 flex-1 truncate text-[0.9688rem] font-semibold ${name === untitled || row.arriving ? "text-ink-soft italic" : ""}`}
          >
            {name}
          </span>
          {shelf === "pinned" ? (
            <Pin role="img" aria-label="Pinned" className="size-3.5 shrink-0 self-center fill-current text-moss" />
          ) : shelf === "archived" ? (
            <Archive role="img" aria-label="Archived" className="size-3.5 shrink-0 self-center text-ink-soft" />
          ) : null}
          <time className="shrink-0 text-[0.8125rem] text-ink-soft" dateTime={new Date(row.updatedAt).toISOString()}>
            {formatWhen(row.updatedAt, now)}
          </time>
        </span>
        <span className="mt-0.5 line-clamp-1 text-sm leading-5 text-ink-soft">
          {row.arriving ? "It is being opened" : excerpt || (row.fields.body === "" ? "No text yet" : "")}
        </span>
        {row.fields.tags.length > 0 || checklist || tasks || attachments > 0 ? (
          <span className="mt-1 flex items-center gap-3 overflow-hidden text-[0.8125rem] leading-5 text-ink-soft">
            {checklist ? (
              <span className="flex shrink-0 items-center gap-1">
                <ListChecks className="size-3.5" aria-hidden="true" />
                <span aria-label={`Checklist: ${checklist.done} of ${checklist.all} done`}>
                  {checklist.done}/{checklist.all}
                </span>
              </span>
            ) : null}
            {tasks ? (
              <span className="flex shrink-0 items-center gap-1">
                <SquareCheck className="size-3.5" aria-hidden="true" />
                <span aria-label={`${tasks.done} of ${tasks.all} tasks done`}>
                  {tasks.done}/{tasks.all}
                </span>
              </span>
            ) : null}
            {attachments > 0 ? (
              <span className="flex shrink-0 items-center gap-1">
                <Paperclip className="size-3.5" aria-hidden="true" />
                <span aria-label={`${attachments} attached`}>{attachments}</span>
              </span>
            ) : null}
            {row.fields.tags.map((tag) => (
              <span key={tag} className="max-w-32 shrink-0 truncate text-moss">
                #{tag}
              </span>
            ))}
          </span>
        ) : null}
      </a>
      {onMove && !row.arriving ? (
        // A finger has them in the note: in the list they would be in the way of scrolling.
        <span className="absolute right-1.5 bottom-1.5 flex rounded-lg bg-raised opacity-0 shadow-lift group-focus-within:opacity-100 group-hover:opacity-100 pointer-coarse:hidden">
          {shelfChoices(shelf).map(({ to, label, icon: Icon }) => (
            <IconButton
              key={label}
              label={`${label}: ${name}`}
              tabIndex={reachable ? 0 : -1}
              className="size-8"
              onClick={() => onMove({ id: row.id, name, shelf }, to)}
            >
              <Icon className="size-4" aria-hidden="true" />
            </IconButton>
          ))}
        </span>
      ) : null}
    </li>
  );
});

/** A note that was received a moment ago has a name, which is not known yet: nothing that looks like one stands there. */
const arriving = "Arriving…";

/** Others open a tab or a window, or save what the link leads to. */
const isPlainClick = ({ altKey, button, ctrlKey, metaKey, shiftKey }: MouseEvent): boolean =>
  button === 0 && !altKey && !ctrlKey && !metaKey && !shiftKey;

/** One tab stop for the whole list; arrow keys move inside it. */
const moveBetweenRows = (event: KeyboardEvent<HTMLElement>): void => {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-note-row]")];
  const at = rows.indexOf(event.currentTarget);
  const targets: Record<string, HTMLElement | undefined> = {
    ArrowDown: rows[at + 1],
    ArrowUp: rows[at - 1],
    Home: rows[0],
    End: rows.at(-1),
  };
  const target = targets[event.key];
  if (!target) return;
  event.preventDefault();
  target.focus();
};
