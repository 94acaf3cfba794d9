import { useMemo } from "react";
import { useQuery } from "../notebook/hooks.ts";

/** A tag as it is stored: no leading `#`, single blanks, at most 40 characters. Empty if nothing is left. */
export const cleanTag = (input: string): string =>
  input.replace(/^#+/, "").replaceAll(/[\s,]+/g, " ").trim().slice(0, 40).trim();

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
