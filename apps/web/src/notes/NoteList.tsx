import { useParams } from "@tanstack/react-router";
import { type KeyboardEvent, useDeferredValue, useMemo, useState } from "react";
import { type NoteRow, useCairn, useQuery } from "../notebook/hooks.ts";
import { explain } from "../notebook/explain.ts";
import { useListFilter } from "../notebook/view-state.tsx";
import { Button } from "../ui/Button.tsx";
import { NoteListItem } from "./NoteListItem.tsx";
import { TagBar } from "./TagBar.tsx";
import { Welcome } from "./Welcome.tsx";

const pageSize = 200;

/** The notebook's notes, newest first: a live query over projections, so no document is opened to draw it. */
export const NoteList = () => {
  const state = useCairn();
  const { search, tag, setSearch, setTag } = useListFilter();
  const [limit, setLimit] = useState(pageSize);
  const sought = useDeferredValue(search.trim());
  const rows = useQuery("note", {
    ...(sought === "" ? {} : { search: sought }),
    ...(tag === undefined ? {} : { where: { tags: tag } }),
    sort: "updated",
    descending: true,
    limit,
  });
  const filtered = sought !== "" || tag !== undefined;

  return (
    <>
      <TagBar />
      <div className="min-h-0 flex-1 overflow-y-auto overscroll-contain px-2 pb-4" onKeyDown={moveBetweenRows}>
        {state.status === "failed" ? (
          <Unavailable error={state.error} retry={state.retry} />
        ) : rows === undefined ? (
          <ListSkeleton />
        ) : rows.length > 0 ? (
          <Rows rows={rows} limit={limit} onMore={() => setLimit(limit + pageSize)} />
        ) : filtered ? (
          <div className="px-3 py-8 text-center text-[0.9375rem] text-ink-soft">
            <p>{tag === undefined ? "No note has these words." : "No note with this tag has these words."}</p>
            <Button
              look="quiet"
              size="small"
              className="mt-2"
              onClick={() => {
                setSearch("");
                setTag(undefined);
              }}
            >
              Show all notes
            </Button>
          </div>
        ) : (
          <>
            <p className="px-3 py-6 text-[0.9375rem] text-ink-soft max-wide:hidden">Your notes will stand here.</p>
            <div className="wide:hidden">
              <Welcome />
            </div>
          </>
        )}
      </div>
    </>
  );
};

const Rows = ({ rows, limit, onMore }: { rows: ReadonlyArray<NoteRow>; limit: number; onMore: () => void }) => {
  const { noteId } = useParams({ strict: false });
  const now = useMemo(() => Date.now(), [rows]);
  const reachable = rows.some((row) => row.id === noteId) ? noteId : rows[0]?.id;
  return (
    <>
      <ul className="space-y-px">
        {rows.map((row) => (
          <NoteListItem
            key={row.id}
            row={row}
            now={now}
            selected={row.id === noteId}
            reachable={row.id === reachable}
          />
        ))}
      </ul>
      {rows.length >= limit ? (
        <Button look="quiet" size="small" className="mt-2 w-full" onClick={onMore}>
          Show more
        </Button>
      ) : null}
    </>
  );
};

/** One tab stop for the whole list; arrow keys move inside it. */
const moveBetweenRows = (event: KeyboardEvent<HTMLElement>): void => {
  const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };
  const step = steps[event.key];
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>("[data-note-row]")];
  const at = links.findIndex((link) => link === document.activeElement);
  if (at < 0) return;
  const target =
    event.key === "Home"
      ? links[0]
      : event.key === "End"
        ? links.at(-1)
        : step === undefined
          ? undefined
          : links[at + step];
  if (!target) return;
  event.preventDefault();
  target.focus();
};

const Unavailable = ({ error, retry }: { error: unknown; retry: () => void }) => {
  const { title, detail } = explain(error);
  return (
    <div className="m-2 rounded-xl border border-line bg-raised p-4" role="alert">
      <p className="font-semibold">{title}</p>
      <p className="mt-1 text-[0.9375rem] text-ink-soft">{detail}</p>
      <Button size="small" className="mt-3" onClick={retry}>
        Try again
      </Button>
    </div>
  );
};

const ListSkeleton = () => (
  <div className="space-y-5 px-3 py-3" role="status" aria-label="Opening your notes">
    {[62, 80, 48, 70].map((width) => (
      <div key={width} className="space-y-2">
        <div className="skeleton h-4" style={{ width: `${width}%` }} />
        <div className="skeleton h-3 w-full" />
      </div>
    ))}
  </div>
);
