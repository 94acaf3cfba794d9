import { Popover } from "@base-ui/react/popover";
import { Link } from "@tanstack/react-router";
import type { RefObject } from "react";
import { useWorkspace } from "../notebook/hooks.ts";
import { Button, buttonClass } from "../ui/Button.tsx";
import type { SyncDescription } from "./describe-sync.ts";
import { InviteForm } from "./InviteForm.tsx";
import { SyncIcon } from "./SyncIcon.tsx";

export interface SyncPopoverProps {
  now: SyncDescription;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  anchor: RefObject<HTMLButtonElement | null>;
  side: "top" | "bottom";
}

const SyncPopover = ({ now, open, onOpenChange, anchor, side }: SyncPopoverProps) => {
  const workspace = useWorkspace();
  return (
    <Popover.Root
      open={open}
      onOpenChange={(next, details) => {
        // A press on the button is the button's own business, else it would close and open again.
        const pressed = details.event.target;
        if (!next && pressed instanceof Node && details.reason === "outside-press" && anchor.current?.contains(pressed))
          return;
        onOpenChange(next);
      }}
    >
      <Popover.Portal>
        <Popover.Positioner anchor={anchor} sideOffset={8} side={side} align="start" className="z-40">
          <Popover.Popup
            finalFocus={anchor}
            className="popup-motion w-[min(21rem,calc(100vw-1.5rem))] rounded-xl border border-line bg-raised p-4 text-ink shadow-lift outline-none"
          >
            <Popover.Title className="flex items-center gap-2 text-[0.9375rem] font-semibold">
              <SyncIcon tone={now.tone} />
              {now.label}
            </Popover.Title>
            <div className="mt-2 space-y-2 text-sm leading-normal text-ink-soft">
              {now.remedy ? <p className="text-ink">{now.remedy}</p> : null}
              <p>{now.here}</p>
              {now.server ? <p>{now.server}</p> : null}
            </div>
            {now.wayOut === "invite" ? <InviteForm onTaken={() => onOpenChange(false)} /> : null}
            <div className="mt-3 flex flex-wrap gap-2">
              {now.canRetry ? (
                <Button size="small" onClick={() => workspace?.syncNow()}>
                  Try now
                </Button>
              ) : null}
              <Link to="/sync" className={buttonClass("outline", "small")} onClick={() => onOpenChange(false)}>
                Show everything
              </Link>
            </div>
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
};

export default SyncPopover;
