import { RefreshCw } from "lucide-react";
import { useState } from "react";
import { acceptUpdate, useUpdateWaiting } from "../offline/app-updates.ts";
import { Button } from "../ui/Button.tsx";

/** Offers a new build. Nothing changes until the person says so or closes every tab. */
export const UpdateBanner = () => {
  const waiting = useUpdateWaiting();
  const [later, setLater] = useState(false);
  const [accepted, setAccepted] = useState(false);
  if (!waiting || later) return null;
  return (
    <section
      aria-label="New version"
      className="safe-bottom fixed inset-x-3 bottom-3 z-30 mx-auto flex max-w-md flex-wrap items-center gap-x-3 gap-y-2 rounded-xl border border-line-strong bg-raised p-3 pl-4 shadow-lift"
    >
      <RefreshCw className="size-4 shrink-0 text-moss" aria-hidden="true" />
      <output className="min-w-40 flex-1 text-[0.9375rem]">
        {accepted
          ? "The new version takes over…"
          : "A new version is ready. All tabs of Cairn reload; your edits are saved."}
      </output>
      <div className="ml-auto flex gap-2">
        <Button look="quiet" size="small" onClick={() => setLater(true)}>
          Later
        </Button>
        <Button
          look="primary"
          size="small"
          disabled={accepted}
          onClick={() => {
            setAccepted(true);
            acceptUpdate();
          }}
        >
          Reload
        </Button>
      </div>
    </section>
  );
};
