import type { ImportReport, WorkspaceInfo } from "@cairn/client";
import { Download, Upload } from "lucide-react";
import { useRef, useState } from "react";
import { explain } from "../notebook/explain.ts";
import { plural } from "../notebook/format.ts";
import type { Notebook } from "../notebook/hooks.ts";
import { saveBlob } from "../notes/note-attachments.ts";
import { notebookName } from "../notebook/notebook-name.ts";
import { Section } from "../shell/Page.tsx";
import { Button } from "../ui/Button.tsx";
import { Confirm } from "../ui/Confirm.tsx";
import { notify } from "../ui/notices.ts";

/** Promise 12: one click takes everything out; one file brings it back. An import is shown before it is done. */
export const BackupSection = ({ notebook, info }: { notebook: Notebook; info: WorkspaceInfo }) => {
  const picker = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState("");
  const [chosen, setChosen] = useState<{ readonly file: File; readonly report: ImportReport } | undefined>(undefined);
  const [asking, setAsking] = useState(false);

  const during = async (what: string, work: () => Promise<void>): Promise<void> => {
    setBusy(what);
    try {
      await work();
    } catch (error) {
      notify({ ...explain(error), tone: "problem" });
    } finally {
      setBusy("");
    }
  };

  const exportAll = (): Promise<void> =>
    during("Exporting…", async () => {
      const blob = await new Response(await notebook.exportBackup()).blob();
      const day = new Date().toISOString().slice(0, 10);
      saveBlob(
        blob,
        `${
          notebookName(info)
            .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
            .trim() || "notebook"
        } ${day}.cairn`,
      );
      notify({ title: "Backup saved to your downloads" });
    });

  const look = (file: File): Promise<void> =>
    during("Reading the backup…", async () => {
      setChosen({ file, report: await notebook.importBackup(file.stream(), { dryRun: true }) });
      setAsking(true);
    });

  const importAll = (file: File): Promise<void> =>
    during("Importing…", async () => {
      const report = await notebook.importBackup(file.stream());
      notify({
        title: "Backup imported",
        detail: `${plural(report.newDocuments, "new note")}, ${plural(report.newAttachments, "new attachment")}.`,
      });
    });

  return (
    <Section
      title="Backup"
      description="One file with all notes and attachments of this notebook. Importing the same file twice doubles nothing."
    >
      <div className="flex flex-wrap gap-2">
        <Button
          icon={<Download className="size-4" aria-hidden="true" />}
          disabled={busy !== ""}
          onClick={() => void exportAll()}
        >
          Export
        </Button>
        <Button
          icon={<Upload className="size-4" aria-hidden="true" />}
          disabled={busy !== "" || info.role === "reader"}
          onClick={() => picker.current?.click()}
        >
          Import
        </Button>
        <input
          ref={picker}
          type="file"
          hidden
          aria-hidden="true"
          tabIndex={-1}
          accept=".cairn,application/octet-stream"
          data-import=""
          onChange={(event) => {
            const file = event.target.files?.[0];
            event.target.value = "";
            if (file) void look(file);
          }}
        />
      </div>
      <output className="mt-2 block min-h-5 text-sm text-ink-soft">{busy}</output>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title="Import this backup?"
        action="Import"
        onConfirm={() => chosen && void importAll(chosen.file)}
      >
        {chosen ? (
          <>
            It holds {plural(chosen.report.documents, "note")} and {plural(chosen.report.attachments, "attachment")}.{" "}
            {chosen.report.newUpdates === 0 && chosen.report.newDocuments === 0 && chosen.report.newAttachments === 0
              ? "All of it is here already."
              : `New here: ${plural(chosen.report.newDocuments, "note")}, ${plural(chosen.report.newUpdates, "edit")}, ${plural(chosen.report.newAttachments, "attachment")}. Nothing is replaced.`}
          </>
        ) : null}
      </Confirm>
    </Section>
  );
};
