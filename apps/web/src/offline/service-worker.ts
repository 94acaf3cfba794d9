import { createHandlerBoundToURL, precacheAndRoute } from "workbox-precaching";
import { NavigationRoute, registerRoute } from "workbox-routing";

/*
 * Keeps one whole build on the device, WebAssembly included, so that the notebook opens without a network.
 *
 * A new build is fetched in full beside the old one and then waits. It takes over when every tab is closed, or when the
 * person accepts it (`take-over`), after which every tab reloads. Until then each tab gets its own build's files, so
 * old and new code never run in one page.
 */

interface ServiceWorkerScope {
  skipWaiting(): Promise<void>;
  addEventListener(type: "install", listener: (event: Installation) => void): void;
  addEventListener(type: "message", listener: (event: ExtendableMessage) => void): void;
}
/** `InstallEvent` of the service worker's own library, with what not every browser has yet. */
interface Installation extends Event {
  waitUntil(work: Promise<void>): void;
  readonly addRoutes?: (
    rules: ReadonlyArray<{
      readonly condition: { readonly requestMethod?: string; readonly urlPattern?: string };
      readonly source: "network";
    }>,
  ) => Promise<void>;
}
/** `ExtendableMessageEvent` of the service worker's own library. */
interface ExtendableMessage extends MessageEvent<unknown> {
  waitUntil(work: Promise<void>): void;
}
// The project's type library is the page's, where `self` is a Window; in this file it is the worker.
// oxlint-disable-next-line no-unsafe-type-assertion
const worker = self as unknown as ServiceWorkerScope;

declare const __CAIRN_SHELL_FILES__: ReadonlyArray<{ readonly url: string; readonly revision: string | null }>;

const files = __CAIRN_SHELL_FILES__;

precacheAndRoute([...files], { cleanURLs: false, ignoreURLParametersMatching: [] });

// Paths that belong to the server; everything else that is navigated to is a page of the app.
registerRoute(
  new NavigationRoute(createHandlerBoundToURL("/index.html"), {
    denylist: [/^\/v\d+(\/|$)/, /^\/docs(\/|$)/, /^\/health/, /^\/ready/, /^\/openapi/, /^\/insecure\.html$/],
  }),
);

// What the server answers passes this worker by, where the browser can do that. Besides the detour, each such request would wake it
// up, and a new build cannot take over from one that is awake: Chromium waits for up to five minutes then.
worker.addEventListener("install", (event) => {
  const routes = event.addRoutes?.([
    { condition: { urlPattern: "/v1/*" }, source: "network" },
    { condition: { requestMethod: "POST" }, source: "network" },
  ]);
  if (routes) event.waitUntil(routes);
});

worker.addEventListener("message", (event) => {
  // The browser may stop an idle worker: it has to stay until it has taken over.
  if (event.data === "take-over") event.waitUntil(worker.skipWaiting());
  // A page asks whether a file that it was loaded with is of this build.
  const path = typeof event.data === "string" && event.data.startsWith("/") ? event.data : undefined;
  if (path !== undefined) event.ports[0]?.postMessage(files.some(({ url }) => url === path));
});
