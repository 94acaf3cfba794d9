import type { WorkspaceInfo } from "@cairn/client";
import { Download } from "lucide-react";
import { useState } from "react";
import { codeOf } from "../notebook/explain.ts";
import { plural } from "../notebook/format.ts";
import type { Notebook } from "../notebook/hooks.ts";
import { notebookName } from "../notebook/notebook-name.ts";
import { saveBlob } from "../notes/note-attachments.ts";
import { Button } from "../ui/Button.tsx";
import { Confirm } from "../ui/Confirm.tsx";
import { notify } from "../ui/notices.ts";
import { PassphraseField } from "../ui/PassphraseField.tsx";
import { TransferProgress } from "./TransferProgress.tsx";
import { useTransfer } from "./use-transfer.ts";

/** Takes everything out, and reads it again to the end before it is called a backup (promise 12, hazard 24). */
export const ExportBackup = ({ notebook, info }: { notebook: Notebook; info: WorkspaceInfo }) => {
  const { transfer, run, cancel } = useTransfer();
  const [passphrase, setPassphrase] = useState("");
  const [offeringPart, setOfferingPart] = useState(false);
  const busy = transfer !== undefined;

  const exportAll = (partial: boolean): Promise<void> =>
    run(
      async ({ step }) => {
        const secret = passphrase === "" ? {} : { passphrase };
        const { status } = notebook.sync();
        const stream = await notebook.exportBackup({ ...step("Exporting…"), ...secret, partial });
        const file = await asBlob(stream);
        const verified = await notebook.importBackup(file, { ...step("Reading it again…"), ...secret, dryRun: true });
        // Every note is here in the state that was written, or in a later one.
        if (verified.newDocuments > 0) {
          notify({
            title: "The backup does not hold what was exported",
            detail: "No file was saved. Export again.",
            tone: "problem",
          });
          return;
        }
        saveBlob(file, fileName(info));
        setPassphrase("");
        const held = `${plural(verified.documents, "note")} and ${plural(verified.attachments, "attachment")}, read again and found whole.`;
        notify({
          title: "Backup saved to your downloads",
          detail:
            status === "up-to-date" || status === "local-only"
              ? held
              : `${held} What only the server has by now is not in it.`,
        });
      },
      { title: "Export stopped", detail: "No file was saved." },
      (error) => {
        if (codeOf(error) !== "attachment-unavailable") return false;
        setOfferingPart(true);
        return true;
      },
    );

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void exportAll(false);
      }}
    >
      <PassphraseField
        label="Passphrase for the file (optional)"
        value={passphrase}
        onChange={setPassphrase}
        autoComplete="new-password"
        disabled={busy}
        hint={
          passphrase === ""
            ? "Without one, whoever gets the file can read everything in it."
            : "Nobody opens the file without it, not even you. Keep it apart from the file."
        }
      />
      <Button type="submit" className="mt-3" icon={<Download className="size-4" aria-hidden="true" />} disabled={busy}>
        Export
      </Button>
      <TransferProgress transfer={transfer} onCancel={cancel} />
      <Confirm
        open={offeringPart}
        onOpenChange={setOfferingPart}
        title="Export without some attachments?"
        action="Export without them"
        onConfirm={() => void exportAll(true)}
      >
        The bytes of at least one attachment are not on this device, and the server cannot give them now. All notes and
        the other attachments would be in the file.
      </Confirm>
    </form>
  );
};

const fileName = (info: WorkspaceInfo): string => {
  const name = notebookName(info).replaceAll(/[^\p{L}\p{N} _-]/gu, "");
  return `${name.trim() || "notebook"} ${new Date().toISOString().slice(0, 10)}.cairn`;
};

/** Pieces that become one part of a blob, which browsers move out of memory. Bytes. */
const PART_BYTES = 4 * 1024 * 1024;

/** The stream as a blob, with the stream's own failure where it fails: a `Response` would tell a network error. */
const asBlob = async (stream: ReadableStream<Uint8Array>): Promise<Blob> => {
  const parts: Array<Blob> = [];
  let pieces: Array<Uint8Array<ArrayBuffer>> = [];
  let size = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (value) {
      pieces.push(new Uint8Array(value));
      size += value.length;
    }
    if (done || size >= PART_BYTES) {
      parts.push(new Blob(pieces));
      pieces = [];
      size = 0;
    }
    if (done) return new Blob(parts, { type: "application/octet-stream" });
  }
};
