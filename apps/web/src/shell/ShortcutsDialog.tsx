import { Modal } from "../ui/Modal.tsx";
import { keysLabel, shortcutGroups } from "./shortcuts.ts";

export const ShortcutsDialog = ({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) => (
  <Modal open={open} onOpenChange={onOpenChange} title="Keyboard shortcuts">
    <div className="space-y-5">
      {shortcutGroups.map((group) => (
        <section key={group.title}>
          <h3 className="mb-1.5 text-sm font-semibold text-ink-soft">{group.title}</h3>
          <dl>
            {group.keys.map(([keys, does]) => (
              <div
                key={keys}
                className="flex items-center justify-between gap-4 border-t border-line py-2 text-[0.9375rem]"
              >
                <dt>{does}</dt>
                <dd>
                  <kbd className="rounded-md border border-line-strong bg-paper px-2 py-0.5 font-sans text-sm whitespace-nowrap text-ink-soft">
                    {keysLabel(keys)}
                  </kbd>
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </div>
  </Modal>
);
