import { RefreshCw } from "lucide-react";
import { useEffect, useState } from "react";
import { acceptUpdate, useUpdateWaiting } from "../offline/app-updates.ts";
import { Button } from "../ui/Button.tsx";

/** A build that has not taken over by then may be kept from it for minutes. */
const TAKES_OVER_WITHIN = 5000;

const sentences = {
  offered: "A new version is ready. All tabs of Cairn reload; your edits are saved.",
  accepted: "The new version takes over…",
  late: "The old version is still busy. Close all tabs of Cairn and open it again; your edits are saved.",
};

/** Offers a new build. Nothing changes until the person says so or closes every tab. */
export const UpdateBanner = () => {
  const waiting = useUpdateWaiting();
  const [later, setLater] = useState(false);
  const [state, setState] = useState<keyof typeof sentences>("offered");
  useEffect(() => {
    if (state !== "accepted") return undefined;
    const timer = setTimeout(() => setState("late"), TAKES_OVER_WITHIN);
    return () => clearTimeout(timer);
  }, [state]);
  if (!waiting || later) return null;
  return (
    <section
      aria-label="New version"
      className="safe-bottom fixed inset-x-3 bottom-3 z-30 mx-auto flex max-w-md flex-wrap items-center gap-x-3 gap-y-2 rounded-xl border border-line-strong bg-raised p-3 pl-4 shadow-lift"
    >
      <RefreshCw className="size-4 shrink-0 text-moss" aria-hidden="true" />
      <output className="min-w-40 flex-1 text-[0.9375rem]">{sentences[state]}</output>
      <div className="ml-auto flex gap-2">
        <Button look="quiet" size="small" onClick={() => setLater(true)}>
          Later
        </Button>
        <Button
          look="primary"
          size="small"
          disabled={state === "accepted"}
          onClick={() => {
            setState("accepted");
            acceptUpdate();
          }}
        >
          Reload
        </Button>
      </div>
    </section>
  );
};
