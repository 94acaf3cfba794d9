import type { ComponentProps, ReactNode } from "react";

type Look = "primary" | "outline" | "quiet" | "danger";

const looks: Record<Look, string> = {
  primary: "bg-moss text-on-moss hover:bg-moss-strong",
  outline: "border border-line-strong bg-raised text-ink hover:bg-hover",
  quiet: "text-ink-soft hover:bg-hover hover:text-ink",
  danger: "bg-clay text-on-clay hover:brightness-110",
};

const base =
  "inline-flex items-center justify-center gap-2 rounded-lg text-[0.9375rem] font-medium whitespace-nowrap select-none transition-colors disabled:opacity-55 disabled:pointer-events-none";

/** Touch screens get targets of 44 px whatever the size looks like on a desktop. */
const sizes = {
  regular: "min-h-10 px-4 pointer-coarse:min-h-11",
  small: "min-h-8 px-3 text-sm pointer-coarse:min-h-11",
};

export const buttonClass = (look: Look = "outline", size: keyof typeof sizes = "regular"): string =>
  `${base} ${looks[look]} ${sizes[size]}`;

export interface ButtonProps extends ComponentProps<"button"> {
  look?: Look;
  size?: keyof typeof sizes;
  icon?: ReactNode;
}

export const Button = ({ look, size, icon, children, className = "", type = "button", ...rest }: ButtonProps) => (
  <button type={type} className={`${buttonClass(look, size)} ${className}`} {...rest}>
    {icon}
    {children}
  </button>
);

export const iconButtonClass =
  "inline-grid size-9 shrink-0 place-items-center rounded-lg text-ink-soft transition-colors hover:bg-hover hover:text-ink disabled:opacity-50 disabled:pointer-events-none aria-expanded:bg-hover aria-expanded:text-ink aria-pressed:bg-moss-soft aria-pressed:text-moss-strong pointer-coarse:size-11";

export interface IconButtonProps extends ComponentProps<"button"> {
  /** Says what the button does; read aloud and shown as a tooltip. */
  label: string;
  /** A keyboard shortcut, shown in the tooltip only. */
  shortcut?: string;
}

export const IconButton = ({
  label,
  shortcut,
  className = "",
  type = "button",
  children,
  ...rest
}: IconButtonProps) => (
  <button
    type={type}
    aria-label={label}
    title={shortcut ? `${label} (${shortcut})` : label}
    className={`${iconButtonClass} ${className}`}
    {...rest}
  >
    {children}
  </button>
);
