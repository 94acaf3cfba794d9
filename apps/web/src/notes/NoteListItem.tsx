import { Link } from "@tanstack/react-router";
import { Paperclip, SquareCheck } from "lucide-react";
import { type KeyboardEvent, memo } from "react";
import { formatWhen } from "../notebook/format.ts";
import type { NoteRow } from "../notebook/hooks.ts";
import { excerptOf, nameOf, tasksIn, untitled } from "../notebook/note-text.ts";
import { previewLength } from "../notebook/preview.ts";

export interface NoteListItemProps {
  row: NoteRow;
  now: number;
  selected: boolean;
  /** The one row that Tab reaches. */
  reachable: boolean;
}

export const NoteListItem = memo(({ row, now, selected, reachable }: NoteListItemProps) => {
  const name = row.arriving ? arriving : nameOf(row.fields);
  const excerpt = excerptOf(row.fields);
  const tasks = tasksIn(row.fields.body, previewLength);
  const attachments = row.fields.attachments.length;
  return (
    <li className="[contain-intrinsic-size:auto_4.75rem] [content-visibility:auto]">
      <Link
        to="/note/$noteId"
        params={{ noteId: row.id }}
        data-note-row=""
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
          <time className="shrink-0 text-[0.8125rem] text-ink-soft" dateTime={new Date(row.updatedAt).toISOString()}>
            {formatWhen(row.updatedAt, now)}
          </time>
        </span>
        <span className="mt-0.5 line-clamp-1 text-sm leading-5 text-ink-soft">
          {row.arriving ? "It is being opened" : excerpt || (row.fields.body === "" ? "No text yet" : "")}
        </span>
        {row.fields.tags.length > 0 || tasks || attachments > 0 ? (
          <span className="mt-1 flex items-center gap-3 overflow-hidden text-[0.8125rem] leading-5 text-ink-soft">
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
      </Link>
    </li>
  );
});

/** A note that was received a moment ago has a name, which is not known yet: nothing that looks like one stands there. */
const arriving = "Arriving…";

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
