import type { ImportReport } from "@cairn/client";
import { Upload } from "lucide-react";
import { useRef, useState } from "react";
import { codeOf } from "../notebook/explain.ts";
import { plural } from "../notebook/format.ts";
import type { Notebook } from "../notebook/hooks.ts";
import { Button } from "../ui/Button.tsx";
import { Confirm } from "../ui/Confirm.tsx";
import { Modal } from "../ui/Modal.tsx";
import { notify } from "../ui/notices.ts";
import { PassphraseField } from "../ui/PassphraseField.tsx";
import { TransferProgress } from "./TransferProgress.tsx";
import { useTransfer } from "./use-transfer.ts";

interface Looked {
  readonly file: File;
  readonly passphrase: string | undefined;
  readonly report: ImportReport;
}

/** Brings a backup in: read to its end first, asked for its passphrase where it has one, shown before anything changes. */
export const ImportBackup = ({ notebook, readOnly }: { notebook: Notebook; readOnly: boolean }) => {
  const picker = useRef<HTMLInputElement>(null);
  const { transfer, run, cancel } = useTransfer();
  const [looked, setLooked] = useState<Looked | undefined>(undefined);
  const [asking, setAsking] = useState(false);
  const [sealed, setSealed] = useState<{ readonly file: File; readonly wrong: boolean } | undefined>(undefined);
  const busy = transfer !== undefined;

  const look = (file: File, passphrase?: string): Promise<void> =>
    run(
      async ({ step }) => {
        const report = await notebook.importBackup(file, {
          ...step("Reading the backup…"),
          passphrase,
          dryRun: true,
        });
        setSealed(undefined);
        setLooked({ file, passphrase, report });
        setAsking(true);
      },
      { title: "Import stopped", detail: "Nothing was changed." },
      (error) => {
        const code = codeOf(error);
        if (code !== "backup-protected" && code !== "backup-wrong-key") {
          setSealed(undefined);
          return false;
        }
        setSealed({ file, wrong: code === "backup-wrong-key" });
        return true;
      },
    );

  const importAll = ({ file, passphrase }: Looked): Promise<void> =>
    run(
      async ({ step }) => {
        const report = await notebook.importBackup(file, { ...step("Importing…"), passphrase });
        notify({
          title: "Backup imported",
          detail: `${plural(report.newDocuments, "new note")}, ${plural(report.newAttachments, "new attachment")}.`,
        });
      },
      { title: "Import stopped", detail: "What came in stays; importing the same file again brings the rest." },
    );

  return (
    <div className="mt-5">
      <Button
        icon={<Upload className="size-4" aria-hidden="true" />}
        disabled={busy || readOnly}
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
      {sealed ? null : <TransferProgress transfer={transfer} onCancel={cancel} />}
      <PassphraseDialog
        sealed={sealed}
        busy={busy}
        onOpen={(file, passphrase) => void look(file, passphrase)}
        onClose={() => {
          if (busy) cancel();
          setSealed(undefined);
        }}
      />
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title="Import this backup?"
        action="Import"
        onConfirm={() => looked && void importAll(looked)}
      >
        {looked ? whatItHolds(looked.report) : null}
      </Confirm>
    </div>
  );
};

const whatItHolds = (report: ImportReport): string => {
  const all = `It holds ${plural(report.documents, "note")} and ${plural(report.attachments, "attachment")}.`;
  const fresh = [
    plural(report.newDocuments, "note"),
    plural(report.newUpdates, "edit"),
    plural(report.newAttachments, "attachment"),
  ];
  return report.newUpdates === 0 && report.newDocuments === 0 && report.newAttachments === 0
    ? `${all} All of it is here already.`
    : `${all} New here: ${fresh.join(", ")}. Nothing is replaced.`;
};

interface PassphraseDialogProps {
  sealed: { readonly file: File; readonly wrong: boolean } | undefined;
  busy: boolean;
  onOpen: (file: File, passphrase: string) => void;
  onClose: () => void;
}

const PassphraseDialog = ({ sealed, busy, onOpen, onClose }: PassphraseDialogProps) => {
  const [passphrase, setPassphrase] = useState("");
  const close = (): void => {
    setPassphrase("");
    onClose();
  };
  return (
    <Modal
      open={sealed !== undefined}
      onOpenChange={(open) => {
        if (!open) close();
      }}
      title="This backup has a passphrase"
      description={sealed ? `Enter the one that ${sealed.file.name} was exported with.` : undefined}
    >
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (sealed && passphrase !== "") onOpen(sealed.file, passphrase);
        }}
      >
        <PassphraseField
          label="Passphrase"
          value={passphrase}
          onChange={setPassphrase}
          autoComplete="off"
          disabled={busy}
          problem={sealed?.wrong && !busy ? "This passphrase does not open it. Capitals and spaces count." : undefined}
        />
        <Button look="primary" type="submit" className="w-full" disabled={busy || passphrase === ""}>
          {busy ? "Reading the backup…" : "Open"}
        </Button>
      </form>
    </Modal>
  );
};
