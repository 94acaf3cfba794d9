import { Link, useParams } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";
import { useEffect } from "react";
import { type NoteId, useCairn, useDocument } from "../notebook/hooks.ts";
import { explain } from "../notebook/explain.ts";
import { Button, buttonClass, iconButtonClass } from "../ui/Button.tsx";
import { NoteView } from "./NoteView.tsx";
import { forgetTypedAhead } from "./typed-ahead.ts";

const isNoteId = (value: string | undefined): value is NoteId => value !== undefined && /^[\w-]{22}$/.test(value);

export const NotePage = () => {
  const { noteId } = useParams({ strict: false });
  return isNoteId(noteId) ? <OpenNote key={noteId} id={noteId} /> : <Unavailable error={undefined} />;
};

const OpenNote = ({ id }: { id: NoteId }) => {
  const engine = useCairn();
  const document = useDocument("note", id);
  if (engine.status === "failed") return <Unavailable error={engine.error} retry={engine.retry} />;
  switch (document.status) {
    case "opening":
      return <NoteSkeleton />;
    case "failed":
      return <Unavailable error={document.error} retry={document.retry} />;
    case "open":
      return <NoteView note={document.handle} />;
  }
};

const NoteSkeleton = () => (
  <output className="mx-auto block w-full max-w-2xl px-5 pt-20 wide:px-10" aria-label="Opening the note">
    <span className="skeleton block h-9 w-3/5" />
    <span className="mt-8 block space-y-3.5">
      <span className="skeleton block h-4 w-full" />
      <span className="skeleton block h-4 w-11/12" />
      <span className="skeleton block h-4 w-4/5" />
    </span>
  </output>
);

const Unavailable = ({ error, retry }: { error: unknown; retry?: () => void }) => {
  useEffect(forgetTypedAhead, []);
  const { title, detail } =
    error === undefined
      ? { title: "There is no such note", detail: "The address is not that of a note. It may have been cut short." }
      : explain(error);
  return (
    <div className="mx-auto w-full max-w-xl px-5 py-4 wide:px-8 wide:py-20">
      <Link to="/" aria-label="All notes" className={`${iconButtonClass} -ml-2 wide:hidden`}>
        <ArrowLeft className="size-5" aria-hidden="true" />
      </Link>
      <h1 className="mt-6 font-serif text-2xl font-semibold">{title}</h1>
      <p className="mt-2 text-ink-soft">{detail}</p>
      <div className="mt-5 flex gap-2">
        {retry ? <Button onClick={retry}>Try again</Button> : null}
        <Link to="/" className={buttonClass("quiet")}>
          All notes
        </Link>
      </div>
    </div>
  );
};
