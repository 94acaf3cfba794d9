import type { Notebook } from "../notebook/hooks.ts";
import { type DescribedSync, makeDescribedSync } from "./calm-description.ts";
import { describeSync } from "./describe-sync.ts";
import { localSaves } from "./local-saves.ts";

const stores = new WeakMap<Notebook, DescribedSync>();

/** One for each notebook, however many places show it. */
export const describedSync = (notebook: Notebook): DescribedSync => {
  const known = stores.get(notebook);
  if (known !== undefined) return known;
  const made = makeDescribedSync({
    onSync: (changed) => notebook.onSync(() => changed()),
    onSaves: localSaves.subscribe,
    describe: () => ({
      saved: localSaves.get().saved,
      description: describeSync(notebook.sync(), localSaves.get(), Date.now()),
    }),
  });
  stores.set(notebook, made);
  return made;
};
