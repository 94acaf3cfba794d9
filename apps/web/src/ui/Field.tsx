import { useId, type ComponentProps, type ReactNode } from "react";

export const inputClass =
  "w-full min-h-10 rounded-lg border border-line-strong bg-paper px-3 text-[0.9375rem] text-ink placeholder:text-ink-faint pointer-coarse:min-h-11 pointer-coarse:text-base";

export interface FieldProps extends Omit<ComponentProps<"input">, "id"> {
  label: string;
  hint?: ReactNode;
}

export const Field = ({ label, hint, className = "", ...rest }: FieldProps) => {
  const id = useId();
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1 block text-sm font-medium">
        {label}
      </label>
      <input id={id} className={inputClass} {...(hint ? { "aria-describedby": `${id}-hint` } : {})} {...rest} />
      {hint ? (
        <p id={`${id}-hint`} className="mt-1 text-sm text-ink-soft">
          {hint}
        </p>
      ) : null}
    </div>
  );
};

export interface SelectProps extends Omit<ComponentProps<"select">, "id" | "onChange"> {
  label: string;
  onChange: (value: string) => void;
  options: ReadonlyArray<{ readonly value: string; readonly label: string }>;
}

/** The platform's own select: the best one on a phone. */
export const Select = ({ label, options, onChange, className = "", ...rest }: SelectProps) => {
  const id = useId();
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1 block text-sm font-medium">
        {label}
      </label>
      <select id={id} className={inputClass} onChange={(event) => onChange(event.target.value)} {...rest}>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </div>
  );
};
