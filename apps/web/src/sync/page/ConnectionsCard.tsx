import type { ConnectionMoment } from "@cairn/client";
import { useEffect, useState } from "react";
import { formatClock, plural } from "../../notebook/format.ts";
import { useCairn } from "../../notebook/hooks.ts";
import { describeConnection } from "../describe-outbox.ts";
import { Card } from "./Card.tsx";

const shownAtOnce = 8;

const dots: Readonly<Record<ConnectionMoment["type"], string>> = {
  connecting: "bg-line-strong",
  live: "bg-moss",
  http: "bg-moss",
  ended: "bg-amber",
  paused: "bg-line-strong",
  resumed: "bg-line-strong",
  "offline-simulated": "bg-amber",
  stalled: "bg-clay",
};

/** What the connection went through, newest first, and which tab speaks for this device. */
export const ConnectionsCard = ({ moments }: { moments: ReadonlyArray<ConnectionMoment> }) => {
  const [all, setAll] = useState(false);
  const newest = moments.toReversed();
  return (
    <Card title="Connection" aside={<Leader />}>
      {newest.length === 0 ? (
        <p className="text-[0.9375rem] text-ink-soft">No connection was tried since this page was opened.</p>
      ) : (
        <ol className="space-y-1.5 text-[0.9375rem]">
          {newest.slice(0, all ? undefined : shownAtOnce).map((moment, index) => (
            // oxlint-disable-next-line react/no-array-index-key -- moments have no identity
            <li key={`${moment.at}/${index}`} className="flex items-baseline gap-2.5">
              <i aria-hidden="true" className={`size-2 shrink-0 rounded-full ${dots[moment.type]}`} />
              <span className="min-w-0 flex-1">{describeConnection(moment)}</span>
              <time
                className="shrink-0 text-sm text-ink-faint tabular-nums"
                dateTime={new Date(moment.at).toISOString()}
              >
                {formatClock(moment.at)}
              </time>
            </li>
          ))}
        </ol>
      )}
      {newest.length > shownAtOnce && !all ? (
        <button
          type="button"
          className="mt-2 min-h-8 rounded text-sm text-ink-soft underline-offset-2 hover:underline pointer-coarse:min-h-11"
          onClick={() => setAll(true)}
        >
          Show all {newest.length}
        </button>
      ) : null}
    </Card>
  );
};

/** One tab of a device talks to the server for all of them. Asked now and then: nothing announces a change of it. */
const Leader = () => {
  const state = useCairn();
  const cairn = state.status === "ready" ? state.cairn : undefined;
  const [leads, setLeads] = useState<boolean | undefined>(undefined);
  const [tabs, setTabs] = useState(1);
  useEffect(() => {
    if (!cairn) return undefined;
    let current = true;
    const look = async (): Promise<void> => {
      const [here, count] = await Promise.all([cairn.leads(), countTabs()]);
      if (!current) return;
      setLeads(here);
      setTabs(count);
    };
    const again = (): void => void look().catch(() => undefined);
    again();
    const timer = setInterval(again, 3000);
    return () => {
      current = false;
      clearInterval(timer);
    };
  }, [cairn]);
  if (leads === undefined) return null;
  return (
    <>
      {leads ? "This tab leads" : tabs > 1 ? "Another tab leads" : "This tab is about to lead"}
      {tabs > 1 ? `, ${plural(tabs, "tab")} open` : ""}
    </>
  );
};

/** Every tab's engine holds the leader's lock or waits for it. */
const countTabs = async (): Promise<number> => {
  const { held = [], pending = [] } = await navigator.locks.query();
  const leader = ({ name }: LockInfo): boolean => /^cairn\/v\d+\/notebook\/leader$/.test(name ?? "");
  return held.filter(leader).length + pending.filter(leader).length;
};
