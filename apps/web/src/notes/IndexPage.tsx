import { useQuery } from "../notebook/hooks.ts";
import { keysLabel } from "../shell/shortcuts.ts";
import { useWide } from "../shell/use-wide.ts";
import { CairnMark } from "../ui/CairnMark.tsx";
import { Composer } from "./Composer.tsx";
import { Welcome } from "./Welcome.tsx";

/** Beside the list on a desktop, while no note is open. On a phone the list itself is the page. */
export const IndexPage = () => {
  const wide = useWide();
  const notes = useQuery("note", anyNote);
  if (!wide) return null;
  if (notes && notes.length === 0) return <Welcome />;
  return (
    <div className="mx-auto flex min-h-full w-full max-w-xl flex-col justify-center px-8 py-16">
      <CairnMark className="size-12 text-line-strong" />
      <h1 className="mt-5 font-serif text-2xl font-semibold">Choose a note, or begin one</h1>
      <Composer />
      <p className="mt-4 text-sm text-ink-soft">
        {keysLabel("Mod+K")} searches, {keysLabel("Mod+/")} shows all shortcuts.
      </p>
    </div>
  );
};

const anyNote = { limit: 1 } as const;
