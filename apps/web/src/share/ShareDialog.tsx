import { useState } from "react";
import { useCairn, useWorkspaces } from "../notebook/hooks.ts";
import { notebookName } from "../notebook/notebook-name.ts";
import { Modal } from "../ui/Modal.tsx";
import { LiveLinks } from "./LiveLinks.tsx";
import { type MadeLink, NewLink } from "./NewLink.tsx";
import { NewLinkForm } from "./NewLinkForm.tsx";
import { useLinks } from "./use-links.ts";

/** Lets other devices into the notebook by a link or its QR code, and shows whom the live links can let in. */
const ShareDialog = ({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) => {
  const state = useCairn();
  const workspaces = useWorkspaces();
  const workspace = state.status === "ready" ? state.workspace : undefined;
  const info = workspaces.find((one) => one.id === workspace?.id);
  const owner = info?.role === "owner";
  const { links, reload } = useLinks(owner ? workspace : undefined, open);
  const [made, setMade] = useState<MadeLink | undefined>(undefined);

  return (
    <Modal
      open={open}
      onOpenChange={(next) => {
        if (!next) setMade(undefined);
        onOpenChange(next);
      }}
      title={`Share "${notebookName(info)}"`}
      description="Whoever opens the link gets all notes of this notebook, on every device they join with."
    >
      {!workspace ? null : !owner ? (
        <p className="rounded-lg bg-hover px-4 py-3 text-[0.9375rem]">
          Only the owner of this notebook can let others in. Ask them for another link.
        </p>
      ) : made ? (
        <NewLink made={made} onDone={() => setMade(undefined)} />
      ) : (
        <>
          <NewLinkForm
            workspace={workspace}
            onMade={(link) => {
              setMade(link);
              reload();
            }}
          />
          <LiveLinks workspace={workspace} links={links} onChanged={reload} />
        </>
      )}
    </Modal>
  );
};

export default ShareDialog;
