import { useDocumentView } from "@cairn/react";
import { Download, Paperclip, Trash2, X } from "lucide-react";
import { attachmentsShownIn } from "../editor/attachment-references.ts";
import { explain } from "../notebook/explain.ts";
import { formatBytes } from "../notebook/format.ts";
import { type NoteHandle, useAttachments, useWorkspace } from "../notebook/hooks.ts";
import { IconButton } from "../ui/Button.tsx";
import { notify } from "../ui/notices.ts";
import type { OpenAttachments } from "./note-attachments.ts";
import type { FileBeingAdded } from "./use-attach-files.ts";

export interface AttachmentShelfProps {
  note: NoteHandle;
  adding: ReadonlyArray<FileBeingAdded>;
  attachments: OpenAttachments;
  readOnly: boolean;
}

/** Files that are on their way in, and those that the text does not show (any more): nothing attached is out of reach. */
export const AttachmentShelf = ({ note, adding, attachments, readOnly }: AttachmentShelfProps) => {
  const workspace = useWorkspace();
  const all = useAttachments(note.id);
  const shown = useDocumentView(note, (view) => [...attachmentsShownIn(view.body)]);
  const loose = all.filter((attachment) => !shown.includes(attachment.id));
  if (adding.length === 0 && loose.length === 0) return null;
  return (
    <section
      aria-label="Attachments"
      className="mb-5 divide-y divide-line rounded-xl border border-line text-[0.9375rem]"
    >
      {adding.map((file) => (
        <div key={file.key} className="flex items-center gap-3 px-3 py-1.5">
          <Paperclip className="size-4 shrink-0 text-ink-faint" aria-hidden="true" />
          <span className="min-w-0 flex-1 truncate">{file.name}</span>
          <progress
            value={file.progress}
            max={1}
            aria-label={`Sealing ${file.name}`}
            className="h-1.5 w-24 appearance-none overflow-hidden rounded-full bg-hover [&::-moz-progress-bar]:bg-moss [&::-webkit-progress-bar]:bg-hover [&::-webkit-progress-value]:bg-moss"
          />
          <IconButton label={`Cancel ${file.name}`} onClick={file.cancel}>
            <X className="size-4" aria-hidden="true" />
          </IconButton>
        </div>
      ))}
      {loose.map((attachment) => (
        <div key={attachment.id} className="flex items-center gap-1 py-1 pr-1 pl-3">
          <Paperclip className="mr-2 size-4 shrink-0 text-ink-faint" aria-hidden="true" />
          <span className="min-w-0 flex-1 truncate">{attachment.name}</span>
          <span className="px-2 text-sm text-ink-soft">{formatBytes(attachment.size)}</span>
          <IconButton
            label={`Save ${attachment.name} to this device`}
            onClick={() => attachments.download(attachment.id)}
          >
            <Download className="size-4" aria-hidden="true" />
          </IconButton>
          {readOnly ? null : (
            <IconButton
              label={`Remove ${attachment.name} from the note`}
              onClick={() =>
                void workspace
                  ?.removeAttachment(note.id, attachment.id)
                  .catch((error: unknown) => notify({ ...explain(error), tone: "problem" }))
              }
            >
              <Trash2 className="size-4" aria-hidden="true" />
            </IconButton>
          )}
        </div>
      ))}
    </section>
  );
};
