import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet } from "@tanstack/react-router";
import { IndexPage } from "./notes/IndexPage.tsx";
import { NotePage } from "./notes/NotePage.tsx";
import { AppShell } from "./shell/AppShell.tsx";
import { ErrorScreen } from "./shell/ErrorScreen.tsx";
import { NotFoundPage } from "./shell/NotFoundPage.tsx";

/*
 * Addresses carry ids and nothing else. A search, a tag or a title would be content, and an address is sent to the
 * server on a reload and kept in the browser's history.
 */

const rootRoute = createRootRoute({ component: Outlet, notFoundComponent: NotFoundPage });

const shellRoute = createRoute({ getParentRoute: () => rootRoute, id: "shell", component: AppShell });
const indexRoute = createRoute({ getParentRoute: () => shellRoute, path: "/", component: IndexPage });
const noteRoute = createRoute({ getParentRoute: () => shellRoute, path: "/note/$noteId", component: NotePage });
const settingsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/settings",
  component: lazyRouteComponent(() => import("./settings/SettingsPage.tsx"), "SettingsPage"),
});
const syncRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/sync",
  component: lazyRouteComponent(() => import("./sync/page/SyncPage.tsx"), "SyncPage"),
});
const deletedRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/deleted",
  component: lazyRouteComponent(() => import("./notes/DeletedPage.tsx"), "DeletedPage"),
});
const joinRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/join",
  component: lazyRouteComponent(() => import("./share/JoinPage.tsx"), "JoinPage"),
});

export const router = createRouter({
  routeTree: rootRoute.addChildren([
    shellRoute.addChildren([indexRoute, noteRoute, syncRoute, settingsRoute, deletedRoute]),
    joinRoute,
  ]),
  defaultErrorComponent: ErrorScreen,
  scrollRestoration: false,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
