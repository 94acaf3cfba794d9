// First, so that the engine's worker starts before React is even evaluated.
import { firstLook } from "./boot/engine-worker.ts";
import { CSPProvider } from "@base-ui/react/csp-provider";
import { RouterProvider } from "@tanstack/react-router";
import { lazy, StrictMode, Suspense } from "react";
import { createRoot } from "react-dom/client";
import "./styles.css";
import { CairnProvider } from "./notebook/hooks.ts";
import { startAppUpdates } from "./offline/app-updates.ts";
import { router } from "./routes.tsx";
import "./shell/theme.ts";
import { ErrorBoundary } from "./shell/ErrorBoundary.tsx";

// Loaded after the first paint: neither the client with its WebAssembly nor the toasts are needed for it.
const openNotebook = async () => (await import("./notebook/open-notebook.ts")).openNotebook();
const Toasts = lazy(() => import("./ui/Toasts.tsx").then((module) => ({ default: module.Toasts })));

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <ErrorBoundary>
      <CSPProvider disableStyleElements>
        <CairnProvider open={openNotebook} firstLook={firstLook}>
          <RouterProvider router={router} />
        </CairnProvider>
        <Suspense fallback={null}>
          <Toasts />
        </Suspense>
      </CSPProvider>
    </ErrorBoundary>
  </StrictMode>,
);

void startAppUpdates();
