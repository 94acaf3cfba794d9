import type { Cairn, DeadLetter, OutboxState, StorageState, SyncState, Workspace } from "@cairn/client";
import type { DocumentSchema } from "@cairn/schema";
import { useCallback } from "react";
import { useLatest } from "./store.ts";

/** How safe the workspace's edits are, live; undefined while there is no workspace. */
export const useSync = <S extends DocumentSchema>(workspace: Workspace<S> | undefined): SyncState | undefined =>
  useLatest<SyncState | undefined>(
    useCallback((deliver) => workspace?.onSync(deliver) ?? nothing, [workspace]),
    undefined,
  );

/** What waits to reach the server: depth, bytes, age, states, per document; undefined while there is no workspace. */
export const useOutbox = <S extends DocumentSchema>(workspace: Workspace<S> | undefined): OutboxState | undefined =>
  useLatest<OutboxState | undefined>(
    useCallback((deliver) => workspace?.onOutbox(deliver) ?? nothing, [workspace]),
    undefined,
  );

/** Edits that were refused for good and wait for a person's decision, live; undefined until they are known. */
export const useDeadLetters = <S extends DocumentSchema>(
  workspace: Workspace<S> | undefined,
): ReadonlyArray<DeadLetter> | undefined =>
  useLatest<ReadonlyArray<DeadLetter> | undefined>(
    useCallback((deliver) => workspace?.onDeadLetters(deliver) ?? nothing, [workspace]),
    undefined,
  );

/** How the device's storage is, live; undefined until the client is ready. */
export const useStorage = <S extends DocumentSchema>(cairn: Cairn<S> | undefined): StorageState | undefined =>
  useLatest<StorageState | undefined>(
    useCallback((deliver) => cairn?.onStorage(deliver) ?? nothing, [cairn]),
    undefined,
  );

const nothing = (): void => undefined;
