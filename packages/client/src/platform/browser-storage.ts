/**
 * What a browser says of its storage, and the memory of which database a profile has.
 *
 * That memory is outside of IndexedDB, in the origin's local storage, which browsers do not evict when room runs short. So a
 * database that was taken away is noticed, and no empty one is shown in its place (hazard 19). Clearing the site's data
 * takes both, as the person means it.
 */
import type { StorageState } from "../api.ts";
import type { StoragePlatform } from "./StorageConnection.ts";

const memoryOf = (profile: string): string => `cairn/v1/${profile}/database`;

/** The database that the profile had when it was opened last. */
export const rememberedDatabase = (profile: string): string | undefined => {
  try {
    return localStorage.getItem(memoryOf(profile)) ?? undefined;
  } catch {
    // Forbidden here: then nothing is remembered.
    return undefined;
  }
};

export const rememberDatabase = (profile: string, made: string): void => {
  try {
    localStorage.setItem(memoryOf(profile), made);
  } catch {
    // Forbidden or full: the next opening knows of no database, as before.
  }
};

export interface BrowserStorage extends StoragePlatform {
  /** Hears of every call of the engine that succeeded. */
  readonly called: (method: string) => void;
}

/**
 * Asks the browser not to evict the data, once there is something to lose: at the first stored edit or joined workspace.
 * Asked at the start, some browsers refuse for want of a reason, and some interrupt the person before they have done anything.
 */
export const makeBrowserStorage = (): BrowserStorage => {
  let asked = false;
  const isKept = (): Promise<boolean> => navigator.storage.persisted().catch(() => false);

  const keep = async (): Promise<void> => {
    asked = true;
    // Refusing is the browser's right; the state says how it stands.
    if (!(await isKept())) await navigator.storage.persist().catch(() => false);
  };

  return {
    read: async () => {
      const [kept, estimate] = await Promise.all([
        isKept(),
        navigator.storage.estimate().catch((): StorageEstimate => ({})),
      ]);
      const keeping: StorageState["keeping"] = kept ? "kept" : asked ? "refused" : "not-asked";
      return { keeping, usage: estimate.usage, quota: estimate.quota };
    },
    keep,
    called: (method) => {
      if (asked || (method !== "append" && method !== "join")) return;
      void keep();
    },
  };
};
