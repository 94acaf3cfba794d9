import { lazy, type ReactNode, Suspense, useRef, useState } from "react";
import { iconButtonClass } from "./Button.tsx";

// A menu is drawn at its first opening: positioning and focus keeping are no part of the first paint.
const loadSurface = () => import("./MenuSurface.tsx");
const MenuSurface = lazy(loadSurface);

export interface ActionMenuProps {
  label: string;
  /** What the button shows. */
  trigger: ReactNode;
  triggerClassName?: string;
  align?: "start" | "end";
  /** The items, of `menu-items.tsx`; a lazy component keeps them out of the first load. */
  children: ReactNode;
}

export const ActionMenu = ({
  label,
  trigger,
  triggerClassName = iconButtonClass,
  align = "end",
  children,
}: ActionMenuProps) => {
  const button = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const [wanted, setWanted] = useState(false);
  const show = (next: boolean): void => {
    setWanted(true);
    setOpen(next);
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={open}
        className={triggerClassName}
        onPointerEnter={() => void loadSurface()}
        onFocus={() => void loadSurface()}
        onClick={() => show(!open)}
        onKeyDown={(event) => {
          if (event.key !== "ArrowDown") return;
          event.preventDefault();
          show(true);
        }}
      >
        {trigger}
      </button>
      {wanted ? (
        <Suspense fallback={null}>
          <MenuSurface label={label} open={open} onOpenChange={setOpen} anchor={button} align={align}>
            {children}
          </MenuSurface>
        </Suspense>
      ) : null}
    </>
  );
};
