import { useNavigate, useParams } from "@tanstack/react-router";
import { type ReactNode, useCallback, useDeferredValue, useEffect, useEffectEvent, useRef, useState } from "react";
import { useNow } from "../notebook/clock.ts";
import { type NoteId, type NoteRow, useCairn, useQuery } from "../notebook/hooks.ts";
import { useMayWrite } from "../notebook/app-version.ts";
import { explain } from "../notebook/explain.ts";
import { anyArchived, listQueries } from "../notebook/note-fields.ts";
import { startAnew } from "../notebook/open-anew.ts";
import { useListFilter } from "../notebook/view-state.tsx";
import { useWide } from "../shell/use-wide.ts";
import { Button } from "../ui/Button.tsx";
import { eachOnce } from "./each-once.ts";
import { firstRows, moreRows } from "./first-lists.ts";
import { NoteListItem } from "./NoteListItem.tsx";
import { type ShelvedNote, useMoveNote } from "./move-note.ts";
import { TagBar } from "./TagBar.tsx";
import { Welcome } from "./Welcome.tsx";

/**
 * The notebook's notes, newest first, below those that are pinned: live queries over projections, so no document is opened
 * to draw them.
 */
export const NoteList = () => {
  const state = useCairn();
  const { search, tag, archive, setSearch, setTag, setArchive } = useListFilter();
  const [limit, setLimit] = useState(firstRows);
  const sought = useDeferredValue(search.trim());
  const asked = listQueries({ search: sought, tag, archive }, limit);
  const top = useQuery("note", asked.top);
  const rest = useQuery("note", asked.rest);
  const filtered = sought !== "" || tag !== undefined;
  const showAll = (): void => {
    setSearch("");
    setTag(undefined);
    setArchive(false);
  };

  return (
    <>
      <TagBar />
      <div className="min-h-0 flex-1 overflow-y-auto overscroll-contain px-2 pb-4">
        {state.status === "failed" ? (
          <Unavailable error={state.error} retry={state.retry} />
        ) : top === undefined || rest === undefined ? (
          <ListSkeleton />
        ) : top.length + rest.length > 0 ? (
          <Rows {...eachOnce({ top, rest })} limit={limit} onMore={() => setLimit(limit + moreRows)} />
        ) : filtered ? (
          <Nothing says={saysNothing(sought, tag)} onShowAll={showAll} />
        ) : archive ? (
          <Nothing
            says="The archive is empty. A note that you archive waits here, and searches find it."
            onShowAll={showAll}
          />
        ) : (
          <NoNotes onShowArchive={() => setArchive(true)} />
        )}
      </div>
    </>
  );
};

const saysNothing = (sought: string, tag: string | undefined): string =>
  tag === undefined
    ? "No note has these words."
    : sought === ""
      ? "No note has this tag."
      : "No note with this tag has these words.";

const Nothing = ({ says, onShowAll }: { says: string; onShowAll: () => void }) => (
  <div className="px-3 py-8 text-center text-[0.9375rem] text-ink-soft">
    <p>{says}</p>
    <Button look="quiet" size="small" className="mt-2" onClick={onShowAll}>
      Show all notes
    </Button>
  </div>
);

/** Nothing at all, or all of it in the archive. */
const NoNotes = ({ onShowArchive }: { onShowArchive: () => void }) => {
  const archived = useQuery("note", anyArchived);
  if (archived === undefined) return null;
  return archived.length === 0 ? (
    <FirstNotes />
  ) : (
    <div className="px-3 py-8 text-center text-[0.9375rem] text-ink-soft">
      <p>All your notes are in the archive.</p>
      <Button look="quiet" size="small" className="mt-2" onClick={onShowArchive}>
        Show the archive
      </Button>
    </div>
  );
};

const FirstNotes = () =>
  useWide() ? <p className="px-3 py-6 text-[0.9375rem] text-ink-soft">Your notes will stand here.</p> : <Welcome />;

interface RowsProps {
  top: ReadonlyArray<NoteRow>;
  rest: ReadonlyArray<NoteRow>;
  limit: number;
  onMore: () => void;
}

const Rows = ({ top, rest, limit, onMore }: RowsProps) => {
  const { noteId } = useParams({ strict: false });
  const now = useNow();
  const mayWrite = useMayWrite();
  const moveNote = useMoveAndFollow();
  const navigate = useNavigate();
  const open = useCallback((id: NoteId) => void navigate({ to: "/note/$noteId", params: { noteId: id } }), [navigate]);
  const rows = [...top, ...rest];
  const reachable = rows.some((row) => row.id === noteId) ? noteId : rows[0]?.id;
  const drawn = (some: ReadonlyArray<NoteRow>): ReadonlyArray<ReactNode> =>
    some.map((row) => (
      <NoteListItem
        key={row.id}
        row={row}
        now={now}
        selected={row.id === noteId}
        reachable={row.id === reachable}
        onOpen={open}
        onMove={mayWrite ? moveNote : undefined}
      />
    ));
  return (
    <>
      {top.length === 0 ? null : (
        <ul aria-label="Pinned" className="mb-2 space-y-px border-b border-line pb-2">
          {drawn(top)}
        </ul>
      )}
      {rest.length === 0 ? null : (
        <ul aria-label={top.length === 0 ? "Notes" : "Other notes"} className="space-y-px">
          {drawn(rest)}
        </ul>
      )}
      {Math.max(top.length, rest.length) >= limit ? <More key={limit} onMore={onMore} /> : null}
    </>
  );
};

/** Moves a note from its row. Who did so by keyboard stays with the row where it goes, or in the list where it leaves. */
const useMoveAndFollow = () => {
  const { archive } = useListFilter();
  const moveNote = useMoveNote();
  const moved = useRef<{ readonly id: string; readonly leaves: boolean } | undefined>(undefined);
  const move = useCallback(
    (note: ShelvedNote, to: ShelvedNote["shelf"]) => {
      moved.current = { id: note.id, leaves: archive !== (to === "archived") };
      moveNote(note, to);
    },
    [archive, moveNote],
  );
  // After each drawing: where the row goes is there when the list says so.
  useEffect(() => {
    if (moved.current === undefined || document.activeElement !== document.body) return;
    const { id, leaves } = moved.current;
    const row = document.querySelector<HTMLElement>(`[data-note-row="${id}"]`);
    if ((row === null) !== leaves) return;
    moved.current = undefined;
    const next = row ?? document.querySelector<HTMLElement>('[data-note-row][tabindex="0"]');
    next?.focus({ preventScroll: true });
    if (next?.matches(":focus-visible")) next.scrollIntoView({ block: "nearest" });
  });
  return move;
};

/** Asks for more by itself when it comes near, and by hand where nothing scrolls. */
const More = ({ onMore }: { onMore: () => void }) => {
  const button = useRef<HTMLButtonElement>(null);
  const more = useEffectEvent(onMore);
  useEffect(() => {
    if (!button.current) return undefined;
    const watcher = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) more();
      },
      { rootMargin: "600px" },
    );
    watcher.observe(button.current);
    return () => watcher.disconnect();
  }, []);
  return (
    <Button ref={button} look="quiet" size="small" className="mt-2 w-full" onClick={onMore}>
      Show more
    </Button>
  );
};

const Unavailable = ({ error, retry }: { error: unknown; retry: () => void }) => {
  const { title, detail } = explain(error);
  return (
    <div className="m-2 rounded-xl border border-line bg-raised p-4" role="alert">
      <p className="font-semibold">{title}</p>
      <p className="mt-1 text-[0.9375rem] text-ink-soft">{detail}</p>
      {isLost(error) ? (
        <Button size="small" className="mt-3" onClick={startAnew}>
          Start anew
        </Button>
      ) : (
        <Button size="small" className="mt-3" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
};

/** The browser deleted everything: opening again would only say so again. */
const isLost = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "storage-lost";

const ListSkeleton = () => (
  <output className="block space-y-5 px-3 py-3" aria-label="Opening your notes">
    {[62, 80, 48, 70].map((width) => (
      <span key={width} className="block space-y-2">
        <span className="skeleton block h-4" style={{ width: `${width}%` }} />
        <span className="skeleton block h-3 w-full" />
      </span>
    ))}
  </output>
);
