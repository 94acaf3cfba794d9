import type { Cairn, Unsynced, WorkspaceInfo } from "@cairn/client";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useMayWrite } from "../notebook/app-version.ts";
import { explain } from "../notebook/explain.ts";
import type { Notebook } from "../notebook/hooks.ts";
import type { NotebookSchema } from "../notebook/schema.ts";
import { notebookName } from "../notebook/notebook-name.ts";
import { Section } from "../shell/Page.tsx";
import { Button } from "../ui/Button.tsx";
import { Confirm } from "../ui/Confirm.tsx";
import { Field } from "../ui/Field.tsx";
import { notify } from "../ui/notices.ts";
import { UnsyncedWarning } from "./UnsyncedWarning.tsx";

const roles: Readonly<Record<string, string>> = {
  owner: "You own it.",
  writer: "You can write in it.",
  reader: "You can read it.",
};

export const NotebookSection = ({ notebook, info }: { notebook: Notebook; info: WorkspaceInfo }) => {
  const [name, setName] = useState(info.name);
  const mayWrite = useMayWrite();
  const changed = name.trim() !== "" && name.trim() !== info.name;
  const rename = async (): Promise<void> => {
    try {
      await notebook.rename(name.trim());
      notify({ title: "Notebook renamed" });
    } catch (error) {
      notify({ ...explain(error), tone: "problem" });
    }
  };
  return (
    <Section title="This notebook" description={`${roles[info.role] ?? ""} Its name is sealed like its notes.`}>
      <form
        className="flex items-end gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          if (changed) void rename();
        }}
      >
        <Field
          label="Name"
          className="min-w-0 flex-1"
          value={name}
          placeholder={notebookName({ name: "", createdHere: info.createdHere })}
          maxLength={120}
          readOnly={!mayWrite}
          autoComplete="off"
          onChange={(event) => setName(event.target.value)}
        />
        <Button type="submit" disabled={!changed || !mayWrite}>
          Rename
        </Button>
      </form>
    </Section>
  );
};

export interface RemoveSectionProps {
  notebook: Notebook;
  info: WorkspaceInfo;
  cairn: Cairn<NotebookSchema>;
  select: (notebook: Notebook) => Promise<void>;
}

/** Takes a joined notebook off this device. The first one stays: it is the person's own. */
export const RemoveSection = ({ notebook, info, cairn, select }: RemoveSectionProps) => {
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const [unsynced, setUnsynced] = useState<Unsynced | undefined>(undefined);
  const others = cairn.workspaces().filter((workspace) => workspace.id !== info.id);
  const other = others[0];
  if (other === undefined) return null;
  const ask = async (): Promise<void> => {
    // What would be lost is looked up first, and shown (hazard 20).
    setUnsynced(await notebook.unsynced().catch(() => undefined));
    setAsking(true);
  };
  const remove = async (): Promise<void> => {
    try {
      await select(await cairn.workspace(other.id));
      await cairn.removeWorkspace(info.id, { force: unsynced !== undefined && unsynced.documents > 0 });
      notify({ title: "Notebook removed from this device" });
      await navigate({ to: "/" });
    } catch (error) {
      notify({ ...explain(error), tone: "problem" });
    }
  };
  return (
    <Section
      title="Remove from this device"
      description="Deletes this device's copy of the notebook. Other devices and the server keep theirs."
    >
      <Button className="text-clay" onClick={() => void ask()}>
        Remove this notebook
      </Button>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={`Remove "${notebookName(info)}"?`}
        action="Remove"
        onConfirm={() => void remove()}
      >
        {unsynced && unsynced.documents > 0 ? (
          <UnsyncedWarning unsynced={unsynced} />
        ) : (
          "Everything in it is on the server. To have it here again you need a link from its owner."
        )}
      </Confirm>
    </Section>
  );
};
