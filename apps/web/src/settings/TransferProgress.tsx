import { formatBytes } from "../notebook/format.ts";
import { Button } from "../ui/Button.tsx";
import type { Transfer } from "./use-transfer.ts";

/** How far it is, for the eye as a bar, for the ear as the step alone. */
export const TransferProgress = ({ transfer, onCancel }: { transfer: Transfer | undefined; onCancel: () => void }) => (
  <>
    <output className={transfer ? "mt-3 block text-sm text-ink-soft" : "sr-only"}>{transfer?.what ?? ""}</output>
    {transfer ? (
      <div className="mt-1 flex items-center gap-3">
        <progress
          aria-label={transfer.what}
          className="h-2 min-w-0 flex-1 accent-moss"
          {...(transfer.total > 0 ? { max: transfer.total, value: transfer.done } : {})}
        />
        <span className="text-sm text-ink-soft tabular-nums" aria-hidden="true">
          {transfer.total > 0 ? `${Math.floor((100 * transfer.done) / transfer.total)} %` : formatBytes(transfer.done)}
        </span>
        <Button size="small" onClick={onCancel}>
          Cancel
        </Button>
      </div>
    ) : null}
  </>
);
