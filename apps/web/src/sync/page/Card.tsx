import { type ReactNode, useId } from "react";

/** A part of the sync page. */
export const Card = ({
  title,
  aside,
  children,
  className = "",
}: {
  title: string;
  aside?: ReactNode;
  children: ReactNode;
  className?: string;
}) => {
  const id = useId();
  return (
    <section aria-labelledby={id} className={`rounded-2xl border border-line bg-raised p-4 sm:p-5 ${className}`}>
      <header className="mb-3 flex items-baseline justify-between gap-3">
        <h2 id={id} className="font-semibold">
          {title}
        </h2>
        {aside ? <span className="text-sm text-ink-soft">{aside}</span> : null}
      </header>
      {children}
    </section>
  );
};

const tones = {
  good: "bg-moss-soft text-moss-strong",
  busy: "bg-hover text-ink-soft",
  waiting: "bg-amber-soft text-amber",
  problem: "bg-clay-soft text-clay",
} as const;

/** A state in a word. */
export const Badge = ({ tone, children }: { tone: keyof typeof tones; children: ReactNode }) => (
  <span
    className={`inline-flex shrink-0 items-center rounded-full px-2 py-0.5 text-[0.8125rem] font-medium ${tones[tone]}`}
  >
    {children}
  </span>
);
