import { AlertDialog } from "@base-ui/react/alert-dialog";
import type { ReactNode } from "react";
import { buttonClass } from "./Button.tsx";

export interface ConfirmProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  children: ReactNode;
  /** The verb on the button: what happens, never "OK". */
  action: string;
  onConfirm: () => void;
}

/** Asks before something that cannot be undone. What can be undone is done at once, with an undo. */
export const Confirm = ({ open, onOpenChange, title, children, action, onConfirm }: ConfirmProps) => (
  <AlertDialog.Root open={open} onOpenChange={(next) => onOpenChange(next)}>
    <AlertDialog.Portal>
      <AlertDialog.Backdrop className="popup-motion fixed inset-0 z-40 bg-black/35 dark:bg-black/55" />
      <AlertDialog.Popup className="popup-motion fixed top-1/2 left-1/2 z-50 w-[min(26rem,calc(100vw-2rem))] -translate-x-1/2 -translate-y-1/2 rounded-2xl border border-line bg-raised p-5 text-ink shadow-lift outline-none">
        <AlertDialog.Title className="font-serif text-xl font-semibold">{title}</AlertDialog.Title>
        <AlertDialog.Description render={<div />} className="mt-2 text-[0.9375rem] leading-normal text-ink-soft">
          {children}
        </AlertDialog.Description>
        <div className="mt-5 flex justify-end gap-2">
          <AlertDialog.Close className={buttonClass("outline")}>Cancel</AlertDialog.Close>
          <AlertDialog.Close className={buttonClass("danger")} onClick={onConfirm}>
            {action}
          </AlertDialog.Close>
        </div>
      </AlertDialog.Popup>
    </AlertDialog.Portal>
  </AlertDialog.Root>
);
