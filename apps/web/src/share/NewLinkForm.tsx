import { useState } from "react";
import { explain, type Explanation } from "../notebook/explain.ts";
import type { Notebook } from "../notebook/hooks.ts";
import { InviteForm } from "../sync/InviteForm.tsx";
import { Button } from "../ui/Button.tsx";
import { Field, Select } from "../ui/Field.tsx";
import type { MadeLink } from "./NewLink.tsx";

const hour = 60 * 60 * 1000;

const lifetimes: ReadonlyArray<{ readonly value: string; readonly label: string }> = [
  { value: String(hour), label: "1 hour" },
  { value: String(24 * hour), label: "1 day" },
  { value: String(7 * 24 * hour), label: "1 week" },
  { value: String(30 * 24 * hour), label: "30 days" },
  { value: "0", label: "No end" },
];

const uses: ReadonlyArray<{ readonly value: string; readonly label: string }> = [
  { value: "1", label: "1 device" },
  { value: "5", label: "5 devices" },
  { value: "20", label: "20 devices" },
  { value: "0", label: "Any number" },
];

export const NewLinkForm = ({ workspace, onMade }: { workspace: Notebook; onMade: (link: MadeLink) => void }) => {
  const [role, setRole] = useState<"writer" | "reader">("writer");
  const [lifetime, setLifetime] = useState(String(7 * 24 * hour));
  const [maxUses, setMaxUses] = useState("5");
  const [label, setLabel] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Explanation | undefined>(undefined);

  const create = async (): Promise<void> => {
    setBusy(true);
    setFailure(undefined);
    try {
      const { url } = await workspace.createLink({
        role,
        ...(label.trim() === "" ? {} : { label: label.trim() }),
        ...(maxUses === "0" ? {} : { maxUses: Number(maxUses) }),
        ...(lifetime === "0" ? {} : { expiresInMillis: Number(lifetime) }),
      });
      onMade({ url, role });
      setLabel("");
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <>
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <fieldset>
          <legend className="mb-1 text-sm font-medium">They can</legend>
          <div className="grid grid-cols-2 gap-2">
            {roles.map(([value, name, detail]) => (
              <label
                key={value}
                className="rounded-xl border border-line-strong px-3 py-2.5 has-checked:border-moss has-checked:bg-moss-soft has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-moss"
              >
                <input
                  type="radio"
                  name="role"
                  value={value}
                  checked={role === value}
                  onChange={() => setRole(value)}
                  className="sr-only"
                />
                <span className="block text-[0.9375rem] font-semibold">{name}</span>
                <span className="block text-sm text-ink-soft">{detail}</span>
              </label>
            ))}
          </div>
        </fieldset>
        <div className="grid grid-cols-2 gap-3">
          <Select label="The link works for" value={lifetime} onChange={setLifetime} options={lifetimes} />
          <Select label="and lets in" value={maxUses} onChange={setMaxUses} options={uses} />
        </div>
        <Field
          label="For whom (only you see this)"
          value={label}
          maxLength={60}
          placeholder="My phone, Mara"
          autoComplete="off"
          onChange={(event) => setLabel(event.target.value)}
        />
        {failure ? (
          <div role="alert" className="rounded-lg bg-clay-soft px-4 py-3 text-[0.9375rem]">
            <p className="font-semibold text-clay">{failure.title}</p>
            <p>{failure.detail}</p>
          </div>
        ) : null}
        <Button look="primary" type="submit" className="w-full" disabled={busy}>
          {busy ? "Making the link…" : "Make a link"}
        </Button>
      </form>
      {failure?.wayOut === "invite" ? <InviteForm onTaken={() => void create()} /> : null}
    </>
  );
};

const roles = [
  ["writer", "Write", "Read and change notes"],
  ["reader", "Read", "See notes, change nothing"],
] as const;
