import { Menu } from "@base-ui/react/menu";
import type { ReactNode } from "react";

const itemClass =
  "flex min-h-9 cursor-default items-center gap-2.5 rounded-lg px-2.5 text-[0.9375rem] outline-none select-none data-highlighted:bg-hover data-disabled:opacity-50 pointer-coarse:min-h-11 [&_svg]:size-4 [&_svg]:shrink-0 [&_svg]:text-ink-faint";

export interface ActionProps {
  icon?: ReactNode;
  onSelect: () => void;
  disabled?: boolean;
  tone?: "danger";
  hint?: string;
  children: ReactNode;
}

export const Action = ({ icon, onSelect, disabled = false, tone, hint, children }: ActionProps) => (
  <Menu.Item
    className={`${itemClass} ${tone === "danger" ? "text-clay [&_svg]:text-clay" : ""}`}
    disabled={disabled}
    onClick={onSelect}
  >
    {icon}
    <span className="min-w-0 flex-1 truncate">{children}</span>
    {hint ? <span className="text-sm text-ink-faint">{hint}</span> : null}
  </Menu.Item>
);

export interface ChoiceProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  options: ReadonlyArray<{ readonly value: string; readonly label: string; readonly icon?: ReactNode }>;
}

/** One of several, inside a menu. */
export const Choice = ({ label, value, onChange, options }: ChoiceProps) => (
  <Menu.RadioGroup value={value} onValueChange={(next: unknown) => onChange(String(next))} aria-label={label}>
    {options.map((option) => (
      <Menu.RadioItem key={option.value} value={option.value} className={itemClass}>
        {option.icon}
        <span className="min-w-0 flex-1 truncate">{option.label}</span>
        <Menu.RadioItemIndicator className="size-2 rounded-full bg-moss" />
      </Menu.RadioItem>
    ))}
  </Menu.RadioGroup>
);

export const ActionSeparator = () => <Menu.Separator className="mx-1 my-1.5 h-px bg-line" />;

export const ActionHeading = ({ children }: { children: ReactNode }) => (
  <Menu.Group>
    <Menu.GroupLabel className="px-2.5 pt-1.5 pb-1 text-xs font-medium text-ink-faint">{children}</Menu.GroupLabel>
  </Menu.Group>
);
