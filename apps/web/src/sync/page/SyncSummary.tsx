import type { OutboxState } from "@cairn/client";
import { Pause, Play, RefreshCw } from "lucide-react";
import { useState } from "react";
import { explain } from "../../notebook/explain.ts";
import { formatBytes, formatSince, plural } from "../../notebook/format.ts";
import type { Notebook } from "../../notebook/hooks.ts";
import { Button } from "../../ui/Button.tsx";
import { notify } from "../../ui/notices.ts";
import { conditionWords, formatDuration } from "../describe-outbox.ts";
import type { SyncDescription } from "../describe-sync.ts";
import { InviteForm } from "../InviteForm.tsx";
import { SyncIcon } from "../SyncIcon.tsx";
import { Pipeline } from "./Pipeline.tsx";

export interface SyncSummaryProps {
  notebook: Notebook;
  description: SyncDescription;
  outbox: OutboxState;
  saved: boolean;
  now: number;
}

/** How safe everything is, in one look, and what one can do about it. */
export const SyncSummary = ({ description, notebook, now, outbox, saved }: SyncSummaryProps) => {
  const [busy, setBusy] = useState(false);
  const { condition, depth, paused } = outbox;
  const { lastSyncedAt, server } = notebook.sync();
  const local = condition === "LOCAL_ONLY";
  const inFlight = outbox.states.IN_FLIGHT;

  const steer = async (work: () => Promise<void>): Promise<void> => {
    setBusy(true);
    try {
      await work();
    } catch (error) {
      notify({ ...explain(error), tone: "problem" });
    } finally {
      setBusy(false);
    }
  };

  return (
    <section aria-label="State of syncing" className="rounded-2xl border border-line bg-raised">
      <div className="flex flex-wrap items-start gap-x-6 gap-y-4 p-4 sm:p-6">
        <div className="min-w-60 flex-1">
          <p className="flex items-center gap-2.5 font-serif text-xl leading-snug font-semibold">
            <span className="[&_svg]:size-5.5">
              <SyncIcon tone={description.tone} />
            </span>
            {description.label}
          </p>
          <p className="mt-1.5 text-[0.9375rem] leading-normal text-ink-soft">
            {description.remedy ?? conditionWords[condition]}
          </p>
          {description.wayOut === "invite" ? <InviteForm /> : null}
          {outbox.nextAttemptAt !== undefined && outbox.nextAttemptAt > now ? (
            <p className="mt-0.5 text-sm text-ink-soft">
              Next attempt in {formatDuration(outbox.nextAttemptAt - now)}.
            </p>
          ) : null}
        </div>
        {local ? null : (
          <div className="flex flex-wrap gap-2">
            {paused ? (
              <Button
                look="primary"
                disabled={busy}
                icon={<Play className="size-4" aria-hidden="true" />}
                onClick={() => void steer(() => notebook.resume())}
              >
                Resume
              </Button>
            ) : (
              <>
                <Button
                  look="primary"
                  icon={<RefreshCw className="size-4" aria-hidden="true" />}
                  onClick={() => notebook.syncNow()}
                >
                  Sync now
                </Button>
                <Button
                  disabled={busy}
                  icon={<Pause className="size-4" aria-hidden="true" />}
                  onClick={() => void steer(() => notebook.pause())}
                >
                  Pause
                </Button>
              </>
            )}
          </div>
        )}
      </div>
      <div className="border-t border-line px-4 py-5 sm:px-6">
        <Pipeline
          moving={inFlight > 0 && condition === "LIVE"}
          here={saved ? { words: "Everything is saved", tone: "good" } : { words: "Saving…", tone: "busy" }}
          waiting={
            depth === 0
              ? { words: local ? "Not needed" : "Nothing waits", tone: local ? "busy" : "good" }
              : {
                  words: `${plural(depth, "note")}, ${formatBytes(outbox.bytes)}`,
                  tone: outbox.states.DEAD_LETTER > 0 ? "problem" : "waiting",
                }
          }
          server={{
            name: server === undefined ? "No server" : hostOf(server),
            words:
              server === undefined
                ? "Nothing leaves this device"
                : lastSyncedAt === undefined
                  ? "Not in step yet"
                  : condition === "LIVE" && depth === 0
                    ? "In step"
                    : `In step at ${formatSince(lastSyncedAt, now)}`,
            tone: serverTones[condition] ?? "waiting",
          }}
        />
      </div>
    </section>
  );
};

const serverTones: Partial<Readonly<Record<OutboxState["condition"], "good" | "busy" | "problem">>> = {
  LIVE: "good",
  LOCAL_ONLY: "busy",
  CONNECTING: "busy",
  WAITING_FOR_TOKEN: "busy",
  STOPPED: "problem",
  QUOTA: "problem",
  STALLED: "problem",
};

const hostOf = (server: string): string => (URL.canParse(server) ? new URL(server).host : server);
