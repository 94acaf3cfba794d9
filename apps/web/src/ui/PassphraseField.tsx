import { type ReactNode, useId, useState } from "react";
import { Button } from "./Button.tsx";
import { inputClass } from "./Field.tsx";

export interface PassphraseFieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  hint?: ReactNode;
  /** Says what is wrong with it. */
  problem?: string | undefined;
  autoComplete: "new-password" | "off";
  disabled?: boolean;
}

/** A passphrase is typed blind by default, and can be looked at: one with a slip of the finger opens nothing. */
export const PassphraseField = (props: PassphraseFieldProps) => {
  const { label, value, onChange, hint, problem, autoComplete, disabled = false } = props;
  const id = useId();
  const [shown, setShown] = useState(false);
  const described = [hint ? `${id}-hint` : "", problem ? `${id}-problem` : ""].filter(Boolean).join(" ");
  return (
    <div>
      <label htmlFor={id} className="mb-1 block text-sm font-medium">
        {label}
      </label>
      <div className="flex gap-2">
        <input
          id={id}
          type={shown ? "text" : "password"}
          className={inputClass}
          value={value}
          autoComplete={autoComplete}
          autoCapitalize="none"
          spellCheck={false}
          disabled={disabled}
          aria-invalid={problem !== undefined}
          {...(described === "" ? {} : { "aria-describedby": described })}
          onChange={(event) => onChange(event.target.value)}
        />
        <Button aria-pressed={shown} aria-label="Show what is typed" onClick={() => setShown(!shown)}>
          Show
        </Button>
      </div>
      {hint ? (
        <p id={`${id}-hint`} className="mt-1 text-sm text-ink-soft">
          {hint}
        </p>
      ) : null}
      {problem ? (
        <p id={`${id}-problem`} role="alert" className="mt-1 text-sm text-clay">
          {problem}
        </p>
      ) : null}
    </div>
  );
};
