/** How the page sees its storage: what the platform says, and what the engine's store runs into, as one live state. */
import type { StorageState } from "../api.ts";
import type { Unsubscribe } from "../subscription.ts";
import type { EngineApi } from "../engine/EngineApi.ts";
import { isSameStorage, type PlatformStorage, storageStateOf } from "./storage-problems.ts";

export interface StorageConnection {
  readonly current: () => Promise<StorageState>;
  /** Calls back with the state, and on every change. */
  readonly subscribe: (callback: (state: StorageState) => void) => Unsubscribe;
  /** Asks the platform to keep the data. */
  readonly keep: () => Promise<StorageState>;
}

/** The platform's side. */
export interface StoragePlatform {
  readonly read: () => Promise<PlatformStorage>;
  readonly keep: () => Promise<void>;
}

/** Nobody tells when room changes, so it is looked at this often while somebody listens. Milliseconds. */
const LOOK_EVERY = 30_000;

/** Joins both sides. Looks at the platform while somebody listens. */
export const makeStorageConnection = (engine: EngineApi, platform: StoragePlatform): StorageConnection => {
  const listeners = new Set<(state: StorageState) => void>();
  let shown: StorageState | undefined;
  let timer: ReturnType<typeof setInterval> | undefined;
  let stopEvents: Unsubscribe = () => undefined;

  const current = async (): Promise<StorageState> => {
    const [read, trouble] = await Promise.all([platform.read(), engine.storageTrouble()]);
    const now = storageStateOf(read, trouble, Date.now());
    // The same problem as before is as old as it was.
    return shown?.problem !== undefined && shown.problem.code === now.problem?.code
      ? { ...now, problem: { ...now.problem, since: Math.min(shown.problem.since, now.problem.since) } }
      : now;
  };
  const look = (): void => {
    void current().then(
      (state) => {
        const changed = shown === undefined || !isSameStorage(shown, state);
        shown = state;
        if (changed) for (const listener of listeners) listener(state);
      },
      // The engine is gone; whatever the page does next says so.
      () => undefined,
    );
  };

  return {
    current,
    subscribe: (callback) => {
      const listener = (state: StorageState): void => callback(state);
      listeners.add(listener);
      if (listeners.size === 1) {
        timer = setInterval(look, LOOK_EVERY);
        stopEvents = engine.subscribe((event) => {
          if (event.type === "storage") look();
        });
      }
      if (shown !== undefined) callback(shown);
      look();
      return () => {
        if (!listeners.delete(listener) || listeners.size > 0) return;
        clearInterval(timer);
        stopEvents();
        shown = undefined;
      };
    },
    keep: async () => {
      await platform.keep();
      look();
      return current();
    },
  };
};
