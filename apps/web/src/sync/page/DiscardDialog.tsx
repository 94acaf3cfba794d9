import type { DiscardPreview } from "@cairn/client";
import { useEffect, useMemo, useState } from "react";
import { explain, type Explanation } from "../../notebook/explain.ts";
import { plural } from "../../notebook/format.ts";
import type { NoteId, Notebook } from "../../notebook/hooks.ts";
import { Button } from "../../ui/Button.tsx";
import { Modal } from "../../ui/Modal.tsx";
import { notify } from "../../ui/notices.ts";
import { changedLines, compareLines, linesOf } from "../lost-lines.ts";

export interface DiscardDialogProps {
  notebook: Notebook;
  document: NoteId;
  name: string;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

/** Shows what giving up loses, line by line, before it is done. */
export const DiscardDialog = (props: DiscardDialogProps) => (
  <Modal
    open={props.open}
    onOpenChange={props.onOpenChange}
    title={`Give up edits of "${props.name}"?`}
    description="The note goes back to what the server has. This cannot be undone."
  >
    <Discarding {...props} />
  </Modal>
);

/** Made anew whenever the dialog opens: what would be lost is what would be lost now. */
const Discarding = ({ document, name, notebook, onOpenChange }: DiscardDialogProps) => {
  const [preview, setPreview] = useState<DiscardPreview | undefined>(undefined);
  const [failure, setFailure] = useState<Explanation | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    let current = true;
    notebook.previewDiscard(document).then(
      (found) => current && setPreview(found),
      (error: unknown) => current && setFailure(explain(error)),
    );
    return () => {
      current = false;
    };
  }, [notebook, document]);

  const discard = async (): Promise<void> => {
    setBusy(true);
    try {
      const done = await notebook.discardDeadLetter(document);
      notify({ title: `${plural(done.edits, "edit")} given up`, detail: `"${name}" is as the server has it.` });
      onOpenChange(false);
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <>
      {failure ? (
        <div role="alert" className="mb-4 rounded-xl bg-clay-soft px-4 py-3 text-[0.9375rem]">
          <p className="font-semibold text-clay">{failure.title}</p>
          <p>{failure.detail}</p>
        </div>
      ) : null}
      {preview ? (
        <Loss preview={preview} />
      ) : failure ? null : (
        <output className="block space-y-2" aria-label="Looking at what would be lost">
          <span className="skeleton block h-4 w-3/5" />
          <span className="skeleton block h-24 w-full" />
        </output>
      )}
      <div className="mt-5 flex justify-end gap-2">
        <Button onClick={() => onOpenChange(false)}>Keep them</Button>
        <Button look="danger" disabled={!preview || busy} onClick={() => void discard()}>
          {preview ? `Give up ${plural(preview.edits, "edit")}` : "Give up"}
        </Button>
      </div>
    </>
  );
};

const Loss = ({ preview }: { preview: DiscardPreview }) => {
  const lines = useMemo(() => changedLines(compareLines(linesOf(preview.before), linesOf(preview.after))), [preview]);
  return (
    <>
      {lines.some((line) => line !== undefined) ? (
        <ol
          aria-label="What changes"
          className="max-h-72 overflow-auto rounded-xl border border-line bg-paper py-2 text-sm leading-6"
        >
          {lines.map((line, index) => (
            // oxlint-disable-next-line react/no-array-index-key -- lines have no identity and never move
            <li
              key={index}
              className={`flex gap-2 px-3 ${line === undefined ? "text-ink-faint" : lineLooks[line.fate]}`}
            >
              <span aria-hidden="true" className="w-3 shrink-0 text-center">
                {line === undefined ? "⋮" : marks[line.fate]}
              </span>
              <span className="min-w-0 break-words whitespace-pre-wrap">
                {line === undefined ? (
                  <span className="sr-only">lines that stay</span>
                ) : (
                  <>
                    <span className="sr-only">{spoken[line.fate]}</span>
                    {line.text.length > 2000 ? `${line.text.slice(0, 2000)}…` : line.text || " "}
                  </>
                )}
              </span>
            </li>
          ))}
        </ol>
      ) : (
        <p className="text-[0.9375rem]">Nothing that can be seen in the note changes.</p>
      )}
      {preview.laterEdits > 0 ? (
        <p className="mt-3 text-[0.9375rem] text-ink-soft">
          {plural(preview.laterEdits, "later edit")} {preview.laterEdits === 1 ? "is" : "are"} applied again
          {preview.notReapplied.length > 0 ? `, except at: ${preview.notReapplied.join(", ")}` : ""}.
        </p>
      ) : null}
    </>
  );
};

const marks = { kept: "", lost: "−", back: "+" } as const;
const spoken = { kept: "", lost: "Lost: ", back: "Comes back: " } as const;
const lineLooks = {
  kept: "text-ink-soft",
  lost: "bg-clay-soft text-clay",
  back: "bg-moss-soft text-moss-strong",
} as const;
