import type { WorkspaceInfo } from "@cairn/client";
import { useState } from "react";
import { explain } from "../notebook/explain.ts";
import type { Notebook } from "../notebook/hooks.ts";
import { schema } from "../notebook/schema.ts";
import { Section } from "../shell/Page.tsx";
import { Button } from "../ui/Button.tsx";
import { Confirm } from "../ui/Confirm.tsx";
import { notify } from "../ui/notices.ts";

/** An owner's: ends writing by versions of the app that know less about notes than this one does. */
export const VersionsSection = ({ notebook, info }: { notebook: Notebook; info: WorkspaceInfo }) => {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const { version } = schema;
  const raise = async (): Promise<void> => {
    setBusy(true);
    try {
      await notebook.raiseMinimumVersion();
      notify({ title: "Older versions of the app can only read now" });
    } catch (error) {
      notify({ ...explain(error), tone: "problem" });
    }
    setBusy(false);
  };
  return (
    <Section
      title="Older versions of the app"
      description={`Devices update at different times. This version of the app writes notes in form ${version}; it understands all older ones.`}
    >
      {info.minimumVersion < version ? (
        <>
          <p className="mb-4 text-[0.9375rem] text-ink-soft">
            {info.minimumVersion === 1
              ? "Devices with an older version of the app can still write in this notebook."
              : `Devices with a version of the app that writes form ${info.minimumVersion} or later can write in this notebook.`}
          </p>
          <Button disabled={busy} onClick={() => setAsking(true)}>
            {busy ? "Telling the other devices…" : "Require this version"}
          </Button>
        </>
      ) : (
        <p className="text-[0.9375rem] text-ink-soft">
          {version === 1
            ? "There is no older version that could write in this notebook."
            : info.minimumVersion === version
              ? "Devices with an older version of the app can read this notebook, and write again once they are updated."
              : "This notebook needs a newer version of the app than this one."}
        </p>
      )}
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title="Require this version of the app?"
        action="Require it"
        onConfirm={() => void raise()}
      >
        <p>
          Every device whose app is older becomes read-only in this notebook until it is updated. It can read
          everything, and what was written on it, also offline, is still sent and shown.
        </p>
        <p className="mt-2">This cannot be taken back.</p>
      </Confirm>
    </Section>
  );
};
