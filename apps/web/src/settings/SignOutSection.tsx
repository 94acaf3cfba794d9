import type { Cairn, Unsynced } from "@cairn/client";
import { useState } from "react";
import { explain } from "../notebook/explain.ts";
import type { NotebookSchema } from "../notebook/schema.ts";
import { Section } from "../shell/Page.tsx";
import { Button } from "../ui/Button.tsx";
import { Confirm } from "../ui/Confirm.tsx";
import { notify } from "../ui/notices.ts";
import { UnsyncedWarning } from "./UnsyncedWarning.tsx";

/** Takes everything of a person off this device. The page starts over by itself when it is done. */
export const SignOutSection = ({ cairn }: { cairn: Cairn<NotebookSchema> }) => {
  const [asking, setAsking] = useState(false);
  const [leaving, setLeaving] = useState(false);
  const [unsynced, setUnsynced] = useState<Unsynced | undefined>(undefined);
  const ask = async (): Promise<void> => {
    // What would be lost is looked up first, and shown (hazard 20).
    try {
      setUnsynced(await cairn.unsynced());
      setAsking(true);
    } catch (error) {
      notify({ ...explain(error), tone: "problem" });
    }
  };
  const leave = async (): Promise<void> => {
    setLeaving(true);
    try {
      await cairn.signOut({ force: unsynced !== undefined && unsynced.documents > 0 });
    } catch (error) {
      setLeaving(false);
      notify({ ...explain(error), tone: "problem" });
    }
  };
  return (
    <Section
      title="Sign out"
      description="Deletes all notebooks and their keys from this device. Other devices and the server keep theirs."
    >
      <Button className="text-clay" disabled={leaving} onClick={() => void ask()}>
        {leaving ? "Signing out" : "Sign out"}
      </Button>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title="Sign out of this device?"
        action={unsynced && unsynced.documents > 0 ? "Sign out and lose them" : "Sign out"}
        onConfirm={() => void leave()}
      >
        {unsynced && unsynced.documents > 0 ? <UnsyncedWarning unsynced={unsynced} /> : null}
        <p className={unsynced && unsynced.documents > 0 ? "mt-2" : ""}>
          To have your notes here again you need a link from another of your devices, or a backup. If this is your only
          device, export a backup first.
        </p>
      </Confirm>
    </Section>
  );
};
