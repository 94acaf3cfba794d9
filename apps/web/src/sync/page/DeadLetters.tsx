import type { DeadLetter } from "@cairn/client";
import { useNavigate } from "@tanstack/react-router";
import { CopyPlus, Download, RotateCcw, Trash2 } from "lucide-react";
import { useState } from "react";
import { explain } from "../../notebook/explain.ts";
import { formatBytes, formatClock, formatSince, plural } from "../../notebook/format.ts";
import type { Notebook } from "../../notebook/hooks.ts";
import { saveBlob } from "../../notes/note-attachments.ts";
import { Button } from "../../ui/Button.tsx";
import { notify } from "../../ui/notices.ts";
import { describeMoment } from "../describe-outbox.ts";
import { refusalOf } from "../refusals.ts";
import { DiscardDialog } from "./DiscardDialog.tsx";

export interface DeadLettersProps {
  notebook: Notebook;
  letters: ReadonlyArray<DeadLetter>;
  nameOfNote: (id: string) => string | undefined;
  now: number;
}

/** Edits that the server will not take: why, what happened, and four ways on. Nothing goes by itself. */
export const DeadLetters = ({ letters, nameOfNote, notebook, now }: DeadLettersProps) => {
  const [discarding, setDiscarding] = useState<DeadLetter | undefined>(undefined);
  const [asking, setAsking] = useState(false);
  if (letters.length === 0) return null;
  return (
    <section aria-labelledby="set-aside" className="space-y-3">
      <header>
        <h2 id="set-aside" className="font-semibold">
          Set aside
        </h2>
        <p className="text-[0.9375rem] text-ink-soft">
          The server does not take these edits. They are kept on this device until you decide; other notes go on.
        </p>
      </header>
      <ul className="space-y-3">
        {letters.map((letter) => (
          <Letter
            key={letter.document}
            notebook={notebook}
            letter={letter}
            name={nameOfNote(letter.document) ?? "A note"}
            now={now}
            onDiscard={() => {
              setDiscarding(letter);
              setAsking(true);
            }}
          />
        ))}
      </ul>
      {discarding ? (
        <DiscardDialog
          key={discarding.document}
          notebook={notebook}
          document={discarding.document}
          name={nameOfNote(discarding.document) ?? "this note"}
          open={asking}
          onOpenChange={setAsking}
        />
      ) : null}
    </section>
  );
};

interface LetterProps {
  notebook: Notebook;
  letter: DeadLetter;
  name: string;
  now: number;
  onDiscard: () => void;
}

const Letter = ({ letter, name, notebook, now, onDiscard }: LetterProps) => {
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);
  const { document, history } = letter;
  const reason = refusalOf(letter.code, letter.message);

  const during = async (work: () => Promise<void>): Promise<void> => {
    setBusy(true);
    try {
      await work();
    } catch (error) {
      notify({ ...explain(error), tone: "problem" });
    } finally {
      setBusy(false);
    }
  };
  const retry = async (): Promise<void> => {
    await notebook.retryDeadLetter(document);
    notify({ title: "Trying again", detail: `The edits of "${name}" are on their way once more.` });
  };
  const save = async (): Promise<void> => {
    const { fileName, json } = await notebook.exportDeadLetter(document);
    saveBlob(new Blob([json], { type: "application/json" }), fileName);
    notify({ title: "Saved to your downloads", detail: fileName });
  };
  const fork = async (): Promise<void> => {
    const made = await notebook.forkDeadLetter(document);
    notify({
      title: "Kept as a new note",
      detail: "It holds the note as it was here. The old one is as the server has it.",
      action: { label: "Open", run: () => void navigate({ to: "/note/$noteId", params: { noteId: made } }) },
    });
  };

  return (
    <li className="rounded-2xl border border-line bg-raised p-4 sm:p-5">
      <div className="flex flex-wrap items-baseline gap-x-3">
        <h3 className="min-w-0 flex-1 truncate font-serif text-lg font-semibold">{name}</h3>
        <span className="text-sm text-ink-soft">since {formatSince(letter.parkedAt, now)}</span>
      </div>
      <div className="mt-2 rounded-xl bg-clay-soft px-3.5 py-2.5 text-[0.9375rem]">
        <p className="font-medium text-clay">{reason.title}</p>
        <p className="leading-normal">{reason.detail}</p>
      </div>
      <p className="mt-2.5 text-sm text-ink-soft">
        {[
          `${plural(letter.edits, "edit")}, ${formatBytes(letter.bytes)}`,
          ...(letter.attempts > 0 ? [`refused ${letter.attempts === 1 ? "once" : `${letter.attempts} times`}`] : []),
          ...(letter.laterEdits > 0 ? [`${plural(letter.laterEdits, "later edit")} wait with them`] : []),
        ].join("; ")}
        .
      </p>
      <div className="mt-3 flex flex-wrap gap-2">
        <Button
          size="small"
          look="primary"
          disabled={busy}
          icon={<RotateCcw className="size-4" aria-hidden="true" />}
          onClick={() => void during(retry)}
        >
          Try again
        </Button>
        <Button
          size="small"
          disabled={busy}
          icon={<CopyPlus className="size-4" aria-hidden="true" />}
          onClick={() => void during(fork)}
        >
          Keep as a new note
        </Button>
        <Button
          size="small"
          disabled={busy}
          icon={<Download className="size-4" aria-hidden="true" />}
          onClick={() => void during(save)}
        >
          Save a copy
        </Button>
        <Button
          size="small"
          look="quiet"
          className="text-clay!"
          disabled={busy}
          icon={<Trash2 className="size-4" aria-hidden="true" />}
          onClick={onDiscard}
        >
          Give up…
        </Button>
      </div>
      {history.length > 0 ? (
        <details className="mt-3 text-sm">
          <summary className="inline-flex min-h-8 items-center text-ink-soft hover:text-ink pointer-coarse:min-h-11">
            What happened ({history.length})
          </summary>
          <ol className="mt-1 space-y-1 border-l border-line-strong pl-3">
            {history.map((moment, index) => (
              // oxlint-disable-next-line react/no-array-index-key -- moments have no identity and never move
              <li key={index} className="flex gap-3">
                <time
                  className="w-16 shrink-0 text-ink-faint tabular-nums"
                  dateTime={new Date(moment.at).toISOString()}
                >
                  {formatClock(moment.at)}
                </time>
                <span className="min-w-0">{describeMoment(moment)}</span>
              </li>
            ))}
          </ol>
        </details>
      ) : null}
    </li>
  );
};
