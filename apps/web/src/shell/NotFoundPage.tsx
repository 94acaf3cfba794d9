import { Link } from "@tanstack/react-router";
import { buttonClass } from "../ui/Button.tsx";
import { CairnMark } from "../ui/CairnMark.tsx";

export const NotFoundPage = () => (
  <main className="mx-auto flex min-h-full max-w-xl flex-col justify-center px-6 py-16">
    <CairnMark className="size-12 text-line-strong" />
    <h1 className="mt-5 font-serif text-2xl font-semibold">No path leads here</h1>
    <p className="mt-2 text-ink-soft">
      This address is not a page of the notebook. It may have been cut short on its way to you.
    </p>
    <div className="mt-5">
      <Link to="/" className={buttonClass("primary")}>
        Go to your notes
      </Link>
    </div>
  </main>
);
