import type { StorageProblem } from "@cairn/client";
import { HardDrive, RefreshCw } from "lucide-react";
import { useState } from "react";
import { explainCode } from "../notebook/explain.ts";
import { useCairn } from "../notebook/hooks.ts";
import { startAnew } from "../notebook/open-anew.ts";
import { useStorage, useUpdate } from "../sync/use-sync-data.ts";
import { Button } from "../ui/Button.tsx";
import { notify } from "../ui/notices.ts";

/** What is wrong with this device's storage, and a newer version in another tab: above everything, never in the way. */
export const HealthBanner = () => {
  const problem = useStorage()?.problem;
  const update = useUpdate();
  const [hidden, setHidden] = useState(hiddenBefore);
  const hide = (code: string): void => {
    setHidden(code);
    // What the browser will not promise is said once; what gets worse is said again.
    if (code === "storage-not-kept") localStorage.setItem(hiddenKey, code);
  };
  return (
    <>
      {problem && hidden !== problem.code ? (
        <section
          aria-label="Storage"
          className={`border-b border-line px-4 py-2.5 wide:px-6 ${isMild(problem) ? "bg-amber-soft" : "bg-clay-soft"}`}
        >
          <StorageProblemView
            problem={problem}
            {...(problem.action === "stop" ? {} : { onHide: () => hide(problem.code) })}
          />
        </section>
      ) : null}
      {update?.status === "outdated" ? (
        <section
          aria-label="Version"
          className="flex flex-wrap items-center gap-x-3 gap-y-2 border-b border-line bg-amber-soft px-4 py-2.5 text-[0.9375rem] wide:px-6"
        >
          <RefreshCw className="size-4 shrink-0 text-amber" aria-hidden="true" />
          <output className="min-w-48 flex-1">
            A newer version of Cairn runs in another tab and talks to the server. What you write here is saved.
          </output>
          <Button size="small" onClick={() => location.reload()}>
            Reload to update
          </Button>
        </section>
      ) : null}
    </>
  );
};

const hiddenKey = "cairn.hidden-notice";
const hiddenBefore = (): string => {
  try {
    return localStorage.getItem(hiddenKey) ?? "";
  } catch {
    return "";
  }
};

/** Nothing is lost or refused yet. */
const isMild = ({ remedy }: StorageProblem): boolean => remedy === "keep" || remedy === "wait";

/** A storage problem with the button that helps. */
export const StorageProblemView = ({
  className = "",
  onHide,
  problem,
}: {
  problem: StorageProblem;
  className?: string;
  onHide?: () => void;
}) => {
  const { detail, title } = explainCode(problem.code, problem.message);
  const colour = isMild(problem) ? "text-amber" : "text-clay";
  return (
    <div role="alert" className={`flex flex-wrap items-center gap-x-3 gap-y-2 text-[0.9375rem] ${className}`}>
      <HardDrive className={`size-4 shrink-0 ${colour}`} aria-hidden="true" />
      <p className="min-w-48 flex-1">
        <span className={`font-semibold ${colour}`}>{title}.</span> {detail}
      </p>
      <Remedy remedy={problem.remedy} />
      {onHide ? (
        <Button size="small" look="quiet" onClick={onHide}>
          Hide
        </Button>
      ) : null}
    </div>
  );
};

const Remedy = ({ remedy }: { remedy: StorageProblem["remedy"] }) => {
  const state = useCairn();
  switch (remedy) {
    case "keep":
      return (
        <Button
          size="small"
          onClick={() => {
            if (state.status !== "ready") return;
            void state.cairn.keepStorage().then(({ keeping }) =>
              notify(
                keeping === "kept"
                  ? { title: "The browser will keep your notes" }
                  : {
                      title: "The browser did not agree yet",
                      detail: "Installing Cairn as an app usually convinces it.",
                    },
              ),
            );
          }}
        >
          Keep my notes
        </Button>
      );
    case "close-tabs":
    case "reload":
      return (
        <Button size="small" onClick={() => location.reload()}>
          Reload
        </Button>
      );
    case "start-anew":
      return (
        <Button size="small" onClick={startAnew}>
          Start anew
        </Button>
      );
    // What helps is outside of the page, and the words say it.
    case "free-space":
    case "restart":
    case "wait":
      return null;
  }
};
