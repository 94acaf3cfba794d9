import { useListFilter } from "../notebook/view-state.tsx";
import { useTags } from "./tags.ts";

/** Filters the list by one tag. */
export const TagBar = () => {
  const tags = useTags();
  const { tag: chosen, setTag } = useListFilter();
  const shown = chosen !== undefined && !tags.includes(chosen) ? [chosen, ...tags] : tags;
  if (shown.length === 0) return null;
  return (
    <fieldset
      aria-label="Filter by tag"
      className="flex min-w-0 shrink-0 gap-1.5 overflow-x-auto px-3 pt-0.5 pb-2 pointer-coarse:py-2 [scrollbar-width:none] [&::-webkit-scrollbar]:hidden"
    >
      {shown.map((tag) => {
        const active = tag === chosen;
        return (
          <button
            key={tag}
            type="button"
            aria-pressed={active}
            className={`min-h-7 shrink-0 rounded-full px-2.5 text-[0.8438rem] font-medium -outline-offset-2 relative pointer-coarse:min-h-8 pointer-coarse:px-3.5 pointer-coarse:after:absolute pointer-coarse:after:-inset-y-1.5 pointer-coarse:after:inset-x-0 ${
              active ? "bg-moss text-on-moss" : "bg-hover text-ink-soft hover:text-ink"
            }`}
            onClick={() => setTag(active ? undefined : tag)}
          >
            #{tag}
          </button>
        );
      })}
    </fieldset>
  );
};
