import { useSync } from "@cairn/react";
import { CircleArrowUp } from "lucide-react";
import { useState } from "react";
import { whatWasWritten } from "../notebook/app-version.ts";
import { useWorkspace } from "../notebook/hooks.ts";
import { updateNow } from "../offline/app-updates.ts";
import { Button } from "../ui/Button.tsx";
import { notify } from "../ui/notices.ts";

/** Says why nothing can be written any more, that nothing is lost, and updates the app. */
export const OutdatedBanner = () => {
  const state = useSync(useWorkspace());
  const [looking, setLooking] = useState(false);
  if (!state?.appOutdated) return null;
  const update = async (): Promise<void> => {
    setLooking(true);
    const found = await updateNow();
    setLooking(false);
    if (found) return;
    notify({
      title: "There is no newer version to be had yet",
      detail: `The app comes from ${location.host}. Try again when you are online, or ask whoever runs that server to update it.`,
    });
  };
  return (
    <section
      aria-label="Needed version"
      className="flex flex-wrap items-center gap-x-3 gap-y-2 border-b border-line bg-amber-soft px-4 py-2.5 text-[0.9375rem] wide:px-6"
    >
      <CircleArrowUp className="size-4 shrink-0 text-amber" aria-hidden="true" />
      <output className="min-w-48 flex-1">
        <span className="font-semibold text-amber">This notebook needs a newer version of the app.</span> Until you
        update, you can read everything and write nothing new. {whatWasWritten(state)}
      </output>
      <Button size="small" look="primary" disabled={looking} onClick={() => void update()}>
        {looking ? "Looking for it…" : "Update"}
      </Button>
    </section>
  );
};
