import type { StorageState } from "@cairn/client";
import { useCairn } from "../../notebook/hooks.ts";
import { formatBytes } from "../../notebook/format.ts";
import { StorageProblemView } from "../../shell/HealthBanner.tsx";
import { Button } from "../../ui/Button.tsx";
import { notify } from "../../ui/notices.ts";
import { Card } from "./Card.tsx";

/** How much room the notes take on this device, and whether the browser keeps them. */
export const StorageCard = ({ storage }: { storage: StorageState | undefined }) => {
  const state = useCairn();
  const keep = async (): Promise<void> => {
    if (state.status !== "ready") return;
    const { keeping } = await state.cairn.keepStorage();
    notify(
      keeping === "kept"
        ? { title: "The browser will keep your notes" }
        : { title: "The browser did not agree yet", detail: "Installing Cairn as an app usually convinces it." },
    );
  };
  const { quota, usage } = storage ?? {};
  const share = usage !== undefined && quota !== undefined && quota > 0 ? Math.min(1, usage / quota) : undefined;
  return (
    <Card title="Storage on this device">
      {storage === undefined ? (
        <output className="skeleton block h-5 w-3/5" aria-label="Looking at the storage" />
      ) : (
        <>
          {/* Whether the browser keeps them is said below, with its button. */}
          {storage.problem && storage.problem.remedy !== "keep" ? (
            <StorageProblemView problem={storage.problem} className="mb-3" />
          ) : null}
          <p className="text-[0.9375rem]">
            {usage === undefined ? "This browser does not tell how much is used." : `${formatBytes(usage)} used`}
            {quota === undefined ? null : <span className="text-ink-soft"> of {formatBytes(quota)} on offer</span>}
          </p>
          {share === undefined ? null : (
            <div
              role="meter"
              aria-label="Storage used"
              aria-valuemin={0}
              aria-valuemax={100}
              aria-valuenow={Math.round(share * 100)}
              className="mt-2 h-1.5 overflow-hidden rounded-full bg-hover"
            >
              <div
                className={`h-full min-w-1 rounded-full ${share > 0.9 ? "bg-clay" : "bg-moss"}`}
                style={{ width: `${(share * 100).toFixed(2)}%` }}
              />
            </div>
          )}
          <p className="mt-2 text-sm leading-normal text-ink-soft">{keepingWords[storage.keeping]}</p>
          {storage.keeping === "kept" ? null : (
            <Button size="small" className="mt-3" onClick={() => void keep()}>
              Keep my notes
            </Button>
          )}
        </>
      )}
    </Card>
  );
};

const keepingWords: Readonly<Record<StorageState["keeping"], string>> = {
  kept: "The browser has promised to keep it until you remove it.",
  "not-asked": "The browser is asked to keep it with your first note.",
  refused: "The browser may clear it when room runs short, and private windows always do.",
};
