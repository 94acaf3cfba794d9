import type { WorkspaceInfo } from "@cairn/client";
import { useMayWrite } from "../notebook/app-version.ts";
import type { Notebook } from "../notebook/hooks.ts";
import { Section } from "../shell/Page.tsx";
import { ExportBackup } from "./ExportBackup.tsx";
import { ImportBackup } from "./ImportBackup.tsx";

/** Promise 12: one click takes everything out; one file brings it back. */
export const BackupSection = ({ notebook, info }: { notebook: Notebook; info: WorkspaceInfo }) => {
  const mayWrite = useMayWrite();
  return (
    <Section
      title="Backup"
      description="One file with all notes and attachments of this notebook. Importing the same file twice doubles nothing."
    >
      <ExportBackup notebook={notebook} info={info} />
      <ImportBackup notebook={notebook} readOnly={!mayWrite} />
    </Section>
  );
};
