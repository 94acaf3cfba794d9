import { Link } from "@tanstack/react-router";
import type { EntryState, OutboxEntry, OutboxState } from "@cairn/client";
import { formatBytes, plural } from "../../notebook/format.ts";
import { formatDuration, stateWords } from "../describe-outbox.ts";
import { Badge, Card } from "./Card.tsx";

export interface OutboxCardProps {
  outbox: OutboxState;
  nameOfNote: (id: string) => string | undefined;
  now: number;
}

const order: ReadonlyArray<EntryState> = [
  "PENDING",
  "IN_FLIGHT",
  "RETRYABLE_ERROR",
  "FATAL_ERROR",
  "DEAD_LETTER",
  "SYNCED",
];
const atOnce = 8;

/** What waits, what is on its way, and how much of each. */
export const OutboxCard = ({ nameOfNote, now, outbox }: OutboxCardProps) => {
  const waiting = outbox.entries.filter(({ state }) => state !== "DEAD_LETTER");
  return (
    <Card title="Outbox" aside={outbox.attempts > 0 ? plural(outbox.attempts, "refusal") : undefined}>
      <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-xl border border-line bg-line sm:grid-cols-3">
        {order.map((state) => {
          const { label, meaning, tone } = stateWords[state];
          const count = outbox.states[state];
          return (
            <div key={state} title={meaning} className="bg-raised px-3 py-2.5">
              <dt className="text-sm text-ink-soft">{label}</dt>
              <dd
                className={`font-serif text-xl leading-tight font-semibold tabular-nums ${count > 0 ? toneText[tone] : "text-ink-faint"}`}
              >
                {count}
              </dd>
            </div>
          );
        })}
      </dl>
      {waiting.length === 0 ? (
        <p className="mt-3 text-[0.9375rem] text-ink-soft">
          {outbox.condition === "LOCAL_ONLY"
            ? "This notebook has no server, so nothing ever has to be sent."
            : "Nothing waits to be sent."}
        </p>
      ) : (
        <ul className="mt-3 divide-y divide-line">
          {waiting.slice(0, atOnce).map((entry) => (
            <Waiting
              key={`${entry.document ?? "-"}/${entry.counter ?? "-"}/${entry.state}`}
              entry={entry}
              name={entry.document === undefined ? undefined : nameOfNote(entry.document)}
              now={now}
            />
          ))}
          {outbox.depth - outbox.states.DEAD_LETTER > atOnce ? (
            <li className="py-2 text-sm text-ink-soft">
              and {outbox.depth - outbox.states.DEAD_LETTER - Math.min(atOnce, waiting.length)} more
            </li>
          ) : null}
        </ul>
      )}
    </Card>
  );
};

const toneText = { good: "text-moss", busy: "text-ink", waiting: "text-amber", problem: "text-clay" } as const;

const Waiting = ({ entry, name, now }: { entry: OutboxEntry; name: string | undefined; now: number }) => {
  const { label, tone } = stateWords[entry.state];
  const { document } = entry;
  return (
    <li className="flex items-center gap-3 py-2">
      <span className="min-w-0 flex-1">
        <span className="block truncate text-[0.9375rem] font-medium">
          {document === undefined ? (
            "Keys and members"
          ) : name === undefined ? (
            "Another document"
          ) : (
            <Link to="/note/$noteId" params={{ noteId: document }} className="hover:underline">
              {name}
            </Link>
          )}
        </span>
        <span className="block text-sm text-ink-soft">
          {[
            entry.edits > 0 ? plural(entry.edits, "edit") : `entry ${entry.counter ?? ""}`,
            formatBytes(entry.bytes),
            `since ${formatDuration(now - entry.since)}`,
            ...(entry.attempts > 0 ? [`refused ${entry.attempts === 1 ? "once" : `${entry.attempts} times`}`] : []),
          ].join(", ")}
        </span>
      </span>
      <Badge tone={tone}>{label}</Badge>
    </li>
  );
};
