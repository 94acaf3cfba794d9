import { Dialog } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import type { ReactNode } from "react";
import { iconButtonClass } from "./Button.tsx";

export interface ModalProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  description?: ReactNode;
  children: ReactNode;
}

/** A dialog in the middle of a desktop, a sheet at the bottom of a phone. */
export const Modal = ({ open, onOpenChange, title, description, children }: ModalProps) => (
  <Dialog.Root open={open} onOpenChange={(next) => onOpenChange(next)}>
    <Dialog.Portal>
      <Dialog.Backdrop className="popup-motion fixed inset-0 z-40 bg-black/35 dark:bg-black/55" />
      <Dialog.Popup className="popup-motion safe-bottom fixed inset-x-0 bottom-0 z-50 flex max-h-[92dvh] flex-col rounded-t-2xl border border-line bg-raised text-ink shadow-lift outline-none sm:inset-x-auto sm:top-1/2 sm:bottom-auto sm:left-1/2 sm:max-h-[86dvh] sm:w-[31rem] sm:-translate-x-1/2 sm:-translate-y-1/2 sm:rounded-2xl">
        <header className="flex items-start gap-3 px-5 pt-4 pb-1">
          <div className="min-w-0 flex-1 pt-1">
            <Dialog.Title className="font-serif text-xl leading-snug font-semibold">{title}</Dialog.Title>
            {description ? (
              <Dialog.Description className="mt-1 text-[0.9375rem] leading-normal text-ink-soft">
                {description}
              </Dialog.Description>
            ) : null}
          </div>
          <Dialog.Close className={iconButtonClass} aria-label="Close">
            <X className="size-5" aria-hidden="true" />
          </Dialog.Close>
        </header>
        {/* A long dialog without controls must scroll by keyboard too, in every browser. */}
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
        <div role="region" aria-label={title} tabIndex={0} className="min-h-0 flex-1 overflow-y-auto px-5 pt-3 pb-5">
          {children}
        </div>
      </Dialog.Popup>
    </Dialog.Portal>
  </Dialog.Root>
);
