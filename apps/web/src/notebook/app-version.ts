import type { AppOutdated, SyncState } from "@cairn/client";
import { useSync } from "@cairn/react";
import { plural } from "./format.ts";
import { useWorkspace } from "./hooks.ts";

/** Set while the notebook on screen asks for a newer version of the app than this page's. */
export const useAppOutdated = (): AppOutdated | undefined => useSync(useWorkspace())?.appOutdated;

/** Whether this device, with this version of the app, may write in the notebook on screen. */
export const useMayWrite = (): boolean => {
  const workspace = useWorkspace();
  const outdated = useAppOutdated();
  return workspace !== undefined && workspace.info().role !== "reader" && outdated === undefined;
};

/** Where that is what was written here before the notebook asked for a newer app. */
export const whatWasWritten = ({ pendingDocuments, parked, status }: SyncState): string => {
  if (pendingDocuments > 0) {
    const waiting = `What you wrote here before is kept: ${plural(pendingDocuments, "note")} `;
    return status === "syncing" || status === "up-to-date"
      ? `${waiting}${pendingDocuments === 1 ? "is" : "are"} still being sent.`
      : `${waiting}${pendingDocuments === 1 ? "goes" : "go"} out as soon as the server can be reached.`;
  }
  return parked > 0 ? "What you wrote here before is kept." : "What you wrote here before has been sent.";
};
