import type { LinkInfo } from "@cairn/client";
import { useCallback, useEffect, useState } from "react";
import type { Notebook } from "../notebook/hooks.ts";

/** The notebook's links while the dialog is open; undefined until they are known. */
export const useLinks = (workspace: Notebook | undefined, open: boolean) => {
  const [links, setLinks] = useState<ReadonlyArray<LinkInfo> | undefined>(undefined);
  const load = useCallback(
    () =>
      workspace?.links().then(
        setLinks,
        // Offline: making a link will say so; a list that is not known is not shown as empty.
        () => setLinks(undefined),
      ),
    [workspace],
  );
  useEffect(() => {
    if (open) void load();
  }, [open, load]);
  return { links, reload: () => void load() };
};
