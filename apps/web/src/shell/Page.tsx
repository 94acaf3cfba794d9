import { Link } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";
import { type ReactNode, useEffect } from "react";
import { iconButtonClass } from "../ui/Button.tsx";

/** A page beside the list that is not a note. */
export const Page = ({
  title,
  wide = false,
  children,
}: {
  title: string;
  /** For pages of several columns. */
  wide?: boolean;
  children: ReactNode;
}) => {
  useEffect(() => {
    document.title = `${title} - Cairn`;
    return () => {
      document.title = "Cairn";
    };
  }, [title]);
  return (
    <div
      className={`safe-top safe-bottom mx-auto w-full px-5 pt-2 pb-20 wide:px-10 ${wide ? "max-w-5xl wide:pt-10" : "max-w-2xl wide:pt-14"}`}
    >
      <Link to="/" aria-label="All notes" className={`${iconButtonClass} -ml-2 wide:hidden`}>
        <ArrowLeft className="size-5" aria-hidden="true" />
      </Link>
      <h1 className="mt-2 mb-6 font-serif text-[1.75rem] leading-tight font-semibold tracking-tight">{title}</h1>
      {children}
    </div>
  );
};

export const Section = ({
  title,
  description,
  children,
}: {
  title: string;
  description?: ReactNode;
  children?: ReactNode;
}) => (
  <section className="border-t border-line py-6 first-of-type:border-t-0 first-of-type:pt-0">
    <h2 className="font-semibold">{title}</h2>
    {description ? <p className="mt-1 text-[0.9375rem] leading-normal text-ink-soft">{description}</p> : null}
    {children ? <div className="mt-4">{children}</div> : null}
  </section>
);
