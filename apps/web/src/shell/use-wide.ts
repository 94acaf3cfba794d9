import { useSyncExternalStore } from "react";

/** The same bound as the style sheet's `wide` breakpoint. */
const query = matchMedia("(min-width: 56rem)");

/** Whether list and page stand side by side. For what exists once on the page; mere looks are left to the style sheet. */
export const useWide = (): boolean =>
  useSyncExternalStore(
    (listener) => {
      query.addEventListener("change", listener);
      return () => query.removeEventListener("change", listener);
    },
    () => query.matches,
  );
