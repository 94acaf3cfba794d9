import { useQuery } from "../notebook/hooks.ts";
import { keysLabel } from "../shell/shortcuts.ts";
import { useWide } from "../shell/use-wide.ts";
import { CairnMark } from "../ui/CairnMark.tsx";
import { Composer } from "./Composer.tsx";
import { WelcomeHeading, WelcomePoints } from "./Welcome.tsx";

/** Beside the list on a desktop, while no note is open. On a phone the list itself is the page. */
export const IndexPage = () => {
  const wide = useWide();
  const notes = useQuery("note", anyNote);
  if (!wide) return null;
  const empty = notes !== undefined && notes.length === 0;
  // One tree for both, so that the composer stays the same while the list is still being read: what is typed meanwhile,
  // and where the cursor is, must not go.
  return (
    <div
      className={
        empty
          ? "mx-auto w-full max-w-xl px-3 py-6 wide:px-8 wide:py-16"
          : "mx-auto flex min-h-full w-full max-w-xl flex-col justify-center px-8 py-16"
      }
    >
      {empty ? <WelcomeHeading /> : <ChooseHeading />}
      <Composer key="composer" />
      {empty ? (
        <WelcomePoints />
      ) : (
        <p className="mt-4 text-sm text-ink-soft">
          {keysLabel("Mod+K")} searches, {keysLabel("Mod+/")} shows all shortcuts.
        </p>
      )}
    </div>
  );
};

const ChooseHeading = () => (
  <>
    <CairnMark className="size-12 text-line-strong" />
    <h1 className="mt-5 font-serif text-2xl font-semibold">Choose a note, or begin one</h1>
  </>
);

const anyNote = { limit: 1 } as const;
