import { lazy, Suspense, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { useWorkspace } from "../notebook/hooks.ts";
import type { DescribedSync } from "./calm-description.ts";
import { describeSync, type SyncDescription } from "./describe-sync.ts";
import { describedSync } from "./described-sync.ts";
import { localSaves } from "./local-saves.ts";
import { SyncIcon } from "./SyncIcon.tsx";

const loadPopover = () => import("./SyncPopover.tsx");
const SyncPopover = lazy(loadPopover);

/** Live description of how safe the notebook is. */
export const useSyncDescription = (): SyncDescription => {
  const workspace = useWorkspace();
  const { get, subscribe } = workspace ? describedSync(workspace) : opening;
  return useSyncExternalStore(subscribe, get, get);
};

const openingNow = describeSync(undefined, localSaves.get(), 0);
const opening: DescribedSync = { get: () => openingNow, subscribe: () => () => undefined };

/** Tells where the edits are, in words; a popover says more and what to do. */
export const SyncIndicator = ({ compact = false }: { compact?: boolean }) => {
  const button = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const [wanted, setWanted] = useState(false);
  const now = useSyncDescription();
  return (
    <>
      <button
        ref={button}
        type="button"
        aria-label={`Sync: ${now.label}`}
        aria-haspopup="dialog"
        aria-expanded={open}
        onPointerEnter={() => void loadPopover()}
        onFocus={() => void loadPopover()}
        onClick={() => {
          setWanted(true);
          setOpen(!open);
        }}
        className={
          compact
            ? "inline-grid size-9 place-items-center rounded-lg hover:bg-hover pointer-coarse:size-11"
            : "flex min-h-10 min-w-0 flex-1 items-center gap-2 rounded-lg px-2.5 text-left text-sm text-ink-soft hover:bg-hover hover:text-ink pointer-coarse:min-h-11"
        }
      >
        <SyncIcon tone={now.tone} />
        {compact ? null : <span className="truncate">{now.label}</span>}
      </button>
      {wanted ? (
        <Suspense fallback={null}>
          <SyncPopover now={now} open={open} onOpenChange={setOpen} anchor={button} side={compact ? "bottom" : "top"} />
        </Suspense>
      ) : null}
    </>
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
