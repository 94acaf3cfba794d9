import { useCallback, useRef, useSyncExternalStore } from "react";

/**
 * Reads a value that a subscription delivers, as an external store of React. The subscription calls back at once with
 * the value of the moment, so the first render after the subscription is right.
 *
 * `subscribe` is part of the identity: memoise it, a new function subscribes anew.
 */
export const useLatest = <A>(subscribe: (deliver: (value: A) => void) => () => void, initial: A): A => {
  const latest = useRef<{ readonly source: unknown; readonly value: A } | undefined>(undefined);
  const listen = useCallback(
    (notify: () => void) =>
      subscribe((value) => {
        latest.current = { source: subscribe, value };
        notify();
      }),
    [subscribe],
  );
  const read = useCallback(
    () => (latest.current?.source === subscribe ? latest.current.value : initial),
    [subscribe, initial],
  );
  return useSyncExternalStore(listen, read, read);
};
