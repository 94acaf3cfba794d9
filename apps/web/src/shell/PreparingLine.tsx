import { useSync } from "@cairn/react";
import { useWorkspace } from "../notebook/hooks.ts";

/** A slim line while many notes get their place in lists, after joining or an update; everything can be used meanwhile. */
export const PreparingLine = () => {
  const preparing = useSync(useWorkspace())?.preparing;
  if (preparing === undefined) return null;
  const label = `Completing the list: ${preparing.done} of ${preparing.total} notes`;
  return (
    <progress
      aria-label={label}
      title={label}
      className="block h-0.5 w-full appearance-none border-0 bg-line accent-amber"
      value={preparing.done}
      max={preparing.total}
    />
  );
};
