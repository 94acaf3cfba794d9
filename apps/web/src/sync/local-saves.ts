import type { CairnError } from "@cairn/client";

/** How the open notes stand with this device's store. */
export interface LocalSaves {
  readonly saved: boolean;
  /** Why something cannot be stored right now. */
  readonly failure: CairnError | undefined;
}

const calm: LocalSaves = { saved: true, failure: undefined };

/** Open notes with edits that are not yet durable here: for milliseconds, normally. */
const unsaved = new Map<string, CairnError | undefined>();
const listeners = new Set<() => void>();
let current = calm;

export const localSaves = {
  set: (note: string, saved: boolean, failure?: CairnError): void => {
    if (saved) unsaved.delete(note);
    else unsaved.set(note, failure);
    const failing = [...unsaved.values()].find((one) => one !== undefined);
    if (current.saved === (unsaved.size === 0) && current.failure === failing) return;
    current = unsaved.size === 0 ? calm : { saved: false, failure: failing };
    for (const listener of listeners) listener();
  },
  get: (): LocalSaves => current,
  subscribe: (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

// Leaving in the middle of a save is the one moment to ask.
addEventListener("beforeunload", (event) => {
  if (!current.saved) event.preventDefault();
});
