import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { explain } from "../notebook/explain.ts";
import { useCairn } from "../notebook/hooks.ts";
import { Button } from "../ui/Button.tsx";
import { Field } from "../ui/Field.tsx";
import { Modal } from "../ui/Modal.tsx";
import { notify } from "../ui/notices.ts";

const NewNotebookDialog = ({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) => {
  const state = useCairn();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);

  const create = async (): Promise<void> => {
    if (state.status !== "ready" || name.trim() === "") return;
    setBusy(true);
    try {
      await state.select(await state.cairn.createWorkspace({ name: name.trim() }));
      setName("");
      onOpenChange(false);
      await navigate({ to: "/" });
    } catch (error) {
      notify({ ...explain(error), tone: "problem" });
    } finally {
      setBusy(false);
    }
  };

  return (
    <Modal
      open={open}
      onOpenChange={onOpenChange}
      title="New notebook"
      description="A notebook is what you share: whoever you let in sees all of its notes and none of your others."
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <Field
          label="Name"
          value={name}
          maxLength={120}
          onChange={(event) => setName(event.target.value)}
          autoComplete="off"
        />
        <div className="mt-5 flex justify-end">
          <Button look="primary" type="submit" disabled={busy || name.trim() === ""}>
            Create notebook
          </Button>
        </div>
      </form>
    </Modal>
  );
};

export default NewNotebookDialog;
