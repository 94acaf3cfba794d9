import { createContext, type ReactNode, useContext, useMemo, useState } from "react";

/**
 * What the list is filtered by. It lives in memory and never in the address: an address is sent to the server on a
 * reload and kept in the browser's history, and a search or a tag is content.
 */
export interface ListFilter {
  readonly search: string;
  readonly tag: string | undefined;
  /** Shows what was archived, and nothing else. */
  readonly archive: boolean;
  readonly setSearch: (search: string) => void;
  readonly setTag: (tag: string | undefined) => void;
  readonly setArchive: (archive: boolean) => void;
}

const Context = createContext<ListFilter | undefined>(undefined);

export const ListFilterProvider = ({ children }: { children: ReactNode }) => {
  const [search, setSearch] = useState("");
  const [tag, setTag] = useState<string | undefined>(undefined);
  const [archive, setArchive] = useState(false);
  const filter = useMemo(() => ({ search, tag, archive, setSearch, setTag, setArchive }), [search, tag, archive]);
  return <Context.Provider value={filter}>{children}</Context.Provider>;
};

/** For parts of the page that may stand outside of the list's frame. */
export const useListFilterIfAny = (): ListFilter | undefined => useContext(Context);

export const useListFilter = (): ListFilter => {
  const filter = useContext(Context);
  if (!filter) throw new Error("useListFilter is used outside of ListFilterProvider");
  return filter;
};
