import { useState } from "react";
import { explain } from "../notebook/explain.ts";
import { useCairn } from "../notebook/hooks.ts";
import { Button } from "../ui/Button.tsx";
import { Field } from "../ui/Field.tsx";
import { notify } from "../ui/notices.ts";

/** Where a server asks for an invitation, its code is entered right beside the words that say so. */
export const InviteForm = ({ onTaken }: { onTaken?: () => void }) => {
  const state = useCairn();
  const [code, setCode] = useState("");
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState("");

  const give = async (): Promise<void> => {
    if (state.status !== "ready") return;
    setBusy(true);
    setRefused("");
    try {
      await state.cairn.setInvite(code);
      notify({ title: "The server took the code" });
      onTaken?.();
    } catch (error) {
      setRefused(wordsOf(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <form
      className="mt-3 space-y-2"
      onSubmit={(event) => {
        event.preventDefault();
        void give();
      }}
    >
      <Field
        label="Invitation code"
        value={code}
        maxLength={200}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        aria-invalid={refused !== ""}
        onChange={(event) => setCode(event.target.value)}
      />
      {refused ? (
        <p role="alert" className="text-sm text-clay">
          {refused}
        </p>
      ) : null}
      <Button size="small" look="primary" type="submit" disabled={busy || code.trim() === ""}>
        {busy ? "Asking the server…" : "Use this code"}
      </Button>
    </form>
  );
};

const wordsOf = (error: unknown): string => {
  const { title, detail, wayOut } = explain(error);
  if (wayOut === "invite") return "The server does not know this code. Check it with whoever gave it to you.";
  return wayOut === "retry" ? `${title}. The code is kept, and tried when it can be.` : `${title}. ${detail}`;
};
