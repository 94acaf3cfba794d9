import type { SyncState } from "@cairn/client";
import { useCallback, useSyncExternalStore } from "react";
import { plural } from "./format.ts";
import { useWorkspace } from "./hooks.ts";

/** Whether this device, with this version of the app, may write in the notebook on screen. */
export const useMayWrite = (): boolean => {
  const workspace = useWorkspace();
  const subscribe = useCallback((changed: () => void) => workspace?.onSync(() => changed()) ?? nothing, [workspace]);
  // Renders again when the answer changes, and not with every state of the synchronisation.
  const read = (): boolean =>
    workspace !== undefined && workspace.info().role !== "reader" && workspace.sync().appOutdated === undefined;
  return useSyncExternalStore(subscribe, read, read);
};

const nothing = (): void => undefined;

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
