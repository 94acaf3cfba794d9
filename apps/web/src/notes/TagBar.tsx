import { Archive } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { useQuery } from "../notebook/hooks.ts";
import { anyArchived } from "../notebook/note-fields.ts";
import { useListFilter } from "../notebook/view-state.tsx";
import { useTags } from "./tags.ts";

/** Filters the list by one tag, and leads to what was archived. */
export const TagBar = () => {
  const tags = useTags();
  // Its room is kept, so that the list does not move when it comes.
  const [isExpected] = useState(wasShown);
  if (tags !== undefined) return <Filters tags={tags} />;
  return isExpected ? <div className="h-9.5 shrink-0 pointer-coarse:h-12" aria-hidden="true" /> : null;
};

const Filters = ({ tags }: { tags: ReadonlyArray<string> }) => {
  const { tag: chosen, archive, setTag, setArchive } = useListFilter();
  const hasArchive = (useQuery("note", anyArchived)?.length ?? 0) > 0;
  const shown = chosen !== undefined && !tags.includes(chosen) ? [chosen, ...tags] : tags;
  const isShown = shown.length > 0 || hasArchive || archive;
  useEffect(() => rememberShown(isShown), [isShown]);
  if (!isShown) return null;
  return (
    <fieldset
      aria-label="Filter the list"
      className="flex min-w-0 shrink-0 gap-1.5 overflow-x-auto px-3 pt-0.5 pb-2 pointer-coarse:py-2 [scrollbar-width:none] [&::-webkit-scrollbar]:hidden"
    >
      {hasArchive || archive ? (
        <Chip active={archive} onToggle={() => setArchive(!archive)}>
          <Archive className="size-3.5" aria-hidden="true" />
          Archive
        </Chip>
      ) : null}
      {shown.map((tag) => (
        <Chip key={tag} active={tag === chosen} onToggle={() => setTag(tag === chosen ? undefined : tag)}>
          #{tag}
        </Chip>
      ))}
    </fieldset>
  );
};

const Chip = ({ active, onToggle, children }: { active: boolean; onToggle: () => void; children: ReactNode }) => (
  <button
    type="button"
    aria-pressed={active}
    className={`inline-flex min-h-7 shrink-0 items-center gap-1.5 rounded-full px-2.5 text-[0.8438rem] font-medium -outline-offset-2 relative pointer-coarse:min-h-8 pointer-coarse:px-3.5 pointer-coarse:after:absolute pointer-coarse:after:-inset-y-1.5 pointer-coarse:after:inset-x-0 ${
      active ? "bg-moss text-on-moss" : "bg-hover text-ink-soft hover:text-ink"
    }`}
    onClick={onToggle}
  >
    {children}
  </button>
);

const shownKey = "cairn.filters-shown";

/** Whether there was anything to filter by, and nothing more: tags are content. */
const wasShown = (): boolean => {
  try {
    return localStorage.getItem(shownKey) === "yes";
  } catch {
    return false;
  }
};

const rememberShown = (isShown: boolean): void => {
  try {
    localStorage.setItem(shownKey, isShown ? "yes" : "no");
  } catch {
    // Forbidden here: then room is made when it comes.
  }
};
