import { Menu } from "@base-ui/react/menu";
import type { ReactNode, RefObject } from "react";

export interface MenuSurfaceProps {
  label: string;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  anchor: RefObject<HTMLButtonElement | null>;
  align: "start" | "end";
  children: ReactNode;
}

const MenuSurface = ({ label, open, onOpenChange, anchor, align, children }: MenuSurfaceProps) => (
  <Menu.Root
    open={open}
    onOpenChange={(next, details) => {
      // A press on the button is the button's own business, else it would close and open again.
      const pressed = details.event.target;
      if (!next && pressed instanceof Node && details.reason === "outside-press" && anchor.current?.contains(pressed))
        return;
      onOpenChange(next);
    }}
  >
    <Menu.Portal>
      <Menu.Positioner anchor={anchor} sideOffset={6} align={align} className="z-40 outline-none">
        <Menu.Popup
          aria-label={label}
          finalFocus={anchor}
          className="popup-motion max-h-(--available-height) min-w-52 overflow-y-auto rounded-xl border border-line bg-raised p-1.5 text-ink shadow-lift outline-none"
        >
          {children}
        </Menu.Popup>
      </Menu.Positioner>
    </Menu.Portal>
  </Menu.Root>
);

export default MenuSurface;
