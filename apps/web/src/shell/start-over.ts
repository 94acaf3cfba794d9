import { useEffect } from "react";
import { useCairn } from "../notebook/hooks.ts";

/** Begins again at the list where the notebook on screen was taken off this device, in this tab or another. */
export const useStartOver = (): void => {
  const state = useCairn();
  useEffect(() => {
    if (state.status !== "ready") return undefined;
    const { cairn, workspace } = state;
    return cairn.onWorkspaces((workspaces) => {
      if (workspaces.every(({ id }) => id !== workspace.id)) location.assign("/");
    });
  }, [state]);
};
