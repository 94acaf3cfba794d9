import { useDeleted, useDocumentView, useReadOnly } from "@cairn/react";
import { useNavigate } from "@tanstack/react-router";
import { ListChecks } from "lucide-react";
import { lazy, Suspense, useCallback, useEffect, useEffectEvent, useLayoutEffect, useMemo, useState } from "react";
import type { NoteEditorHandle } from "../editor/create-editor.ts";
import { useMayWrite } from "../notebook/app-version.ts";
import { explain } from "../notebook/explain.ts";
import { type NoteHandle, type Notebook, useWorkspace } from "../notebook/hooks.ts";
import { hasChecklist, isChecklistEmpty, shelfOf } from "../notebook/note-fields.ts";
import { nameOf, untitled } from "../notebook/note-text.ts";
import { localSaves } from "../sync/local-saves.ts";
import { Button } from "../ui/Button.tsx";
import { notify } from "../ui/notices.ts";
import { AttachmentShelf } from "./AttachmentShelf.tsx";
import { useMoveNote } from "./move-note.ts";
import { isNewNote } from "./new-note.ts";
import { NoteHeader } from "./NoteHeader.tsx";
import { openAttachments } from "./note-attachments.ts";
import { NoteTitle } from "./NoteTitle.tsx";
import { TagEditor } from "./TagEditor.tsx";
import { keepTypedAhead, typeAhead } from "./typed-ahead.ts";
import { useAttachFiles } from "./use-attach-files.ts";

const EditorHost = lazy(() => import("../editor/EditorHost.tsx"));
const Checklist = lazy(() => import("./Checklist.tsx"));

/** One open note: header, title, tags, checklist, text, attachments. */
export const NoteView = ({ note }: { note: NoteHandle }) => {
  const notebook = useWorkspace();
  return notebook ? <NoteViewIn notebook={notebook} note={note} /> : null;
};

const NoteViewIn = ({ notebook, note }: { notebook: Notebook; note: NoteHandle }) => {
  const navigate = useNavigate();
  const [editor, setEditor] = useState<NoteEditorHandle | undefined>(undefined);
  const [isNew] = useState(() => isNewNote(note.id));
  // Where a person goes on in a note that was just made. As it was at first: what is in it changes while it is written.
  const [begins] = useState(() => beginningOf(note, isNew));
  const [textAwaited, setTextAwaited] = useState(false);
  const title = useDocumentView(note, (view) => view.title);
  const deleted = useDeleted(note);
  const mayWrite = useMayWrite();
  const frozen = useReadOnly(note) !== undefined;
  const readOnly = !mayWrite || frozen || deleted;
  const shelf = useDocumentView(note, shelfOf);
  const moveNote = useMoveNote();
  const checklist = useChecklist(note, readOnly);
  const { adding, attach } = useAttachFiles(note);
  const attachments = useMemo(() => openAttachments(notebook, note.id), [notebook, note.id]);
  useEffect(() => attachments.follow(), [attachments]);
  useKeepTyped(note, readOnly);
  useReportSaved(note);
  useTabTitle(note);

  const remove = useCallback(async () => {
    try {
      await notebook.delete(note.id);
    } catch (error) {
      notify({ ...explain(error), tone: "problem" });
      return;
    }
    const name = nameOf(note.read());
    await navigate({ to: "/" });
    notify({
      title: "Note deleted",
      detail: name,
      action: {
        label: "Undo",
        run: () => {
          notebook
            .restore(note.id)
            .then(() => navigate({ to: "/note/$noteId", params: { noteId: note.id } }))
            .catch((error: unknown) => notify({ ...explain(error), tone: "problem" }));
        },
      },
    });
  }, [notebook, note, navigate]);

  return (
    <article className="flex min-h-full flex-col" aria-label={title.trim() || "Note"}>
      <NoteHeader
        note={note}
        editor={editor}
        readOnly={readOnly}
        onFiles={(files) => void attach(files)}
        onDelete={() => void remove()}
      />
      {deleted ? (
        <div className="mx-auto flex w-full max-w-2xl flex-wrap items-center gap-3 px-5 pb-2 wide:px-10">
          <p className="flex-1 rounded-lg bg-amber-soft px-4 py-2.5 text-[0.9375rem] text-amber">
            This note is deleted.
          </p>
          {!mayWrite ? null : (
            <Button
              size="small"
              onClick={() =>
                void notebook.restore(note.id).catch((error: unknown) => notify({ ...explain(error), tone: "problem" }))
              }
            >
              Bring it back
            </Button>
          )}
        </div>
      ) : null}
      {shelf === "archived" && !deleted ? (
        <div className="mx-auto flex w-full max-w-2xl flex-wrap items-center gap-3 px-5 pb-2 wide:px-10">
          <p className="flex-1 rounded-lg bg-hover px-4 py-2.5 text-[0.9375rem] text-ink-soft">
            This note is in the archive.
          </p>
          {readOnly ? null : (
            <Button size="small" onClick={() => moveNote({ id: note.id, name: nameOf(note.read()), shelf }, "normal")}>
              Move it back
            </Button>
          )}
        </div>
      ) : null}
      <div className="mx-auto w-full max-w-2xl flex-1 px-5 pt-1 wide:px-10 wide:pt-4">
        <h1 className="sr-only">{title.trim() || untitled}</h1>
        <NoteTitle
          note={note}
          title={title}
          readOnly={readOnly}
          focusFirst={begins === "title"}
          onLeave={(typed, mayFocus) => {
            if (editor && typed === "" && mayFocus) return editor.focus();
            // The editor may still be loading: then it goes on when it is there.
            typeAhead(note.id, typed, mayFocus);
            setTextAwaited(true);
          }}
        />
        <TagEditor note={note} readOnly={readOnly}>
          {checklist.isOffered ? <AddChecklist onAdd={checklist.begin} /> : null}
        </TagEditor>
        <AttachmentShelf note={note} adding={adding} attachments={attachments} readOnly={readOnly} />
        <Suspense fallback={<EditorSkeleton />}>
          {checklist.isShown ? <Checklist note={note} readOnly={readOnly} focusFirst={checklist.wasBegun} /> : null}
          <EditorHost
            note={note}
            readOnly={readOnly}
            continueTyping={begins === "text" ? "at the end" : textAwaited ? "at the start" : undefined}
            attachments={attachments}
            onFiles={(files, at) => void attach(files, at)}
            onReady={setEditor}
          />
        </Suspense>
      </div>
    </article>
  );
};

const beginningOf = (note: NoteHandle, isNew: boolean): "title" | "text" | undefined => {
  const { title, body } = note.read();
  if (!isNew) return undefined;
  if (body !== "") return "text";
  return title === "" ? "title" : undefined;
};

/** Who leaves a note before its editor is there, or cannot get one, has written what was typed for it all the same. */
const useKeepTyped = (note: NoteHandle, readOnly: boolean): void => {
  const keep = useEffectEvent((typed: string) => {
    if (!readOnly) note.edit((edit) => edit.body.insert(0, typed));
  });
  // Before the note is closed, which happens in the effect of a component further up.
  useLayoutEffect(() => keepTypedAhead(note.id, keep), [note]);
};

/** A checklist is shown where there is one; where it was emptied or just begun, as long as the note is on screen. */
const useChecklist = (note: NoteHandle, readOnly: boolean) => {
  const isEmpty = useDocumentView(note, isChecklistEmpty);
  const [wasBegun, setBegun] = useState(false);
  const [wasShown, setShown] = useState(false);
  if (!isEmpty && !wasShown) setShown(true);
  const isShown = hasChecklist && (!isEmpty || (!readOnly && (wasBegun || wasShown)));
  return { isShown, isOffered: hasChecklist && !isShown && !readOnly, wasBegun, begin: () => setBegun(true) };
};

const AddChecklist = ({ onAdd }: { onAdd: () => void }) => (
  <button
    type="button"
    className="inline-flex min-h-7 items-center gap-1.5 rounded-full px-2 text-[0.8438rem] text-ink-faint hover:bg-hover hover:text-ink-soft pointer-coarse:-my-1.5 pointer-coarse:min-h-11 pointer-coarse:text-base"
    onClick={onAdd}
  >
    <ListChecks className="size-3.5" aria-hidden="true" />
    Add checklist
  </button>
);

const useReportSaved = (note: NoteHandle): void => {
  // Not as a state of the view: it changes twice with every key.
  useEffect(() => {
    const stop = note.onSaved((saved, failure) => localSaves.set(note.id, saved, failure));
    return () => {
      stop();
      localSaves.set(note.id, true);
    };
  }, [note]);
};

const useTabTitle = (note: NoteHandle): void => {
  const name = useDocumentView(note, (view) => nameOf({ title: view.title, body: view.body.slice(0, 500) }));
  useEffect(() => {
    document.title = `${name} - Cairn`;
    return () => {
      document.title = "Cairn";
    };
  }, [name]);
};

const EditorSkeleton = () => (
  <output className="block space-y-3.5 pt-2" aria-label="Opening the text">
    <span className="skeleton block h-4 w-full" />
    <span className="skeleton block h-4 w-11/12" />
    <span className="skeleton block h-4 w-4/5" />
  </output>
);
