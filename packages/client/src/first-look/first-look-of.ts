/** `@cairn/client/first-look`: the page's side, small enough for a page's first script. */
import type { FirstLook, LookedMessage } from "./FirstLook.ts";

export type { FirstLook } from "./FirstLook.ts";

const isLooked = (data: unknown): data is LookedMessage =>
  typeof data === "object" && data !== null && "type" in data && data.type === "looked";

/**
 * What the app's first lists (`firstLists`) hold, as a worker that was just started sees it before its engine is there.
 * Resolves with undefined where it cannot say; never where the worker does not load, or was not told to look.
 */
export const firstLookOf = (worker: Worker): Promise<FirstLook | undefined> =>
  new Promise((resolve) => {
    const listen = ({ data }: MessageEvent<unknown>): void => {
      if (!isLooked(data)) return;
      worker.removeEventListener("message", listen);
      resolve(data.look);
    };
    worker.addEventListener("message", listen);
  });
