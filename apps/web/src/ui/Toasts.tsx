import { Toast } from "@base-ui/react/toast";
import { X } from "lucide-react";
import { useEffect } from "react";
import { iconButtonClass } from "./Button.tsx";
import { onNotice, type Notice } from "./notices.ts";

/** Short messages at the bottom of the window, read aloud politely, with at most one action each. */
export const Toasts = () => (
  <Toast.Provider limit={3} timeout={6000}>
    <NoticeSource />
    <Toast.Portal>
      <Toast.Viewport className="safe-bottom fixed inset-x-3 bottom-4 z-[60] mx-auto flex flex-col gap-2 sm:inset-x-auto sm:left-1/2 sm:w-96 sm:-translate-x-1/2">
        <ToastList />
      </Toast.Viewport>
    </Toast.Portal>
  </Toast.Provider>
);

const NoticeSource = () => {
  const { add } = Toast.useToastManager();
  useEffect(
    () =>
      onNotice((notice: Notice) => {
        add({
          title: notice.title,
          ...(notice.detail === undefined ? {} : { description: notice.detail }),
          ...(notice.tone === "problem" ? { priority: "high" as const } : {}),
          timeout: notice.tone === "problem" ? 12_000 : notice.action ? 9000 : 5000,
          ...(notice.action ? { actionProps: { children: notice.action.label, onClick: notice.action.run } } : {}),
        });
      }),
    [add],
  );
  return null;
};

const ToastList = () => {
  const { toasts, close } = Toast.useToastManager();
  return toasts.map((toast) => (
    <Toast.Root
      key={toast.id}
      toast={toast}
      className="popup-motion rounded-xl border border-line-strong bg-ink text-paper shadow-lift data-limited:hidden dark:border-line-strong dark:bg-hover dark:text-ink"
    >
      <Toast.Content className="flex items-center gap-2 py-1.5 pr-1.5 pl-4">
        <div className="min-w-0 flex-1 py-1.5">
          <Toast.Title className="text-[0.9375rem] font-medium" />
          <Toast.Description className="text-sm opacity-85" />
        </div>
        {toast.actionProps ? (
          <Toast.Action
            className="min-h-9 shrink-0 rounded-lg px-3 text-[0.9375rem] font-semibold underline decoration-from-font underline-offset-4 hover:bg-paper/15 focus-visible:outline-current pointer-coarse:min-h-11 dark:text-moss dark:hover:bg-paper/50"
            onClick={() => close(toast.id)}
          />
        ) : null}
        <Toast.Close
          className={`${iconButtonClass} text-inherit! hover:bg-paper/15 focus-visible:outline-current dark:hover:bg-paper/50`}
          aria-label="Dismiss"
        >
          <X className="size-4" aria-hidden="true" />
        </Toast.Close>
      </Toast.Content>
    </Toast.Root>
  ));
};
