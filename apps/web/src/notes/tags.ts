import { useMemo } from "react";
import { useQuery } from "../notebook/hooks.ts";

/** All tags of the notebook, those on most notes first. */
export const useTags = (): ReadonlyArray<string> => {
  const rows = useQuery("note", allNotes);
  return useMemo(() => {
    const counts = new Map<string, number>();
    for (const row of rows ?? []) for (const tag of row.fields.tags) counts.set(tag, (counts.get(tag) ?? 0) + 1);
    return [...counts].toSorted(([a, m], [b, n]) => n - m || a.localeCompare(b)).map(([tag]) => tag);
  }, [rows]);
};

const allNotes = { sort: "updated" } as const;
