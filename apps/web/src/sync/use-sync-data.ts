import type { DeadLetter, OutboxState, StorageState, UpdateState } from "@cairn/client";
import { useCallback, useRef, useSyncExternalStore } from "react";
import { type Notebook, useCairn } from "../notebook/hooks.ts";

type Subscribe<A> = (deliver: (value: A) => void) => () => void;

/** The latest value of a subscription that calls back at once. A new function subscribes anew: memoise it. */
const useLatest = <A>(subscribe: Subscribe<A>): A | undefined => {
  const latest = useRef<{ readonly of: unknown; readonly value: A } | undefined>(undefined);
  const listen = useCallback(
    (changed: () => void) =>
      subscribe((value) => {
        latest.current = { of: subscribe, value };
        changed();
      }),
    [subscribe],
  );
  const read = (): A | undefined => (latest.current?.of === subscribe ? latest.current?.value : undefined);
  return useSyncExternalStore(listen, read, read);
};

const nothing = (): void => undefined;

/** The outbox of the notebook on screen, live. */
export const useOutbox = (notebook: Notebook | undefined): OutboxState | undefined =>
  useLatest<OutboxState>(useCallback((deliver) => notebook?.onOutbox(deliver) ?? nothing, [notebook]));

export const useDeadLetters = (notebook: Notebook | undefined): ReadonlyArray<DeadLetter> | undefined =>
  useLatest<ReadonlyArray<DeadLetter>>(
    useCallback((deliver) => notebook?.onDeadLetters(deliver) ?? nothing, [notebook]),
  );

export const useStorage = (): StorageState | undefined => {
  const state = useCairn();
  const cairn = state.status === "ready" ? state.cairn : undefined;
  return useLatest<StorageState>(useCallback((deliver) => cairn?.onStorage(deliver) ?? nothing, [cairn]));
};

/** How this tab's version stands to those of the other tabs. */
export const useUpdate = (): UpdateState | undefined => {
  const state = useCairn();
  const cairn = state.status === "ready" ? state.cairn : undefined;
  return useLatest<UpdateState>(useCallback((deliver) => cairn?.onUpdate(deliver) ?? nothing, [cairn]));
};
