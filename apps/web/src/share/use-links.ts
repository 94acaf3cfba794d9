import type { LinkInfo } from "@cairn/client";
import { useCallback, useEffect, useState } from "react";
import type { Notebook } from "../notebook/hooks.ts";

/** The notebook's links while the dialog is open; undefined until they are known. */
export const useLinks = (workspace: Notebook | undefined, open: boolean) => {
  const [links, setLinks] = useState<ReadonlyArray<LinkInfo> | undefined>(undefined);
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (!open || !workspace) return undefined;
    let current = true;
    workspace.links().then(
      (found) => current && setLinks(found),
      // Offline: making a link will say so; a list that is not known is not shown as empty.
      () => current && setLinks(undefined),
    );
    return () => {
      current = false;
    };
  }, [workspace, open, round]);
  return { links, reload: useCallback(() => setRound((before) => before + 1), []) };
};
