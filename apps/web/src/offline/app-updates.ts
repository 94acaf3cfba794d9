import { useSyncExternalStore } from "react";

/**
 * Registers the service worker and tells when a new build waits. Accepting it reloads every tab of the app; edits are
 * already durable on the device by then, because each one is stored as it is made.
 */

let waiting: ServiceWorker | undefined;
let accepted = false;
const listeners = new Set<() => void>();

const offer = (candidate: ServiceWorker | null | undefined): void => {
  // Without a controller this is the first installation: there is no older build to replace.
  if (!candidate || !navigator.serviceWorker.controller) return;
  waiting = candidate;
  for (const listener of listeners) listener();
};

/** The page's file for which it was reloaded last: once is enough, whatever the worker says. */
const RELOADED_FOR = "cairn-reloaded-for";

/**
 * A page that loads in the very moment in which a new build takes over has the older one's code, whose other files are gone. Its
 * worker says so; older workers say nothing.
 */
const leaveOtherBuild = async (): Promise<void> => {
  const { controller } = navigator.serviceWorker;
  if (controller === null) return;
  const { pathname } = new URL(import.meta.url);
  const isItsFile = await new Promise<unknown>((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener("message", ({ data }) => resolve(data), { once: true });
    port1.start();
    controller.postMessage(pathname, [port2]);
  });
  if (isItsFile !== false || sessionStorage.getItem(RELOADED_FOR) === pathname) return;
  sessionStorage.setItem(RELOADED_FOR, pathname);
  location.reload();
};

/** How often an open tab asks for a new build, besides each time it comes back to the foreground. */
const askEveryMs = 60 * 60 * 1000;

export const startAppUpdates = async (): Promise<void> => {
  if (!("serviceWorker" in navigator) || import.meta.env.DEV) return;
  const controlledAtStart = navigator.serviceWorker.controller !== null;
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    // Another tab accepted the new build: this tab's lazy chunks are gone with the old cache, so it must follow.
    if (controlledAtStart || accepted) location.reload();
  });
  void leaveOtherBuild();
  const registration = await navigator.serviceWorker
    .register("/sw.js", { updateViaCache: "none" })
    // A browser that forbids service workers runs the app as well, only not without a network.
    .catch(() => undefined);
  if (!registration) return;
  offer(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const installing = registration.installing;
    installing?.addEventListener("statechange", () => {
      if (installing.state === "installed") offer(installing);
    });
  });
  const ask = (): void => void registration.update().catch(() => undefined);
  setInterval(ask, askEveryMs);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") ask();
  });
};

/**
 * A build that has not taken over by then may be kept from it for minutes: Chromium tries it at once, again when a page
 * of the app loads, and gives up in between where a request has woken the older build's worker at that moment.
 */
const takesOverWithinMs = 3000;

/** Lets the waiting build take over; every tab reloads. */
export const acceptUpdate = (): void => {
  accepted = true;
  if (!waiting) return location.reload();
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker, not a window: it has no origin argument
  waiting.postMessage("take-over");
  setTimeout(() => location.reload(), takesOverWithinMs);
};

/** Looks for a newer build and lets it take over. False where there is none to be had now. */
export const updateNow = async (): Promise<boolean> => {
  // Without a service worker each load of the page brings the newest build.
  const controlled = "serviceWorker" in navigator && navigator.serviceWorker.controller !== null;
  if (controlled && !waiting) await findUpdate();
  if (controlled && !waiting) return false;
  acceptUpdate();
  return true;
};

const findUpdate = async (): Promise<void> => {
  const registration = await navigator.serviceWorker.getRegistration();
  // Offline, or the server does not answer: there is nothing newer to be had.
  await registration?.update().catch(() => undefined);
  const installing = registration?.installing;
  if (installing) {
    await new Promise<void>((resolve) => {
      const settled = (): void => {
        if (installing.state !== "installing") resolve();
      };
      installing.addEventListener("statechange", settled);
      settled();
    });
  }
  offer(registration?.waiting);
};

/** True once a new build waits to take over. */
export const useUpdateWaiting = (): boolean =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => waiting !== undefined,
    () => false,
  );
