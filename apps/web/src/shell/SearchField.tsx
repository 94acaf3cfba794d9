import { Search, X } from "lucide-react";
import { useListFilter } from "../notebook/view-state.tsx";

const fieldId = "note-search";

/** Puts the cursor into the search field. False where the field is not on screen. */
export const focusSearch = (): boolean => {
  const field = document.getElementById(fieldId);
  if (!(field instanceof HTMLInputElement) || field.offsetParent === null) return false;
  field.focus();
  field.select();
  return true;
};

export const SearchField = () => {
  const { search, setSearch } = useListFilter();
  return (
    <div className="relative">
      <Search
        className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-ink-faint"
        aria-hidden="true"
      />
      <label htmlFor={fieldId} className="sr-only">
        Search notes
      </label>
      <input
        id={fieldId}
        type="search"
        value={search}
        placeholder="Search"
        autoComplete="off"
        enterKeyHint="search"
        className="w-full min-h-9 rounded-lg border border-transparent bg-hover pr-9 pl-9 text-[0.9375rem] placeholder:text-ink-faint focus:border-line-strong focus:bg-paper pointer-coarse:min-h-11 pointer-coarse:text-base [&::-webkit-search-cancel-button]:hidden"
        onChange={(event) => setSearch(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape" && search !== "") {
            event.preventDefault();
            setSearch("");
          } else if (event.key === "ArrowDown" || event.key === "Enter") {
            const first = document.querySelector<HTMLElement>("[data-note-row]");
            if (!first) return;
            event.preventDefault();
            if (event.key === "Enter") first.click();
            else first.focus();
          }
        }}
      />
      {search === "" ? null : (
        <button
          type="button"
          aria-label="Clear the search"
          className="absolute top-1/2 right-1 grid size-7 -translate-y-1/2 place-items-center rounded-md text-ink-faint hover:text-ink pointer-coarse:size-10"
          onClick={() => {
            setSearch("");
            focusSearch();
          }}
        >
          <X className="size-4" aria-hidden="true" />
        </button>
      )}
    </div>
  );
};
