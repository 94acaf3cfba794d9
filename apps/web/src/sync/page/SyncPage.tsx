import type { SyncState } from "@cairn/client";
import { useSync } from "@cairn/react";
import { useMemo, useState, useSyncExternalStore } from "react";
import { Link } from "@tanstack/react-router";
import { explain } from "../../notebook/explain.ts";
import { plural } from "../../notebook/format.ts";
import { type Notebook, useCairn, useQuery } from "../../notebook/hooks.ts";
import { nameOf } from "../../notebook/note-text.ts";
import { Page } from "../../shell/Page.tsx";
import { Button } from "../../ui/Button.tsx";
import { formatDuration } from "../describe-outbox.ts";
import { localSaves } from "../local-saves.ts";
import { outboxHistory, sampleOf } from "../outbox-history.ts";
import { useSyncDescription } from "../SyncIndicator.tsx";
import { useDeadLetters, useOutbox, useStorage } from "../use-sync-data.ts";
import { ConnectionsCard } from "./ConnectionsCard.tsx";
import { DeadLetters } from "./DeadLetters.tsx";
import { DeveloperCard } from "./DeveloperCard.tsx";
import { DevicesCard } from "./DevicesCard.tsx";
import { HistoryChart } from "./HistoryChart.tsx";
import { OutboxCard } from "./OutboxCard.tsx";
import { StorageCard } from "./StorageCard.tsx";
import { SyncSummary } from "./SyncSummary.tsx";
import { useSeconds } from "./use-seconds.ts";

/** Everything about where edits are and how they travel: in a look for a person, in detail for a developer. */
export const SyncPage = () => {
  const state = useCairn();
  return (
    <Page title="Sync" wide>
      {state.status === "ready" ? (
        <SyncPageOf key={state.workspace.id} notebook={state.workspace} />
      ) : state.status === "failed" ? (
        <Failed error={state.error} retry={state.retry} />
      ) : (
        <Opening />
      )}
    </Page>
  );
};

const SyncPageOf = ({ notebook }: { notebook: Notebook }) => {
  const description = useSyncDescription();
  const outbox = useOutbox(notebook);
  const sync = useSync(notebook);
  const letters = useDeadLetters(notebook);
  const storage = useStorage();
  const { saved } = useSyncExternalStore(localSaves.subscribe, localSaves.get);
  const samples = useSyncExternalStore(outboxHistory.subscribe, () => outboxHistory.of(notebook.id));
  const nameOfNote = useNoteNames();
  const now = useSeconds();
  if (outbox === undefined) return <Opening />;
  const running = [...samples, sampleOf(outbox, now)];
  const age = outbox.oldestAt === undefined || outbox.depth === 0 ? 0 : Math.max(0, now - outbox.oldestAt);
  const local = outbox.condition === "LOCAL_ONLY";
  return (
    <div className="space-y-4">
      <SyncSummary notebook={notebook} description={description} outbox={outbox} saved={saved} now={now} />
      {letters && letters.length > 0 ? (
        <div className="py-3">
          <DeadLetters notebook={notebook} letters={letters} nameOfNote={nameOfNote} now={now} />
        </div>
      ) : null}
      {local ? null : (
        <div className="grid gap-4 sm:grid-cols-2">
          <HistoryChart
            title="Waiting to be sent"
            value={plural(outbox.depth, "note")}
            samples={running}
            of={(sample) => sample.depth}
            format={String}
            steps
            now={now}
          />
          <HistoryChart
            title="Longest wait"
            value={age === 0 ? "None" : formatDuration(age)}
            samples={running}
            of={(sample) => sample.age}
            format={formatDuration}
            steps={false}
            now={now}
          />
        </div>
      )}
      <div className="grid items-start gap-4 lg:grid-cols-2">
        <div className="min-w-0 space-y-4">
          <OutboxCard outbox={outbox} nameOfNote={nameOfNote} now={now} />
          <DevicesCard notebook={notebook} lastSyncedAt={notebook.sync().lastSyncedAt} now={now} />
          <DeveloperCard notebook={notebook} simulatedOffline={outbox.simulatedOffline} local={local} />
        </div>
        <div className="min-w-0 space-y-4">
          <ConnectionsCard moments={notebook.connections()} />
          <StorageCard storage={storage} />
          <History outbox={outbox} preparing={sync?.preparing} now={now} />
        </div>
      </div>
    </div>
  );
};

interface HistoryProps {
  readonly now: number;
  readonly outbox: NonNullable<ReturnType<typeof useOutbox>>;
  readonly preparing: SyncState["preparing"];
}

const History = ({ now, outbox, preparing }: HistoryProps) => {
  const facts: ReadonlyArray<readonly [string, string]> = [
    [
      "Last thing taken by the server",
      outbox.lastSuccessAt === undefined ? "nothing yet" : `${formatDuration(now - outbox.lastSuccessAt)} ago`,
    ],
    ...(preparing === undefined
      ? []
      : [["Notes brought into the list", `${preparing.done} of ${preparing.total}`] as const]),
    ["Changes of state", String(outbox.transitions)],
    ["Stalls", outbox.stalls === 0 ? "none" : String(outbox.stalls)],
    ["Refusals of what waits now", outbox.attempts === 0 ? "none" : String(outbox.attempts)],
  ];
  return (
    <section aria-label="Since this page was opened" className="rounded-2xl border border-line bg-raised p-4 sm:p-5">
      <h2 className="mb-2 font-semibold">Since this page was opened</h2>
      <dl className="divide-y divide-line text-[0.9375rem]">
        {facts.map(([term, value]) => (
          <div key={term} className="flex justify-between gap-4 py-1.5">
            <dt className="text-ink-soft">{term}</dt>
            <dd className="text-right tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
      <p className="mt-3 text-sm text-ink-soft">
        Sealed on this device, readable by nobody in between.{" "}
        <Link to="/settings" className="underline underline-offset-2">
          Backup and recovery words
        </Link>{" "}
        are in the settings.
      </p>
    </section>
  );
};

/** Names of what was changed lately: what waits is among it. */
const useNoteNames = (): ((id: string) => string | undefined) => {
  const rows = useQuery("note", lately);
  const names = useMemo(() => new Map<string, string>(rows?.map((row) => [row.id, nameOf(row.fields)])), [rows]);
  return (id) => names.get(id);
};

const lately = { deleted: "include", limit: 300 } as const;

const Opening = () => (
  <output className="block space-y-4" aria-label="Looking at the sync state">
    <span className="skeleton block h-52 w-full rounded-2xl" />
    <span className="grid gap-4 sm:grid-cols-2">
      <span className="skeleton block h-40 rounded-2xl" />
      <span className="skeleton block h-40 rounded-2xl" />
    </span>
  </output>
);

const Failed = ({ error, retry }: { error: unknown; retry: () => void }) => {
  const [{ detail, title }] = useState(() => explain(error));
  return (
    <div role="alert" className="rounded-2xl border border-line bg-raised p-5">
      <p className="font-semibold">{title}</p>
      <p className="mt-1 text-ink-soft">{detail}</p>
      <Button className="mt-4" onClick={retry}>
        Try again
      </Button>
    </div>
  );
};
