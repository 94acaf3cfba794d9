import { useParams } from "@tanstack/react-router";
import { useDeferredValue, useEffect, useEffectEvent, useRef, useState } from "react";
import { useNow } from "../notebook/clock.ts";
import { type NoteRow, useCairn, useQuery } from "../notebook/hooks.ts";
import { explain } from "../notebook/explain.ts";
import { startAnew } from "../notebook/open-anew.ts";
import { useListFilter } from "../notebook/view-state.tsx";
import { useWide } from "../shell/use-wide.ts";
import { Button } from "../ui/Button.tsx";
import { NoteListItem } from "./NoteListItem.tsx";
import { TagBar } from "./TagBar.tsx";
import { Welcome } from "./Welcome.tsx";

/** Some screens of rows at first, and more as one comes near the end: what nobody sees is neither read nor drawn. */
const pageSize = 60;

/** The notebook's notes, newest first: a live query over projections, so no document is opened to draw it. */
export const NoteList = () => {
  const state = useCairn();
  const { search, tag, setSearch, setTag } = useListFilter();
  const [limit, setLimit] = useState(pageSize);
  const sought = useDeferredValue(search.trim());
  const rows = useQuery("note", {
    ...(sought === "" ? {} : { search: sought }),
    ...(tag === undefined ? {} : { where: { tags: { eq: tag } } }),
    sort: { by: "$updated", descending: true },
    limit,
  });
  const filtered = sought !== "" || tag !== undefined;

  return (
    <>
      <TagBar />
      <div className="min-h-0 flex-1 overflow-y-auto overscroll-contain px-2 pb-4">
        {state.status === "failed" ? (
          <Unavailable error={state.error} retry={state.retry} />
        ) : rows === undefined ? (
          <ListSkeleton />
        ) : rows.length > 0 ? (
          <Rows rows={rows} limit={limit} onMore={() => setLimit(limit + 2 * pageSize)} />
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
          <FirstNotes />
        )}
      </div>
    </>
  );
};

const FirstNotes = () =>
  useWide() ? <p className="px-3 py-6 text-[0.9375rem] text-ink-soft">Your notes will stand here.</p> : <Welcome />;

const Rows = ({ rows, limit, onMore }: { rows: ReadonlyArray<NoteRow>; limit: number; onMore: () => void }) => {
  const { noteId } = useParams({ strict: false });
  const now = useNow();
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
      {rows.length >= limit ? <More key={limit} onMore={onMore} /> : null}
    </>
  );
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
