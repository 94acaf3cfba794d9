import type { SyncState, Workspace } from "@cairn/client";
import type { DocumentSchema } from "@cairn/schema";
import { useCallback } from "react";
import { useLatest } from "./store.ts";

/** How safe the workspace's edits are, live; undefined while there is no workspace. */
export const useSyncState = <S extends DocumentSchema>(workspace: Workspace<S> | undefined): SyncState | undefined =>
  useLatest<SyncState | undefined>(
    useCallback((deliver) => workspace?.onSync(deliver) ?? nothing, [workspace]),
    undefined,
  );

const nothing = (): void => undefined;
