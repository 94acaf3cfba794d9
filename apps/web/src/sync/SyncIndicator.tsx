import { Popover } from "@base-ui/react/popover";
import { useSyncState } from "@cairn/react";
import { CircleCheck, CloudOff, LoaderCircle, TriangleAlert } from "lucide-react";
import { useEffect, useState, useSyncExternalStore } from "react";
import { useNow } from "../notebook/clock.ts";
import { useWorkspace } from "../notebook/hooks.ts";
import { Button } from "../ui/Button.tsx";
import { describeSync, type SyncDescription } from "./describe-sync.ts";
import { localSaves } from "./local-saves.ts";

const icons: Record<SyncDescription["tone"], typeof CircleCheck> = {
  good: CircleCheck,
  busy: LoaderCircle,
  waiting: CloudOff,
  problem: TriangleAlert,
};

const colours: Record<SyncDescription["tone"], string> = {
  good: "text-moss",
  busy: "text-ink-faint",
  waiting: "text-amber",
  problem: "text-clay",
};

/** Live description of how safe the notebook is. */
export const useSyncDescription = (): SyncDescription => {
  const workspace = useWorkspace();
  const saved = useSyncExternalStore(localSaves.subscribe, localSaves.allSaved);
  return describeSync(useSyncState(workspace), saved, useNow());
};

/** Tells where the edits are, in words; a popover says more and what to do. */
export const SyncIndicator = ({ compact = false }: { compact?: boolean }) => {
  const workspace = useWorkspace();
  const now = useSyncDescription();
  const Icon = icons[now.tone];
  const icon = (
    <Icon
      className={`size-4 shrink-0 ${colours[now.tone]} ${now.tone === "busy" ? "animate-spin [animation-duration:2s]" : ""}`}
      aria-hidden="true"
    />
  );
  return (
    <Popover.Root>
      <Popover.Trigger
        aria-label={`Sync: ${now.label}`}
        className={
          compact
            ? "inline-grid size-9 place-items-center rounded-lg hover:bg-hover pointer-coarse:size-11"
            : "flex min-h-10 min-w-0 flex-1 items-center gap-2 rounded-lg px-2.5 text-left text-sm text-ink-soft hover:bg-hover hover:text-ink pointer-coarse:min-h-11"
        }
      >
        {icon}
        {compact ? null : <span className="truncate">{now.label}</span>}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner sideOffset={8} side={compact ? "bottom" : "top"} align="start" className="z-40">
          <Popover.Popup className="popup-motion w-[min(21rem,calc(100vw-1.5rem))] rounded-xl border border-line bg-raised p-4 text-ink shadow-lift outline-none">
            <Popover.Title className="flex items-center gap-2 text-[0.9375rem] font-semibold">
              {icon}
              {now.label}
            </Popover.Title>
            <div className="mt-2 space-y-2 text-sm leading-normal text-ink-soft">
              {now.remedy ? <p className="text-ink">{now.remedy}</p> : null}
              <p>{now.here}</p>
              {now.server ? <p>{now.server}</p> : null}
            </div>
            {now.canRetry ? (
              <Button size="small" className="mt-3" onClick={() => workspace?.syncNow()}>
                Try now
              </Button>
            ) : null}
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
};

/** Reads changes of the sync state aloud, once they have lasted long enough to matter. */
export const SyncAnnouncer = () => {
  const { label, tone } = useSyncDescription();
  const [spoken, setSpoken] = useState("");
  useEffect(() => {
    if (tone === "busy") return undefined;
    const timer = setTimeout(() => setSpoken(label), 1500);
    return () => clearTimeout(timer);
  }, [label, tone]);
  return <output className="sr-only">{spoken}</output>;
};
