/** Which open notes have edits that are not yet durable on this device: milliseconds, normally. */
const unsaved = new Set<string>();
const listeners = new Set<() => void>();

const announce = (): void => {
  for (const listener of listeners) listener();
};

export const localSaves = {
  set: (note: string, saved: boolean): void => {
    if (saved === !unsaved.has(note)) return;
    if (saved) unsaved.delete(note);
    else unsaved.add(note);
    announce();
  },
  allSaved: (): boolean => unsaved.size === 0,
  subscribe: (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

// Leaving in the middle of a save is the one moment to ask.
addEventListener("beforeunload", (event) => {
  if (unsaved.size > 0) event.preventDefault();
});
