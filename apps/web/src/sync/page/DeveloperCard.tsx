import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { explain } from "../../notebook/explain.ts";
import type { Notebook } from "../../notebook/hooks.ts";
import { Button } from "../../ui/Button.tsx";
import { notify } from "../../ui/notices.ts";
import { Card } from "./Card.tsx";

export interface DeveloperCardProps {
  notebook: Notebook;
  simulatedOffline: boolean;
  local: boolean;
}

/** For whoever helps, and for whoever builds. */
export const DeveloperCard = ({ local, notebook, simulatedOffline }: DeveloperCardProps) => {
  const [report, setReport] = useState("");
  const [copied, setCopied] = useState(false);
  const [busy, setBusy] = useState(false);

  const copy = async (): Promise<void> => {
    setCopied(false);
    try {
      const text = await notebook.report();
      setReport(text);
      await navigator.clipboard.writeText(text);
      setCopied(true);
    } catch (error) {
      notify({ ...explain(error), tone: "problem" });
    }
  };
  const simulate = async (): Promise<void> => {
    setBusy(true);
    try {
      await notebook.simulateOffline(!simulatedOffline);
    } catch (error) {
      notify({ ...explain(error), tone: "problem" });
    } finally {
      setBusy(false);
    }
  };

  return (
    <Card title="Help and testing">
      {local ? null : (
        <div className="flex items-center gap-4 border-b border-line pb-3">
          <span className="min-w-0 flex-1">
            <span id="simulate" className="block text-[0.9375rem] font-medium">
              Simulate being offline
            </span>
            <span className="block text-sm text-ink-soft">All tabs here act as if there were no network.</span>
          </span>
          <button
            type="button"
            role="switch"
            aria-checked={simulatedOffline}
            aria-labelledby="simulate"
            disabled={busy}
            onClick={() => void simulate()}
            className="relative inline-flex h-6 w-11 shrink-0 items-center rounded-full border border-line-strong bg-hover transition-colors after:absolute after:-inset-2.5 aria-checked:border-amber aria-checked:bg-amber"
          >
            <span
              className={`size-4.5 rounded-full shadow-sm transition-transform ${simulatedOffline ? "translate-x-[1.4rem] bg-raised" : "translate-x-0.5 bg-ink-faint"}`}
            />
          </button>
        </div>
      )}
      <p className={`text-sm leading-normal text-ink-soft ${local ? "" : "mt-3"}`}>
        The report says how syncing went, for whoever helps you. It has no names, no words of your notes, and ids only
        as short hashes.
      </p>
      <Button
        size="small"
        className="mt-3"
        icon={copied ? <Check className="size-4" aria-hidden="true" /> : <Copy className="size-4" aria-hidden="true" />}
        onClick={() => void copy()}
      >
        {copied ? "Report copied" : "Copy report"}
      </Button>
      <output className="sr-only">{copied ? "Report copied" : ""}</output>
      {report === "" ? null : (
        <details className="mt-3 text-sm" open>
          <summary className="inline-flex min-h-8 items-center text-ink-soft hover:text-ink pointer-coarse:min-h-11">
            What it says
          </summary>
          {/* A long report scrolls by keyboard too. */}
          {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
          <div role="region" aria-label="The report" tabIndex={0} className={reportClass}>
            <pre className="font-mono text-xs leading-5">{report}</pre>
          </div>
        </details>
      )}
    </Card>
  );
};

const reportClass = "mt-1 max-h-64 overflow-auto rounded-xl border border-line bg-paper p-3";
